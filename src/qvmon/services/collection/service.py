"""Collection: what is scraped and received becomes samples in the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from qvmon.model.access import Permission, Principal
from qvmon.model.clock import Clock, now_ms
from qvmon.model.exemplars import ExemplarSink
from qvmon.model.metrics import Registry
from qvmon.model.ports import AppendResult, OutboundClient, SampleSink
from qvmon.services.collection import metrics
from qvmon.services.collection.config import CollectionConfig
from qvmon.services.collection.discovery import FileTargets, TargetGroup, static_groups
from qvmon.services.collection.loop import ScrapeLoop
from qvmon.services.collection.observations import Observations
from qvmon.services.collection.page import HttpPages, LocalPages, PageSource
from qvmon.services.collection.pool import Pages, ScrapePool
from qvmon.services.collection.ports import FileStore, LocalMetrics, UnknownLog
from qvmon.services.collection.quotas import SenderStatus
from qvmon.services.collection.receiving import Receiving
from qvmon.services.collection.statuses import status_of
from qvmon.services.collection.surroundings import Surroundings
from qvmon.services.collection.target import Target, stable_number
from qvmon.services.collection.views import TargetsView
from qvmon.wire.prometheus_scrape import ScrapeConfig, StaticConfig
from qvmon.wire.remote_write import WriteRequest

log = structlog.get_logger(__name__)


class CollectionService:
    """Scrapes targets and receives remote writes.

    Args:
        config: What is scraped.
        sink: Where samples go.
        client: How targets are reached.
        clock: When.
        registry: Where the service counts.
        exemplars: Where exemplars go.
        unknown: Where is written down what could not be observed.
        files: Where target lists and credentials are read.
        local: Sources in this process, scraped like targets.
    """

    def __init__(
        self,
        config: CollectionConfig,
        sink: SampleSink,
        client: OutboundClient,
        clock: Clock,
        registry: Registry,
        *,
        unknown: UnknownLog,
        exemplars: ExemplarSink,
        files: FileStore,
        local: Sequence[LocalMetrics] = (),
    ) -> None:
        self.first_round_done = asyncio.Event()
        self._config = config
        self._sink = sink
        self._client = client
        self._files = files
        self._clock = clock
        self._registry = registry
        self._local = tuple(local)
        self._around = Surroundings(
            sink,
            clock,
            registry,
            Observations(unknown),
            exemplars,
            seed=stable_number(config.spread_seed.encode()),
            threaded_body_bytes=config.threaded_body_bytes,
            max_series_bytes=config.max_series_bytes,
            first_scrape_within_ns=int(1e9 * (config.first_scrape_within_seconds or 0)),
        )
        self._receiving = Receiving(
            config, sink, clock, registry, exemplars=exemplars, unknown=unknown
        )
        self._looking: asyncio.Task[None] | None = None
        self._pools: dict[str, ScrapePool] = {}
        self._own_pools: list[ScrapePool] = []
        self._discoveries: dict[str, list[FileTargets]] = {}
        self._watchers: dict[str, list[asyncio.Task[None]]] = {}
        self._applying = asyncio.Lock()
        self._first_round: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin scraping; returns once every loop runs, not once it has scraped."""
        self._around.observations.resume()
        self._receiving.resume()
        self._looking = asyncio.create_task(self._receiving.watch())
        for source in self._local:
            job = self._local_job(source.name)
            self._own_pools.append(ScrapePool(job, self._pages_of(source), self._around))
            await self._own_pools[-1].sync(static_groups(job))
        for job in self._config.jobs:
            await self._add(job)
        self._first_round = asyncio.create_task(self._await_first_round())

    async def stop(self) -> None:
        """End every loop; nothing is marked as ended, for the process will be back."""
        tasks = [task for watchers in self._watchers.values() for task in watchers]
        tasks += [*self._around.endings]
        tasks += [each for each in (self._first_round, self._looking) if each]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(pool.stop() for pool in self._all_pools()))

    async def apply(self, config: CollectionConfig) -> None:
        """Go on with another configuration; targets that it does not touch are not disturbed."""
        async with self._applying:
            await self._apply(config)

    async def _apply(self, config: CollectionConfig) -> None:
        before = {job.job_name: job for job in self._config.jobs}
        after = {job.job_name: job for job in config.jobs}
        self._config = config
        for name in before.keys() - after.keys():
            await self._remove(name)
        for name, job in after.items():
            if name not in before:
                await self._add(job)
            elif job != before[name]:
                await self._reload(job)

    def targets(self) -> TargetsView:
        """Return every target, ordered by job and URL."""
        pools = sorted(self._all_pools(), key=lambda pool: pool.job.job_name)
        return TargetsView(
            [status_of(loop, self._config.instance) for pool in pools for loop in pool.loops()],
            [
                each
                for pool in pools
                for each in pool.dropped[: pool.job.keep_dropped_targets or None]
            ],
            {pool.job.job_name: pool.job.target_rules for pool in pools},
        )

    def senders(self) -> list[SenderStatus]:
        """Return what became of what each remote writer sent since the process began."""
        return self._receiving.senders()

    async def decode(self, body: bytes, content_encoding: str, max_bytes: int) -> WriteRequest:
        """Return what a remote writer sent.

        Raises:
            QvmonError: INVALID for what is no request, EXHAUSTED when it is more than
                ``max_bytes``, UNSUPPORTED for another encoding.
        """
        return await self._receiving.decode(body, content_encoding, max_bytes)

    async def receive(
        self, principal: Principal, request: WriteRequest, sender: str = ""
    ) -> AppendResult:
        """Store what a remote writer sent; returns once it is durable.

        Args:
            principal: Who it is.
            request: What it sent.
            sender: Who it is counted as, by default the principal's name.

        Raises:
            QvmonError: FORBIDDEN or UNAUTHENTICATED without the permission to write telemetry,
                EXHAUSTED with ``retry_after_seconds`` when it is more than the sender may send.
        """
        principal.require(Permission.WRITE_TELEMETRY)
        return await self._receiving.store(sender or principal.name, request)

    async def _add(self, job: ScrapeConfig) -> None:
        self._pools[job.job_name] = ScrapePool(job, self._http_pages, self._around)
        await self._discover(job)
        await self._pools[job.job_name].sync(self._groups(job))

    async def _reload(self, job: ScrapeConfig) -> None:
        self._forget_discoveries(job.job_name)
        await self._discover(job)
        await self._pools[job.job_name].reload(job, self._groups(job))

    async def _remove(self, name: str) -> None:
        self._forget_discoveries(name)
        await self._pools.pop(name).remove()

    async def _discover(self, job: ScrapeConfig) -> None:
        name = job.job_name
        lists = [FileTargets(each, self._files) for each in job.file_sd_configs]
        self._discoveries[name] = lists
        for each in lists:
            await each.refresh()
        self._count_unreadable(job)
        self._watchers[name] = [
            asyncio.create_task(self._watch(job, each, interval.refresh_interval_ms / 1000))
            for each, interval in zip(lists, job.file_sd_configs, strict=True)
        ]

    def _forget_discoveries(self, name: str) -> None:
        for task in self._watchers.pop(name, []):
            task.cancel()
        self._discoveries.pop(name, None)
        self._registry.family(metrics.UNREADABLE_FILES).forget(name)

    async def _watch(self, job: ScrapeConfig, lists: FileTargets, seconds: float) -> None:
        while True:
            await self._clock.sleep(seconds)
            try:
                await self._refresh(job, lists)
            except Exception:
                self._registry.value(metrics.DEFECTS).add()
                log.exception("target lists are not refreshed", job=job.job_name)

    async def _refresh(self, job: ScrapeConfig, lists: FileTargets) -> None:
        changed = await lists.refresh()
        self._count_unreadable(job)
        if changed:
            await self._pools[job.job_name].sync(self._groups(job))

    def _groups(self, job: ScrapeConfig) -> list[TargetGroup]:
        listed = self._discoveries.get(job.job_name, [])
        return [*static_groups(job), *(group for each in listed for group in each.groups())]

    def _count_unreadable(self, job: ScrapeConfig) -> None:
        if not job.file_sd_configs:
            return
        problems = [
            text for each in self._discoveries[job.job_name] for text in each.problems.values()
        ]
        self._registry.value(metrics.UNREADABLE_FILES, job.job_name).set(len(problems))
        for text in problems:
            log.warning("target list is not used", job=job.job_name, error=text)

    def _http_pages(self, target: Target, job: ScrapeConfig) -> PageSource:
        return HttpPages(target, job, self._client, self._files, self._config.max_body_bytes)

    def _pages_of(self, source: LocalMetrics) -> Pages:
        pages = LocalPages(source, self._config.local_timeout_seconds)
        return lambda _target, _job: pages

    def _all_pools(self) -> list[ScrapePool]:
        return [*self._own_pools, *self._pools.values()]

    def _local_job(self, name: str) -> ScrapeConfig:
        interval, timeout = self._config.local_interval_seconds, self._config.local_timeout_seconds
        return ScrapeConfig(
            job_name=name,
            scheme="local",
            metrics_path=f"/{name}",
            scrape_interval_ms=int(interval * 1000),
            scrape_timeout_ms=int(min(interval, timeout) * 1000),
            static_configs=(StaticConfig(targets=(self._config.instance,)),),
        )

    async def _await_first_round(self) -> None:
        loops = [loop for pool in self._all_pools() for loop in pool.loops()]
        tried = asyncio.create_task(_all_tried(loops))
        limit = asyncio.create_task(_slept(self._clock, self._config.first_round_limit_seconds))
        try:
            await asyncio.wait([tried, limit], return_when=asyncio.FIRST_COMPLETED)
        finally:
            tried.cancel()
            limit.cancel()
        targets = [loop.target for pool in self._all_pools() for loop in pool.loops()]
        self._around.observations.settle(targets, now_ms(self._clock))
        self.first_round_done.set()


async def _all_tried(loops: Sequence[ScrapeLoop]) -> None:
    for loop in loops:
        await loop.tried.wait()


async def _slept(clock: Clock, seconds: float) -> None:
    await clock.sleep(seconds)
