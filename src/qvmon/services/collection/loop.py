"""The loop that scrapes one target for as long as the target exists."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import structlog

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Int64s, MetricMetadata, SampleBatch
from qvmon.services.collection import metrics
from qvmon.services.collection.exemplars import ExemplarReader
from qvmon.services.collection.harvest import Harvest, Harvester, joined, stale_batch
from qvmon.services.collection.page import BODY_SIZE_LIMIT, Page, PageSource
from qvmon.services.collection.report import ReportSeries, ScrapeReport
from qvmon.services.collection.schedule import aligned, first_delay, next_planned
from qvmon.services.collection.series_cache import SeriesCache
from qvmon.services.collection.surroundings import Surroundings
from qvmon.services.collection.target import Target
from qvmon.services.collection.unknown import NOT_STORED, reason_of
from qvmon.services.collection.views import Health
from qvmon.wire.prometheus_scrape import ScrapeConfig

_NOTHING = np.empty(0, np.int64)
_INLINE_BYTES = 4 << 20
"""Pages up to this size are compared with the last one in the loop: two milliseconds at most."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LastScrape:
    """How a target's last scrape went."""

    health: Health = Health.UNKNOWN
    error: str = ""
    started_ms: int = 0
    duration_seconds: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class _Attempt:
    harvest: Harvest
    body_bytes: int = 0
    error: str = ""
    reason: str = ""


