"""The service as a whole: reloading, local sources, remote writes, the first round."""

import asyncio
import threading

import numpy as np
import pytest

from qvmon.model.access import ANONYMOUS, Role, person
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.metrics import Registry, gauge
from qvmon.model.series import MetricMetadata, SeriesKeys
from qvmon.services.collection import OwnMetrics, metrics
from qvmon.wire.remote_write import Refusal, WriteRequest
from tests.unit.services.collection.memory import (
    JOB,
    URL,
    MemoryTargets,
    World,
    config,
    in_turn,
    job,
    world,
)


async def test_a_reload_that_changes_nothing_disturbs_nothing() -> None:
    around = world("m 1\n")
    async with around.running(config()) as service:
        await around.clock.advance(20)
        await service.apply(config())
        await around.clock.advance(40)
    assert around.sink.values("m") == [1.0] * 6
    assert around.sink.values("scrape_series_added") == [1.0, 0, 0, 0, 0, 0]


async def test_a_reload_of_one_job_leaves_the_other_alone() -> None:
    around = World(targets=MemoryTargets({URL: "m 1\n", "http://b:1/metrics": "m 1\n"}))
    other = "- job_name: k\n  scrape_interval: 10s\n  static_configs: [{targets: ['b:1']}]\n"
    async with around.running(config(JOB + other)) as service:
        await around.clock.advance(20)
        await service.apply(config(job("sample_limit: 5") + other))
        await around.clock.advance(20)
    assert around.sink.values("scrape_series_added", job="k") == [1.0, 0, 0, 0]
    assert around.sink.values("m", job="j") == [1.0] * 4


async def test_a_changed_interval_goes_on_with_the_same_series() -> None:
    around = world("m 1\n")
    async with around.running(config()) as service:
        await around.clock.advance(10)
        await service.apply(config(JOB.replace("10s", "5s")))
        await around.clock.advance(40)
    values = around.sink.values("m")
    assert len(values) >= 8
    assert "stale" not in values
    assert "stale" not in around.sink.values("up")


async def test_a_changed_relabelling_ends_the_series_it_changed_and_only_those() -> None:
    around = world("m 1\nn 1\n")
    rename = """
metric_relabel_configs:
- {source_labels: [__name__], regex: n, target_label: __name__, replacement: o}
"""
    async with around.running(config()) as service:
        await around.clock.advance(10)
        await service.apply(config(job(rename)))
        await around.clock.advance(40)
    assert around.sink.values("n") == [1.0, "stale"]
    assert around.sink.values("o") == [1.0] * 4
    assert "stale" not in around.sink.values("m")
    assert "stale" not in around.sink.values("up")


async def test_a_new_job_is_scraped_and_a_removed_one_is_not() -> None:
    around = World(targets=MemoryTargets({URL: "m 1\n", "http://b:1/metrics": "m 1\n"}))
    async with around.running(config()) as service:
        await around.clock.advance(10)
        await service.apply(config(JOB.replace("job_name: j", "job_name: k").replace("a:1", "b:1")))
        await around.clock.advance(10)
        shown = [status.scrape_pool for status in service.targets().active]
        registry = [f.metric.name for f in around.registry.collect() if list(f.points())]
        jobs = {p.labels["scrape_job"] for p in around.registry.family(metrics.TARGETS).points()}
    assert shown == ["k"]
    assert around.sink.values("m", job="j") == [1.0]
    assert around.sink.values("m", job="k") == [1.0]
    assert jobs == {"k"}
    assert "qvmon_collection_targets" in registry


async def test_a_scrape_under_way_ends_before_a_reload_does() -> None:
    release = asyncio.Event()

    class Slow(MemoryTargets):
        async def send(self, request):
            await release.wait()
            return await super().send(request)

    around = World(targets=Slow({URL: "m 1\n"}))
    async with around.running(config()) as service:
        await around.clock.advance(10)
        applying = asyncio.create_task(service.apply(config("scrape_configs: []")))
        await around.clock.advance(0)
        waited = not applying.done()
        release.set()
        await applying
    assert waited
    assert around.sink.values("m") == [1.0]


async def test_local_sources_are_scraped_like_targets() -> None:
    registry = Registry()
    registry.value(gauge("qvmon_test_things", "Things.")).set(7)
    around = World(local=(OwnMetrics(registry),))
    async with around.running(
        config("scrape_configs: []", local_interval_seconds=5.0, local_timeout_seconds=2.0)
    ) as service:
        await around.clock.advance(5)
        while not service.targets().active[0].last_scrape_ms:
            await around.clock.advance(0)
        (status,) = service.targets().active
    assert around.sink.values("qvmon_test_things", job="qvmon", instance="host") == [7.0]
    assert around.sink.values("up", job="qvmon", instance="host") == [1.0]
    assert status.scrape_pool == "qvmon"


async def test_a_reload_leaves_local_sources_alone() -> None:
    around = World(local=(OwnMetrics(Registry()),))
    async with around.running(config()) as service:
        await service.apply(config("scrape_configs: []"))
        pools = [status.scrape_pool for status in service.targets().active]
    assert pools == ["qvmon"]


