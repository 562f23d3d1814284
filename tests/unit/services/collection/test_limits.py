"""What exceeds a limit fails its scrape, as in Prometheus, and says which limit."""

import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.services.collection import metrics
from tests.unit.services.collection.memory import JOB, MemoryTargets, World, config, job, world

LIMITS = [
    ("sample_limit: 1", "m 1\nn 2\n", "sample_limit exceeded (samples: 2, limit: 1)"),
    (
        "label_limit: 3",
        'm{a="b"} 1\n',
        "label_limit exceeded (metric: m, number of labels: 4, limit: 3)",
    ),
    (
        "label_name_length_limit: 8",
        'm{lengthyname="b"} 1\n',
        (
            "label_name_length_limit exceeded "
            "(metric: m, label name: lengthyname, length: 11, limit: 8)"
        ),
    ),
    (
        "label_value_length_limit: 4",
        'm{a="lengthy"} 1\n',
        (
            'label_value_length_limit exceeded (metric: m, label name: a, value: "lengthy", '
            "length: 7, limit: 4)"
        ),
    ),
]


@pytest.mark.parametrize(("limit", "page", "sentence"), LIMITS)
async def test_a_limit_fails_the_scrape_and_is_named(limit: str, page: str, sentence: str) -> None:
    around = world(page)
    async with around.running(config(job(limit))) as service:
        await around.clock.advance(10)
        (status,) = service.targets().active
    assert status.last_error == sentence
    assert around.sink.values("up") == [0.0]
    assert around.sink.values("m") == []
    assert around.counted(metrics.LIMITED_SCRAPES, "j") == 1


async def test_the_sample_limit_is_reported_with_what_was_there() -> None:
    around = world("m 1\n", "m 2\nn 2\no 2\n", "m 3\n")
    async with around.running(config(job("sample_limit: 2"))):
        await around.clock.advance(30)
    assert around.sink.values("m") == [1.0, "stale", 3.0]
    assert around.sink.values("n") == []
    assert around.sink.values("scrape_samples_scraped") == [1.0, 3.0, 1.0]
    assert around.sink.values("scrape_samples_post_metric_relabeling") == [1.0, 3.0, 1.0]


async def test_dropped_samples_do_not_count_for_the_sample_limit() -> None:
    around = world("m 1\nbad_a 2\nbad_b 2\n")
    more = """
sample_limit: 1
metric_relabel_configs: [{source_labels: [__name__], regex: bad_.*, action: drop}]
"""
    async with around.running(config(job(more))):
        await around.clock.advance(20)
    assert around.sink.values("m") == [1.0, 1.0]


async def test_a_limit_that_is_not_reached_fails_nothing() -> None:
    around = world('m{a="b"} 1\n')
    more = (
        "sample_limit: 1\nlabel_limit: 4\nlabel_name_length_limit: 8\nlabel_value_length_limit: 3"
    )
    async with around.running(config(job(more))):
        await around.clock.advance(10)
    assert around.sink.values("up") == [1.0]


async def test_the_target_limit_forbids_every_target_of_the_job() -> None:
    pages = {f"http://{name}:1/metrics": "m 1\n" for name in "ab"}
    around = World(targets=MemoryTargets(pages))
    two = JOB.replace("'a:1'", "'a:1', 'b:1'")
    async with around.running(config(two + "  target_limit: 1\n")) as service:
        await around.clock.advance(10)
        errors = {status.last_error for status in service.targets().active}
        await service.apply(config(JOB + "  target_limit: 1\n"))
        await around.clock.advance(10)
    assert errors == {"target_limit exceeded (number of targets: 2, limit: 1)"}
    assert around.sink.values("up", instance="b:1")[0] == 0.0
    assert around.sink.values("m", instance="a:1") == [1.0]


async def test_the_body_size_limit_is_passed_on_and_reported() -> None:
    around = world(QvmonError(ErrorKind.EXHAUSTED, "too much"))
    async with around.running(
        config(job("body_size_limit: 1KB\nextra_scrape_metrics: true"))
    ) as service:
        await around.clock.advance(10)
        (status,) = service.targets().active
    assert around.targets.requests[0].max_response_bytes == 1023
    assert status.last_error == "body size limit exceeded (too much)"
    assert around.sink.values("scrape_body_size_bytes") == [-1.0]


async def test_no_job_may_have_larger_bodies_than_the_process() -> None:
    around = world("m 1\n")
    async with around.running(config(job("body_size_limit: 1GB"), max_body_bytes=5000)):
        await around.clock.advance(10)
    assert around.targets.requests[0].max_response_bytes == 5000


async def test_a_series_without_a_name_fails_the_scrape() -> None:
    around = world("m 1\n")
    more = "metric_relabel_configs: [{regex: __name__, action: labeldrop}]"
    async with around.running(config(job(more))) as service:
        await around.clock.advance(10)
        (status,) = service.targets().active
    assert status.last_error == "missing metric name (__name__ label)"


async def test_a_series_that_loses_every_label_is_dropped() -> None:
    around = world("m 1\n")
    more = "metric_relabel_configs: [{regex: .*, action: labeldrop}]"
    async with around.running(config(job(more))):
        await around.clock.advance(10)
    assert around.sink.values("scrape_samples_post_metric_relabeling") == [0.0]


async def test_a_label_bomb_fails_its_scrape_only() -> None:
    bomb = "m{" + ",".join(f'l{n}="x"' for n in range(5000)) + "} 1\n"
    around = world(bomb, "m 1\n")
    async with around.running(config(job("label_limit: 50"))):
        await around.clock.advance(20)
    assert around.sink.values("up") == [0.0, 1.0]
    assert around.sink.values("m") == [1.0]


@pytest.mark.parametrize(
    "page",
    [
        'm{a="' + "x" * (10 << 20) + '"} 1\n',
        "m{" + ",".join(f'l{n}="x"' for n in range(200_000)) + "} 1\n",
    ],
    ids=["10 MB value", "200,000 labels"],
)
async def test_a_series_too_long_for_anybody_fails_its_scrape_whatever_the_job_allows(page) -> None:
    around = world(page, "m 1\n")
    async with around.running(config()) as service:
        await around.clock.advance(10)
        (status,) = service.targets().active
        await around.clock.advance(10)
    assert "and at most 65536 are allowed" in status.last_error
    assert around.sink.values("up") == [0.0, 1.0]
    assert around.sink.values("m") == [1.0]


async def test_a_broken_line_of_10_mb_fails_its_scrape_with_a_short_error() -> None:
    around = world("x" * (10 << 20), "m 1\n")
    async with around.running(config()) as service:
        await around.clock.advance(10)
        (status,) = service.targets().active
        await around.clock.advance(10)
    assert "line 1" in status.last_error
    assert len(status.last_error) < 300
    assert around.sink.values("up") == [0.0, 1.0]