class ScrapeLoop:
    """Scrapes one target.

    Args:
        target: What is scraped.
        job: How.
        source: Where its pages come from.
        harvester: What makes samples of them.
        around: What all loops share.
    """

    def __init__(
        self,
        target: Target,
        job: ScrapeConfig,
        source: PageSource,
        harvester: Harvester,
        around: Surroundings,
    ) -> None:
        self.target = target
        self.last = LastScrape()
        self.tried = asyncio.Event()
        self.forbidden = ""
        self._harvester = harvester
        self._exemplars = ExemplarReader(harvester.path, around.exemplars, around.registry)
        self._job = job
        self._source = source
        self._around = around
        self._interval_ns = target.interval_ms * 1_000_000
        self._report: ReportSeries | None = None
        self._task: asyncio.Task[None] | None = None
        self._waiting = False
        self._stopping = False
        self.next_ns = 0

    @property
    def cache(self) -> SeriesCache:
        """What the target exposed."""
        return self._harvester.cache

    @property
    def metadata(self) -> Sequence[MetricMetadata]:
        """What the last page said about its metrics."""
        return self._harvester.metadata

    def start(self) -> None:
        """Begin scraping."""
        self._task = asyncio.create_task(self._run(), name=f"scrape {self.target.url}")

    async def stop(self, *, at_once: bool = False) -> None:
        """Return once nothing more is scraped; a scrape under way ends first unless ``at_once``."""
        self._stopping = True
        self.tried.set()
        if self._task is None:
            return
        if self._waiting or at_once:
            self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def scrape(self, started_ns: int) -> None:
        """Scrape once; the samples bear the time ``started_ns``."""
        began, at_ms = self._around.clock.monotonic(), started_ns // 1_000_000
        attempt = await self._attempt(at_ms)
        duration = self._around.clock.monotonic() - began
        health = Health.DOWN if attempt.error else Health.UP
        self.last = LastScrape(health, attempt.error, at_ms, duration)
        harvest = attempt.harvest
        report = ScrapeReport(
            health is Health.UP,
            duration,
            harvest.scraped,
            harvest.kept,
            harvest.series_added,
            attempt.body_bytes,
        )
        if self._report is None:
            self._report = ReportSeries(self.target, self._job, self._around.sink)
        await self._append(joined(harvest.batch, self._report.samples(report, at_ms)))
        self._observe(at_ms, attempt.reason)
        self._count(health, harvest.stale, self._around.clock.monotonic() - began)

    def _observe(self, at_ms: int, reason: str) -> None:
        observations = self._around.observations
        if reason:
            observations.failed(self.target, at_ms, reason)
        else:
            observations.good(self.target, at_ms)

    async def end(self, at_ms: int, still_alive: Int64s) -> None:
        """Mark the end of every series of the last scrape but those in ``still_alive``."""
        series = np.setdiff1d(self.live_ids(), still_alive)
        if len(series):
            await self._append(stale_batch(series, at_ms))

    def live_ids(self) -> Int64s:
        """Return the ids of the series that the last scrape left alive, its report's included."""
        report = self._report.ids if self._report else _NOTHING
        return np.concatenate([self.cache.tracked_ids(), report])

    async def _run(self) -> None:
        spread = self.target.spread ^ self._around.seed
        now = self._around.clock.now_ns()
        planned = now + first_delay(now, self._interval_ns, spread)
        if self._around.first_scrape_within_ns:
            early = now + spread % self._around.first_scrape_within_ns
            if early < planned:
                await self._scrape_at(early)
        while not self._stopping:
            started = await self._scrape_at(planned)
            planned = next_planned(started, planned, self._interval_ns)

    async def _scrape_at(self, planned: int) -> int:
        """Scrape at a planned time; return the time that the samples bear, nanoseconds."""
        await self._wait_until(planned)
        now = self._around.clock.now_ns()
        self._around.registry.distribution(metrics.SCRAPE_LATENESS).observe((now - planned) / 1e9)
        started = aligned(now, planned, self._interval_ns)
        self.next_ns = next_planned(started, planned, self._interval_ns)
        await self._guarded_scrape(started)
        return started

    async def _wait_until(self, planned_ns: int) -> None:
        self._waiting = True
        try:
            await self._around.clock.sleep(max(0, planned_ns - self._around.clock.now_ns()) / 1e9)
        finally:
            self._waiting = False

    async def _guarded_scrape(self, started_ns: int) -> None:
        try:
            await self.scrape(started_ns)
        except QvmonError as error:
            self._note(error.message, started_ns)
        except Exception as error:  # noqa: BLE001 - one target's failure must not end its loop
            self._around.registry.value(metrics.DEFECTS).add()
            self._note(f"internal error: {error!r}", started_ns)
        finally:
            self.tried.set()

    async def _attempt(self, at_ms: int) -> _Attempt:
        """Return what one scrape yields; every mistake of the target is part of the answer."""
        body_bytes = 0
        try:
            page = await self._page()
            body_bytes = len(page.body)
            return _Attempt(await self._harvest(page, at_ms), body_bytes)
        except QvmonError as error:
            return self._failed(error, at_ms, body_bytes)
        except Exception as error:
            self._around.registry.value(metrics.DEFECTS).add()
            log.exception("scrape failed by a defect", target=self.target.url)
            defect = QvmonError(ErrorKind.INTERNAL, f"internal error: {error!r}")
            return self._failed(defect, at_ms, body_bytes)

    async def _page(self) -> Page:
        if self.forbidden:
            raise QvmonError(ErrorKind.EXHAUSTED, self.forbidden, limit="target_limit")
        return await self._source.page()

    async def _harvest(self, page: Page, at_ms: int) -> Harvest:
        if len(page.body) <= _INLINE_BYTES:
            harvest = self._harvester.repeat(page, at_ms)
        else:
            harvest = await asyncio.to_thread(self._harvester.repeat, page, at_ms)
        return harvest or await self._harvest_anew(page, at_ms)

    async def _harvest_anew(self, page: Page, at_ms: int) -> Harvest:
        # new series cost about ten times as much as known ones
        cost = len(page.body) * (1 if len(self.cache) else 10)
        if cost >= self._around.threaded_body_bytes:
            reading = await asyncio.to_thread(self._harvester.read, page)
        else:
            reading = self._harvester.read(page)
        self._around.sink.describe(self._harvester.news(reading.exposition))
        ids = self._around.sink.series_ids(reading.new.keys) if len(reading.new.keys) else _NOTHING
        self._exemplars.read(reading.exposition, at_ms)
        return self._harvester.settle(reading, ids, at_ms)

    def _failed(self, error: QvmonError, at_ms: int, body_bytes: int) -> _Attempt:
        if error.kind is ErrorKind.EXHAUSTED:
            self._around.registry.value(metrics.LIMITED_SCRAPES, self.target.job).add()
        too_large = error.context.get("limit") == BODY_SIZE_LIMIT
        scraped, kept = (_count_in(error, name) for name in ("scraped", "kept"))
        harvest = self._harvester.fail(at_ms, scraped, kept)
        return _Attempt(harvest, -1 if too_large else body_bytes, error.message, reason_of(error))

    async def _append(self, batch: SampleBatch) -> None:
        result = await self._around.sink.append(batch)
        self._around.registry.value(metrics.SAMPLES, "scrape").add(result.accepted)
        for reason, rows in result.refused.items():
            self._around.registry.value(metrics.REFUSED_SAMPLES, reason, self.target.job).add(
                len(rows)
            )

    def _count(self, health: Health, stale: int, seconds: float) -> None:
        self._around.registry.value(metrics.SCRAPES, self.target.job, health.value).add()
        self._around.registry.value(metrics.STALE_MARKERS).add(stale)
        self._around.registry.distribution(metrics.SCRAPE_DURATION).observe(seconds)

    def _note(self, error: str, started_ns: int) -> None:
        """Remember a failure that is not the target's."""
        self.last = LastScrape(Health.DOWN, error, started_ns // 1_000_000)
        with suppress(QvmonError):  # a store that is closed takes no intervals either
            self._around.observations.failed(self.target, started_ns // 1_000_000, NOT_STORED)
        log.error("scrape lost", target=self.target.url, job=self.target.job, error=error)


def _count_in(error: QvmonError, name: str) -> int:
    count = error.context.get(name, 0)
    return count if isinstance(count, int) else 0
