"""Target lists in files are followed as they change."""

import json

import pytest

from qvmon.model.errors import QvmonError
from qvmon.services.collection import metrics
from qvmon.services.collection.discovery import listed_groups
from tests.unit.services.collection.memory import MemoryFiles, MemoryTargets, World, config

TEXT = """
scrape_configs:
- job_name: j
  scrape_interval: 10s
  file_sd_configs: [{files: ['lists/*.json', 'lists/*.yml'], refresh_interval: 30s}]
  relabel_configs: [{source_labels: [__meta_filepath], target_label: file}]
"""


def listed(*addresses: str, **labels: str) -> str:
    return json.dumps([{"targets": addresses, "labels": labels}])


def around(**files: str) -> World:
    pages = {f"http://{name}:1/metrics": "m 1\n" for name in "abc"}
    named = {f"lists/{name.replace('_', '.')}": text for name, text in files.items()}
    return World(targets=MemoryTargets(pages), files=MemoryFiles(named))


def active(service) -> list[str]:
    return [status.labels["instance"] for status in service.targets().active]


async def test_json_and_yaml_lists_are_read_and_name_their_file() -> None:
    world = around(
        x_json=listed("a:1", zone="z"), y_yml="- targets: ['b:1']\n  labels: {v: 1.10}\n"
    )
    async with world.running(config(TEXT)):
        await world.clock.advance(10)
    labels = sorted((dict(s) for s in world.sink.samples if s["__name__"] == "m"), key=str)
    assert {each["instance"]: each for each in labels} == {
        "a:1": {
            "__name__": "m",
            "instance": "a:1",
            "job": "j",
            "zone": "z",
            "file": "lists/x.json",
        },
        "b:1": {"__name__": "m", "instance": "b:1", "job": "j", "v": "1.10", "file": "lists/y.yml"},
    }


async def test_a_changed_list_is_followed_at_the_next_refresh() -> None:
    world = around(x_json=listed("a:1"))
    async with world.running(config(TEXT)) as service:
        world.files.files["lists/x.json"] = listed("b:1")
        await world.clock.advance(29)
        before = active(service)
        await world.clock.advance(2)
        after = active(service)
    assert (before, after) == (["a:1"], ["b:1"])


async def test_a_new_list_is_found_and_a_lost_one_takes_its_targets_along() -> None:
    world = around(x_json=listed("a:1"))
    async with world.running(config(TEXT)) as service:
        world.files.files["lists/y.yml"] = "[{targets: ['b:1']}]"
        await world.clock.advance(31)
        both = active(service)
        del world.files.files["lists/x.json"]
        await world.clock.advance(30)
        one = active(service)
    assert (both, one) == (["a:1", "b:1"], ["b:1"])


async def test_a_broken_list_keeps_its_last_word_and_is_counted() -> None:
    world = around(x_json=listed("a:1"))
    async with world.running(config(TEXT)) as service:
        world.files.files["lists/x.json"] = "[{"
        await world.clock.advance(31)
        kept, counted = active(service), world.counted(metrics.UNREADABLE_FILES, "j")
        world.files.files["lists/x.json"] = listed("b:1")
        await world.clock.advance(30)
        mended = active(service)
        healed = world.counted(metrics.UNREADABLE_FILES, "j")
    assert (kept, counted) == (["a:1"], 1)
    assert (mended, healed) == (["b:1"], 0)


async def test_targets_that_stay_are_not_disturbed() -> None:
    world = around(x_json=listed("a:1"))
    async with world.running(config(TEXT)):
        await world.clock.advance(30)
        world.files.files["lists/x.json"] = listed("a:1", "b:1")
        await world.clock.advance(30)
    assert world.sink.values("m", instance="a:1") == [1.0] * 6
    assert world.sink.values("scrape_series_added", instance="a:1") == [1.0, 0, 0, 0, 0, 0]


async def test_a_defect_while_looking_at_lists_does_not_end_the_looking() -> None:
    world = around(x_json=listed("a:1"))
    async with world.running(config(TEXT)) as service:
        read, world.files.read = world.files.read, None
        await world.clock.advance(31)
        world.files.read = read
        world.files.files["lists/x.json"] = listed("b:1")
        await world.clock.advance(30)
        after = active(service)
    assert world.counted(metrics.DEFECTS) == 1
    assert after == ["b:1"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[{", r"x\.json: Expecting property name"),
        (b"{}", r"x\.json: .*valid tuple"),
        (b'[{"targets": "a:1"}]', r"x\.json: 0\.targets: "),
        (b'[{"target": ["a:1"]}]', r"x\.json: 0\.target: Extra inputs"),
        (b"\xff", r"x\.json: "),
    ],
)
def test_a_list_that_makes_no_sense_is_refused_with_its_place(content, sentence) -> None:
    with pytest.raises(QvmonError, match=sentence):
        listed_groups(content, "x.json")


def test_a_broken_yaml_list_is_refused_with_line_and_column() -> None:
    with pytest.raises(QvmonError, match=r"x\.yml:2:"):
        listed_groups(b"- targets: []\n  labels: [", "x.yml")


def test_an_empty_yaml_list_has_no_targets() -> None:
    assert listed_groups(b"", "x.yml") == ()