async def test_the_first_round_is_done_once_every_target_was_tried() -> None:
    failing = QvmonError(ErrorKind.UNAVAILABLE, "connection refused")
    around = World(targets=MemoryTargets({URL: "m 1\n", "http://b:1/metrics": failing}))
    async with around.running(config(JOB.replace("'a:1'", "'a:1', 'b:1'"))) as service:
        started = service.first_round_done.is_set()
        await around.clock.advance(10)
        tried = service.first_round_done.is_set()
    assert (started, tried) == (False, True)


async def test_the_first_round_does_not_wait_for_ever() -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    around = world("m 1\n")
    around.targets.send = never
    async with around.running(config(first_round_limit_seconds=30)) as service:
        await around.clock.advance(29)
        early = service.first_round_done.is_set()
        await around.clock.advance(1)
        late = service.first_round_done.is_set()
    assert (early, late) == (False, True)


async def test_a_target_that_is_removed_is_not_waited_for_in_the_first_round() -> None:
    around = world("m 1\n")
    async with around.running(config()) as service:
        await service.apply(config("scrape_configs: []"))
        await around.clock.advance(0)
        assert service.first_round_done.is_set()


async def test_a_local_source_has_no_longer_than_its_interval() -> None:
    around = World(local=(OwnMetrics(Registry()),))
    async with around.running(config("scrape_configs: []", local_interval_seconds=1.0)) as service:
        (status,) = service.targets().active
    assert (status.scrape_interval_seconds, status.scrape_timeout_seconds) == (1.0, 1.0)


async def test_without_targets_the_first_round_is_done_at_once() -> None:
    around = World()
    async with around.running(config("scrape_configs: []")) as service:
        await around.clock.advance(0)
        assert service.first_round_done.is_set()


def write_request() -> WriteRequest:
    return WriteRequest(
        keys=SeriesKeys.from_labels([Labels(__name__="m", a="1"), Labels(__name__="n")]),
        rows=np.array([0, 1, 0], np.int64),
        timestamps=np.array([1000, 1000, 2000], np.int64),
        values=np.array([1.0, 2.0, 3.0]),
        metadata=[MetricMetadata("m", "counter")],
        refused=[Refusal(2, 90, "no_metric_name", 2)],
        dropped={"exemplars": 4},
    )


async def test_a_remote_write_is_stored() -> None:
    around = World()
    writer = person("w", frozenset({Role.INGEST}))
    async with around.running(config("scrape_configs: []")) as service:
        result = await service.receive(writer, write_request())
    assert result.accepted == 3
    assert around.sink.of("m", a="1") == [(1000, 1.0), (2000, 3.0)]
    assert around.sink.of("n") == [(1000, 2.0)]
    assert around.sink.metadata["m"].type == "counter"
    assert around.counted(metrics.SAMPLES, "remote_write") == 3
    assert around.counted(metrics.UNSTORED_PARTS, "exemplars") == 4
    assert [p.value for p in around.registry.family(metrics.REFUSED_SAMPLES).points()] == [2]


@pytest.mark.parametrize(
    ("who", "kind"),
    [
        (ANONYMOUS, ErrorKind.UNAUTHENTICATED),
        (person("v", frozenset({Role.VIEWER})), ErrorKind.FORBIDDEN),
    ],
)
async def test_nobody_writes_without_permission(who, kind) -> None:
    around = World()
    async with around.running(config("scrape_configs: []")) as service:
        with pytest.raises(QvmonError) as caught:
            await service.receive(who, write_request())
    assert caught.value.kind is kind
    assert around.sink.samples == {}


async def test_stopping_cancels_a_scrape_under_way() -> None:
    around = world("m 1\n")

    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    around.targets.send = never
    async with around.running(config()):
        await around.clock.advance(10)
    assert around.sink.samples == {}


async def test_what_a_target_says_in_turn_is_heard_in_turn() -> None:
    around = World(targets=MemoryTargets({URL: in_turn([f"m {n}\n" for n in range(5)])}))
    async with around.running(config()):
        await around.clock.advance(50)
    assert around.sink.values("m") == [0.0, 1.0, 2.0, 3.0, 4.0]


class Stuck:
    """A local source that answers only once it is let go."""

    name = "node"

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.asked = 0

    def collect(self) -> bytes:
        self.asked += 1
        self.let_go.wait()
        return b"m 1\n"


async def test_a_local_source_that_is_stuck_is_down_and_not_asked_again() -> None:
    source = Stuck()
    around = World(local=(source,))
    try:
        async with around.running(
            config("scrape_configs: []", local_interval_seconds=1.0, local_timeout_seconds=0.01)
        ) as service:
            for scrape in range(1, 4):
                await around.clock.advance(1)
                while len(around.sink.values("up")) < scrape:
                    await around.clock.advance(0)
            (status,) = service.targets().active
    finally:
        source.let_go.set()
    assert around.sink.values("up", job="node") == [0.0] * 3
    assert status.last_error == "node did not answer in time"
    assert source.asked == 1


async def test_a_job_may_have_the_name_of_a_local_source() -> None:
    around = world("m 1\n")
    around.local = (OwnMetrics(Registry()),)
    text = JOB.replace("job_name: j", "job_name: qvmon")
    async with around.running(config(text)) as service:
        await around.clock.advance(15)
        both = sorted(status.scrape_url for status in service.targets().active)
        await service.apply(config("scrape_configs: []"))
        own = [status.scrape_url for status in service.targets().active]
    assert both == [URL, "local://host/qvmon"]
    assert own == ["local://host/qvmon"]
