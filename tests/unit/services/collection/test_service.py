"""Collection scrapes as Prometheus does, driven by a clock that jumps."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.services.collection import CollectionConfig, CollectionService, Health
from qvmon.testing.clock import JumpingClock
from qvmon.wire.prometheus_config import decode_prometheus_config
from tests.unit.services.collection.memory import MemoryFiles, MemorySink, MemoryTargets, in_turn

URL = "http://a:1/metrics"
JOB = """
scrape_configs:
- job_name: j
  scrape_interval: 10s
  scrape_timeout: 5s
  static_configs: [{targets: ['a:1']}]
"""


def config(text: str = JOB) -> CollectionConfig:
    jobs = decode_prometheus_config(text, "prometheus.yml", {}).scrape_configs
    return CollectionConfig(jobs=jobs, instance="host")


def job(more: str) -> str:
    return JOB + "".join(f"  {line}\n" for line in more.strip().splitlines())


@dataclass
class World:
    """A running collection with everything around it in memory."""

    sink: MemorySink = field(default_factory=MemorySink)
    targets: MemoryTargets = field(default_factory=MemoryTargets)
    files: MemoryFiles = field(default_factory=MemoryFiles)
    clock: JumpingClock = field(default_factory=JumpingClock)
    registry: Registry = field(default_factory=Registry)
    local: tuple = ()

    @asynccontextmanager
    async def running(self, configuration: CollectionConfig) -> AsyncIterator[CollectionService]:
        service = CollectionService(
            configuration,
            self.sink,
            self.targets,
            self.clock,
            self.registry,
            files=self.files,
            local=self.local,
        )
        await service.start()
        try:
            yield service
        finally:
            await service.stop()


def world(*answers: object) -> World:
    return World(targets=MemoryTargets({URL: in_turn(answers)}))


async def test_a_target_is_scraped_once_in_every_interval() -> None:
    around = world("m 1\n")
    async with around.running(config()):
        await around.clock.advance(60)
    assert around.sink.values("m", job="j", instance="a:1") == [1.0] * 6
    times = [time for time, _ in around.sink.of("m")]
    assert {b - a for a, b in zip(times, times[1:], strict=False)} == {10_000}


async def test_every_scrape_reports_up_and_its_companions() -> None:
    around = world("m 1\nn 2\n")
    async with around.running(config()):
        await around.clock.advance(20)
    assert around.sink.values("up", job="j", instance="a:1") == [1.0, 1.0]
    assert around.sink.values("scrape_samples_scraped") == [2.0, 2.0]
    assert around.sink.values("scrape_samples_post_metric_relabeling") == [2.0, 2.0]
    assert around.sink.values("scrape_series_added") == [2.0, 0.0]
    assert around.sink.values("scrape_duration_seconds") == [0.0, 0.0]
    assert "scrape_timeout_seconds" not in around.sink.names()


async def test_extra_scrape_metrics_are_written_when_asked_for() -> None:
    around = world("m 1\n")
    async with around.running(config(job("extra_scrape_metrics: true\nsample_limit: 7"))):
        await around.clock.advance(10)
    assert around.sink.values("scrape_timeout_seconds") == [5.0]
    assert around.sink.values("scrape_sample_limit") == [7.0]
    assert around.sink.values("scrape_body_size_bytes") == [4.0]


async def test_a_series_that_vanishes_is_marked_stale_at_the_time_of_that_scrape() -> None:
    around = world("m 1\nn 1\n", "m 2\n", "m 3\n", "m 4\nn 4\n")
    async with around.running(config()):
        await around.clock.advance(40)
    assert around.sink.values("m") == [1.0, 2.0, 3.0, 4.0]
    assert around.sink.values("n") == [1.0, "stale", 4.0]
    assert around.sink.of("n")[1][0] == around.sink.of("m")[1][0]
    assert around.sink.values("scrape_series_added") == [2.0, 0.0, 0.0, 1.0]


async def test_a_failed_scrape_ends_every_series_and_reports_down() -> None:
    refused = QvmonError(ErrorKind.UNAVAILABLE, f'Get "{URL}": connection refused')
    around = world("m 1\n", refused, refused, "m 2\n")
    async with around.running(config()) as service:
        await around.clock.advance(30)
        (status,) = service.targets().active
        await around.clock.advance(10)
        (later,) = service.targets().active
    assert around.sink.values("m") == [1.0, "stale", 2.0]
    assert around.sink.values("up") == [1.0, 0.0, 0.0, 1.0]
    assert (status.health, status.last_error) == (Health.DOWN, refused.message)
    assert (later.health, later.last_error) == (Health.UP, "")
