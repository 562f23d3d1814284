"""The loops of one job: started, kept and ended as its targets come, stay and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import structlog

from qvmon.model.clock import now_ms
from qvmon.model.errors import QvmonError
from qvmon.model.labels import Labels
from qvmon.services.collection import metrics
from qvmon.services.collection.discovery import TargetGroup
from qvmon.services.collection.harvest import Harvester
from qvmon.services.collection.loop import ScrapeLoop
from qvmon.services.collection.page import PageSource
from qvmon.services.collection.sample_labels import LabelPath
from qvmon.services.collection.series_cache import SeriesCache
from qvmon.services.collection.surroundings import Surroundings
from qvmon.services.collection.target import Target, discovered_labels, target_from
from qvmon.services.collection.views import DroppedTarget
from qvmon.wire.prometheus_scrape import ScrapeConfig

Key = tuple[Labels, str, int, int]
Pages = Callable[[Target, ScrapeConfig], PageSource]

log = structlog.get_logger(__name__)

_NOTHING = np.empty(0, np.int64)
_BESIDE_THE_SERIES = {
    "scrape_interval_ms",
    "scrape_timeout_ms",
    "sample_limit",
    "target_limit",
    "body_size_limit_bytes",
    "static_configs",
    "file_sd_configs",
    "basic_auth",
    "authorization",
    "bearer_token",
    "bearer_token_file",
    "tls_config",
    "http_headers",
}


class ScrapePool:
    """The targets of one job.

    Args:
        job: Its configuration.
        pages: What makes the page source of a target.
        around: What all pools share.
    """

    def __init__(self, job: ScrapeConfig, pages: Pages, around: Surroundings) -> None:
        self.job = job
        self.dropped: list[DroppedTarget] = []
        self._pages = pages
        self._around = around
        self._loops: dict[Key, ScrapeLoop] = {}

    def loops(self) -> list[ScrapeLoop]:
        """Return the loops, ordered by URL."""
        return sorted(self._loops.values(), key=lambda loop: loop.target.url)

    async def sync(self, groups: Iterable[TargetGroup]) -> None:
        """Scrape exactly the targets of ``groups``; those that stay are not disturbed."""
        targets = {target.key: target for target in self._targets(groups)}
        gone = [self._loops.pop(key) for key in self._loops.keys() - targets.keys()]
        for key in targets.keys() - self._loops.keys():
            self._begin(targets[key], SeriesCache())
        self._apply_target_limit()
        self._count()
        await self._retire(gone)

    async def reload(self, job: ScrapeConfig, groups: Iterable[TargetGroup]) -> None:
        """Go on with another configuration of the same job."""
        reusable = _shape(job) == _shape(self.job)
        old, self._loops, self.job = self._loops, {}, job
        await asyncio.gather(*(loop.stop() for loop in old.values()))
        self._around.alive.difference_update(old.values())
        targets = {target.key: target for target in self._targets(groups)}
        caches = {key: loop.cache for key, loop in old.items() if reusable}
        for key, target in targets.items():
            self._begin(target, caches.get(key) or SeriesCache())
        self._apply_target_limit()
        self._count()
        await self._retire([loop for key, loop in old.items() if not (reusable and key in targets)])

    async def remove(self) -> None:
        """End every target; their series are marked later."""
        self.dropped = []
        gone, self._loops = list(self._loops.values()), {}
        for metric in (metrics.TARGETS, metrics.DROPPED_TARGETS, metrics.REFUSED_TARGETS):
            self._around.registry.family(metric).forget(self.job.job_name)
        await self._retire(gone)

    async def stop(self) -> None:
        """End scraping at once, because the process ends; no series is marked."""
        await asyncio.gather(*(loop.stop(at_once=True) for loop in self._loops.values()))

    def _targets(self, groups: Iterable[TargetGroup]) -> Iterator[Target]:
        self.dropped = []
        for group in groups:
            for own in group.label_sets():
                discovered = discovered_labels(self.job, own, group.labels)
                try:
                    target = target_from(self.job, discovered)
                except QvmonError as error:
                    self._drop(discovered, error.message)
                    continue
                if target is None:
                    self._drop(discovered, "")
                else:
                    yield target

    def _drop(self, discovered: Labels, reason: str) -> None:
        self.dropped.append(DroppedTarget(discovered, self.job.job_name, reason))

    def _begin(self, target: Target, cache: SeriesCache) -> None:
        loop = ScrapeLoop(
            target,
            self.job,
            self._pages(target, self.job),
            Harvester(LabelPath(target.labels, self.job), cache, self._around.max_series_bytes),
            self._around,
        )
        self._loops[target.key] = loop
        self._around.alive.add(loop)
        loop.start()

    def _apply_target_limit(self) -> None:
        count, limit = len(self._loops), self.job.target_limit
        forbidden = ""
        if 0 < limit < count:
            forbidden = f"target_limit exceeded (number of targets: {count}, limit: {limit})"
        for loop in self._loops.values():
            loop.forbidden = forbidden

    def _count(self) -> None:
        job, registry = self.job.job_name, self._around.registry
        refused = sum(1 for each in self.dropped if each.reason)
        registry.value(metrics.TARGETS, job).set(len(self._loops))
        registry.value(metrics.REFUSED_TARGETS, job).set(refused)
        registry.value(metrics.DROPPED_TARGETS, job).set(len(self.dropped) - refused)

    async def _retire(self, loops: list[ScrapeLoop]) -> None:
        self._around.alive.difference_update(loops)
        for loop in loops:
            task = asyncio.create_task(self._end_later(loop))
            self._around.endings.add(task)
            task.add_done_callback(self._around.endings.discard)
        await asyncio.gather(*(loop.stop() for loop in loops))

    async def _end_later(self, loop: ScrapeLoop) -> None:
        """Mark a removed target's series as ended, unless it comes back within two intervals.

        Source: Prometheus, scrape/scrape.go (endOfRunStaleness).
        """
        await loop.stop()
        clock, interval = self._around.clock, loop.target.interval_ms / 1000
        await clock.sleep(max(0, loop.next_ns - clock.now_ns()) / 1e9)
        ended_ms = now_ms(clock)
        await clock.sleep(1.1 * interval)
        successors = [
            each for each in self._around.alive if each.target.labels == loop.target.labels
        ]
        if not successors:
            self._around.observations.gone(loop.target, now_ms(clock))
        alive = [each.live_ids() for each in successors]
        try:
            await loop.end(ended_ms, np.concatenate([_NOTHING, *alive]))
        except QvmonError as error:
            log.warning("series are not marked as ended", target=loop.target.url, error=str(error))


def _shape(job: ScrapeConfig) -> ScrapeConfig:
    """Return what in a job decides which series its pages become."""
    defaults = {name: ScrapeConfig.model_fields[name].default for name in _BESIDE_THE_SERIES}
    return job.model_copy(update=defaults)
