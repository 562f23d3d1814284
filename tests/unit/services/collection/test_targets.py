"""Targets are made by relabelling as Prometheus makes them."""

import pytest

from qvmon.model.errors import QvmonError
from qvmon.model.labels import Labels
from qvmon.services.collection.statuses import _global
from qvmon.services.collection.target import discovered_labels, target_from
from qvmon.services.collection.views import Health
from qvmon.wire.prometheus_config import decode_prometheus_config
from qvmon.wire.prometheus_scrape import ScrapeConfig
from tests.unit.services.collection.memory import JOB, MemoryTargets, World, config, job, world


def scrape_config(more: str = "") -> ScrapeConfig:
    return decode_prometheus_config(job(more), "p.yml", {}).scrape_configs[0]


def target(more: str = "", **labels: str):
    found = scrape_config(more)
    return target_from(found, discovered_labels(found, labels or {"__address__": "a:1"}, {}))


def test_a_target_has_job_and_instance() -> None:
    made = target()
    assert made.labels == Labels(job="j", instance="a:1")
    assert made.url == "http://a:1/metrics"
    assert (made.interval_ms, made.timeout_ms) == (10_000, 5_000)


def test_discovered_labels_are_those_before_relabelling() -> None:
    assert target(__address__="a:1", __meta_x="y").discovered == Labels(
        __address__="a:1",
        __meta_x="y",
        __metrics_path__="/metrics",
        __scheme__="http",
        __scrape_interval__="10s",
        __scrape_timeout__="5s",
        job="j",
    )


def test_a_targets_own_labels_win_over_its_groups_and_those_over_the_jobs() -> None:
    labels = discovered_labels(
        scrape_config(), {"__address__": "a:1", "x": "own"}, {"x": "group", "job": "theirs"}
    )
    assert (labels["x"], labels["job"]) == ("own", "theirs")


def test_relabelling_decides_address_scheme_path_and_timing() -> None:
    made = target(
        """
relabel_configs:
- {target_label: __address__, replacement: 'b:2'}
- {target_label: __scheme__, replacement: https}
- {target_label: __metrics_path__, replacement: /probe}
- {target_label: __param_module, replacement: icmp}
- {target_label: __scrape_interval__, replacement: 1m30s}
- {target_label: __scrape_timeout__, replacement: 20s}
- {source_labels: [__meta_zone], target_label: zone}
""",
        __address__="a:1",
        __meta_zone="z",
    )
    assert made.url == "https://b:2/probe?module=icmp"
    assert (made.interval_ms, made.timeout_ms) == (90_000, 20_000)
    assert made.labels == Labels(job="j", instance="b:2", zone="z")


def test_parameters_come_from_the_job_and_relabelling_changes_the_first() -> None:
    made = target(
        """
params: {match: ['{a="b"}', c], b: [x]}
relabel_configs:
- {source_labels: [__param_match], target_label: __param_match, replacement: 'new $1'}
"""
    )
    assert made.url == "http://a:1/metrics?b=x&match=new+%7Ba%3D%22b%22%7D&match=c"


def test_an_instance_label_that_is_set_stays() -> None:
    assert target(__address__="a:1", instance="i").labels["instance"] == "i"


def test_no_reserved_label_is_left() -> None:
    assert not [name for name in target(__address__="a:1", __tmp_x="y").labels if "__" in name]


def test_a_dropped_target_is_none() -> None:
    assert target("relabel_configs: [{source_labels: [job], regex: j, action: drop}]") is None


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("{target_label: __address__, replacement: ''}", "no address"),
        ("{target_label: __address__, replacement: 'http://a/'}", "not a valid hostname"),
        ("{target_label: __scrape_interval__, replacement: soon}", "error parsing scrape interval"),
        ("{target_label: __scrape_interval__, replacement: 0s}", "scrape interval cannot be 0"),
        ("{target_label: __scrape_timeout__, replacement: 11s}", "cannot be greater than"),
    ],
)
def test_what_is_no_target_is_refused(rule: str, sentence: str) -> None:
    with pytest.raises(QvmonError, match=sentence):
        target(f"relabel_configs: [{rule}]")


async def test_the_view_shows_active_and_dropped_targets() -> None:
    pages = {f"http://{name}:1/metrics": "m 1\n" for name in ("b", "localhost")}
    around = World(targets=MemoryTargets(pages))
    text = (
        JOB.replace("'a:1'", "'localhost:1', 'b:1', 'gone:1', 'http://x'")
        + """
  relabel_configs: [{source_labels: [__address__], regex: gone.*, action: drop}]
"""
    )
    async with around.running(config(text)) as service:
        early = service.targets()
        await around.clock.advance(10)
        view = service.targets()
    assert {status.health for status in early.active} == {Health.UNKNOWN}
    assert [status.scrape_url for status in view.active] == [
        "http://b:1/metrics",
        "http://localhost:1/metrics",
    ]
    first, second = view.active
    assert (first.health, first.scrape_pool, first.labels) == (
        Health.UP,
        "j",
        Labels(job="j", instance="b:1"),
    )
    assert first.discovered_labels["__address__"] == "b:1"
    assert (first.scrape_interval_seconds, first.scrape_timeout_seconds) == (10.0, 5.0)
    assert first.last_scrape_ms == around.sink.of("up", instance="b:1")[0][0]
    assert second.global_url == "http://host:1/metrics"
    assert [(each.discovered_labels["__address__"], each.reason) for each in view.dropped] == [
        ("gone:1", ""),
        ("http://x", '"http://x" is not a valid hostname'),
    ]


async def test_kept_dropped_targets_are_limited() -> None:
    around = world("m 1\n")
    text = (
        JOB.replace("'a:1'", "'x:1', 'y:1', 'z:1'")
        + """
  keep_dropped_targets: 2
  relabel_configs: [{action: drop}]
"""
    )
    async with around.running(config(text)) as service:
        view = service.targets()
    assert view.active == []
    assert len(view.dropped) == 2


async def test_a_target_given_twice_is_scraped_once() -> None:
    around = world("m 1\n")
    async with around.running(config(JOB.replace("'a:1'", "'a:1', 'a:1'"))) as service:
        await around.clock.advance(10)
        active = service.targets().active
    assert len(active) == 1
    assert around.sink.values("m") == [1.0]


@pytest.mark.parametrize(
    ("instance", "shown"),
    [
        ("host", "http://host:9/m"),
        ("host:9090", "http://host:9/m"),
        ("127.0.0.1:9090", "http://127.0.0.1:9/m"),
        ("", "http://127.0.0.1:9/m"),
    ],
)
def test_loopback_is_shown_to_others_as_this_host(instance: str, shown: str) -> None:
    assert _global("http://127.0.0.1:9/m", instance) == shown
    assert _global("http://there:9/m", instance) == "http://there:9/m"
