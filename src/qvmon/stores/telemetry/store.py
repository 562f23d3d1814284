"""The owner of a data directory of metrics: ``SampleSink`` and ``SeriesSource`` over ``tsdb``."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from qvmon.model.cardinality import Cardinality, Count, StoredBlock
from qvmon.model.clock import Clock, now_ms
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels, Matcher
from qvmon.model.metrics import Registry
from qvmon.model.ports import Allowance, AppendResult
from qvmon.model.series import (
    Int64s,
    LabelFrame,
    MetricMetadata,
    SampleBatch,
    Selection,
    SeriesColumns,
    SeriesKeys,
)
from qvmon.model.unknown import QVMON_DOWN, UnknownInterval, asks_for_unknown
from qvmon.stores.telemetry.commit import GroupCommit
from qvmon.stores.telemetry.config import TelemetryConfig
from qvmon.stores.telemetry.metadata import MetadataBook
from qvmon.stores.telemetry.metrics import TelemetryMetrics
from qvmon.stores.telemetry.steadiness import Steadiness
from qvmon.stores.telemetry.unknown import UnknownBook
from qvmon.stores.telemetry.unknown_series import series_of
from qvmon.tsdb.changes import Changes
from qvmon.tsdb.database import Database
from qvmon.tsdb.rows import EARLIEST
from qvmon.tsdb.upkeep.upkeep import Merger

Answer = TypeVar("Answer")

_log = structlog.get_logger(__name__)


class TelemetryStore:
    """Metrics on local disk.

    Args:
        directory: The data directory, made when missing; one process at a time owns it.
        config: Limits and sizes.
        clock: Judges samples from the future and retention, and paces upkeep.
        registry: Exposes the store's own metrics.
        merger: Merges blocks in another process; they are merged here when None.
    """

    def __init__(
        self,
        directory: Path,
        config: TelemetryConfig,
        clock: Clock,
        registry: Registry,
        *,
        merger: Merger | None = None,
    ) -> None:
        self._merger = merger
        self._directory = directory
        self._config = config
        self._clock = clock
        self._metrics = TelemetryMetrics(registry)
        self._opened: _Opened | None = None

    async def start(self) -> None:
        """Open the directory and give replay ``config.open_within_seconds``.

        If that does not do, samples are taken all the same, and queries wait for the rest.

        Raises:
            QvmonError: CONFLICT, when another process owns the directory.
        """
        options = self._config.options()
        database = await asyncio.to_thread(Database, self._directory, options, replay=False)
        database.upkeep.merger = self._merger
        self._opened = _Opened(database, self._config, self._clock, self._metrics)
        self._metrics.registry.before_collect(self._refresh)
        await self._opened.wait_for_replay(self._config.open_within_seconds)

    @property
    def replayed(self) -> bool:
        """Whether queries are answered without waiting."""
        return self._opened is not None and self._opened.replayed

    def _refresh(self) -> None:
        if self._opened is not None:
            self._metrics.read(self._opened.database)
            self._metrics.read_unknown(self._opened.unknown)

    async def stop(self) -> None:
        """Make what waits durable and let go of the directory."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            await opened.close()

    @property
    def _open(self) -> _Opened:
        if self._opened is None:
            raise QvmonError(ErrorKind.UNAVAILABLE, "the telemetry store is not open")
        return self._opened

    def series_ids(self, keys: SeriesKeys) -> Int64s:
        """Return int64[n]: the ids of ``keys``; unknown series are added, -1 over the limit."""
        return self._open.database.series_ids(keys)

    async def append(self, batch: SampleBatch) -> AppendResult:
        """Return once every accepted sample would survive a crash and is visible to queries."""
        return await self._open.commit.append(batch)

    def describe(self, metadata: Sequence[MetricMetadata]) -> None:
        """Remember what targets say about their metrics; the latest word wins."""
        self._open.metadata.describe(metadata)

    async def select(
        self, selections: Sequence[Selection], allowance: Allowance | None = None
    ) -> list[SeriesColumns]:
        """Return the samples of each selection, series with none left out.

        Raises:
            QvmonError: As ``allowance`` does, before the samples are read.
        """
        opened = self._open
        urgent = allowance is not None and allowance.urgent
        answers = (
            opened.query(opened.select, each, allowance, urgent=urgent) for each in selections
        )
        return list(await asyncio.gather(*answers))

    async def series(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> LabelFrame:
        """Return the distinct series that match any set and may have samples in the interval."""
        opened = self._open
        return await opened.query(opened.series, matcher_sets, start_ms, end_ms)

    async def metadata(self, metric: str | None = None) -> list[MetricMetadata]:
        """Return what targets said about one metric, or about all."""
        return self._open.metadata.entries(metric)

    def begin_unknown(self, scope: Labels, reason: str, start_ms: int) -> None:
        """Open an unknown interval; one that ended no earlier than ``start_ms`` goes on."""
        self._open.unknown.begin(scope, reason, start_ms)

    def end_unknown(self, scope: Labels, reason: str, end_ms: int) -> None:
        """Close the open interval of a scope and reason; without one nothing happens."""
        self._open.end_unknown(scope, reason, end_ms)

    def open_unknown(self) -> list[UnknownInterval]:
        """Return the unknown intervals that have not ended."""
        return self._open.unknown.open()

    async def unknown(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> list[UnknownInterval]:
        """Return the unknown intervals of a stretch that match any set (all, with none)."""
        opened = self._open
        return await opened.query(opened.unknown.find, matcher_sets, start_ms, end_ms)

    async def delete_series(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> None:
        """Delete the samples in start_ms..end_ms of the series that match any set.

        When it returns no read finds them, also after a crash; what is appended from then on is
        kept.

        Raises:
            QvmonError: INVALID without matchers or with an interval that ends before it begins,
                UNAVAILABLE when it could not be made durable.
        """
        opened = self._open
        await opened.exclusively(opened.database.delete, matcher_sets, start_ms, end_ms)

    async def clean_tombstones(self) -> None:
        """Return when no block holds a sample that was deleted before."""
        opened = self._open
        await opened.exclusively(opened.database.upkeep.clean_tombstones)

    async def snapshot(self, *, skip_head: bool = False) -> str:
        """Copy everything acknowledged so far, sharing files; return the directory's name.

        The directory is below ``snapshots/`` in the data directory and is laid out as that is.

        Raises:
            QvmonError: UNAVAILABLE, when the file system refuses.
        """
        return await self._open.snapshot(skip_head=skip_head)

    async def cardinality(self, limit: int) -> Cardinality:
        """Return which labels make the newest series many, ``limit`` entries a list."""
        opened = self._open
        return await opened.query(opened.database.cardinality, limit)

    async def blocks(self) -> list[StoredBlock]:
        """Return what is on disk beside the log, earliest first."""
        metas = [block.meta for block in self._open.database.blocks]
        return sorted(
            (
                StoredBlock(m.number, m.sources, m.start_ms, m.end_ms, m.series, m.samples)
                for m in metas
            ),
            key=lambda block: (block.start_ms, block.number),
        )

    async def refused_series(self, limit: int) -> list[Count]:
        """Return the metrics of which most new series were refused, the most first.

        Each time one is asked for counts; the empty name stands for metrics without any series.
        """
        opened = self._open
        return await opened.query(opened.database.index.refused, limit)

    @property
    def changes(self) -> Changes:
        """What tells from when on stored samples have changed since a moment."""
        return self._open.database.changes

    async def upkeep(self) -> None:
        """Flush, compact, delete what is too old and save metadata, as far as each is due."""
        await self._open.upkeep()


class _Opened:
    """What exists between start and stop."""

    def __init__(
        self,
        database: Database,
        config: TelemetryConfig,
        clock: Clock,
        metrics: TelemetryMetrics,
    ) -> None:
        self.database = database
        self.metadata = MetadataBook(database.paths.metadata)
        self.commit = GroupCommit(database, clock, metrics, config.max_pending_samples)
        self.unknown = UnknownBook(database.paths.unknown, config.max_unknown_intervals)
        self._clock = clock
        self._metrics = metrics
        self._queries = ThreadPoolExecutor(config.query_threads, "qvmon-telemetry-query")
        self._urgent_queries = ThreadPoolExecutor(config.query_threads, "qvmon-telemetry-rules")
        self._upkeep_lock = asyncio.Lock()
        self._reported = 0
        self._back_since_ms: int | None = None
        self._steadiness = Steadiness()
        self.replayed = False
        self._replaying = asyncio.create_task(self._replay())
        self._rounds = asyncio.create_task(self._run(config.upkeep_interval_seconds))

    async def wait_for_replay(self, seconds: float) -> None:
        """Return when everything is replayed, or after ``seconds``."""
        await asyncio.wait({self._replaying}, timeout=seconds)

    async def _replay(self) -> None:
        directory = str(self.database.paths.root)
        begun = self._clock.monotonic()
        try:
            await asyncio.to_thread(self.database.replay)
        except Exception as error:  # noqa: BLE001 - reported; queries tell it to those who ask
            _log.error("replay failed", directory=directory, error=repr(error))
            return
        seconds = self._clock.monotonic() - begun
        self._metrics.replay.set(seconds)
        recovery = self.database.recovery
        for warning in recovery.warnings:
            _log.warning("recovery", directory=directory, warning=warning)
        self.note_absence()
        self.replayed = True
        _log.info(
            "opened",
            directory=directory,
            series=len(self.database.index),
            replayed_samples=recovery.samples,
            seconds=round(seconds, 3),
        )

    def select(self, selection: Selection, allowance: Allowance | None) -> SeriesColumns:
        """Return the samples of a selection; of unknown intervals when it names their metric."""
        if not asks_for_unknown(selection.matchers):
            with nullcontext() if allowance is None else allowance.at_work():
                return self.database.select(selection, allowance)
        end_ms = min(selection.end_ms, now_ms(self._clock))
        found = self.unknown.find([selection.matchers], selection.start_ms, end_ms)
        return series_of(found, selection.start_ms, end_ms)

    def series(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> LabelFrame:
        """Return the series that match; unknown intervals only where their metric is named."""
        naming = [each for each in matcher_sets if asks_for_unknown(each)]
        rest = [each for each in matcher_sets if not asks_for_unknown(each)]
        if not naming:
            return self.database.series(rest, start_ms, end_ms)
        intervals = self.unknown.find(naming, start_ms, end_ms)
        shown = dict.fromkeys(each.labels() for each in intervals)
        stored = self.database.series(rest, start_ms, end_ms).all_labels() if rest else []
        return LabelFrame.from_labels([*stored, *shown])

    async def query(
        self, work: Callable[..., Answer], *arguments: object, urgent: bool = False
    ) -> Answer:
        """Run ``work`` in a query thread; what rules wait for has threads of its own."""
        loop = asyncio.get_running_loop()
        threads = self._urgent_queries if urgent else self._queries
        return await loop.run_in_executor(threads, work, *arguments)

    async def _run(self, interval_seconds: float) -> None:
        while True:
            await self._clock.sleep(interval_seconds)
            try:
                await self.upkeep()
            except Exception as error:  # noqa: BLE001 - counted, reported, tried again
                self._metrics.upkeep_failures.add()
                _log.error("upkeep failed", error=repr(error))

    async def upkeep(self) -> None:
        """Do one round; a round that is under way is waited for first."""
        async with self._upkeep_lock:
            now = self._trusted_now_ms()
            await asyncio.to_thread(self._maintain, now)
            await self._save_metadata()
            await asyncio.to_thread(self._tend_unknown, now)

    async def exclusively(self, work: Callable[..., Answer], *arguments: object) -> Answer:
        """Run ``work``, which changes files, between rounds of upkeep."""
        async with self._upkeep_lock:
            return await asyncio.to_thread(work, *arguments)

    async def snapshot(self, *, skip_head: bool) -> str:
        """Write a snapshot under a name that tells when and is given once."""
        now = datetime.fromtimestamp(now_ms(self._clock) / 1000, UTC)
        name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"
        write = partial(self.database.snapshot, name, skip_head=skip_head)
        async with self._upkeep_lock:
            await self._save_metadata()
            await asyncio.to_thread(self.unknown.sync)
            await asyncio.to_thread(write)
        return name

    def _maintain(self, now_ms: int) -> None:
        """Delete first: on a full disk that makes the room the rest needs."""
        self._metrics.deleted.add(self.database.upkeep.retain(now_ms))
        self._metrics.flushed.add(self.database.upkeep.flush())
        while self.database.upkeep.compact():
            self._metrics.merged.add()
        self._report_damage()

    def _trusted_now_ms(self) -> int:
        """Return what time it is, before any sample while the clock is not steady."""
        now, jumps = now_ms(self._clock), self._steadiness.jumps
        steady = self._steadiness.observe(now, self._clock.monotonic())
        if self._steadiness.jumps > jumps:
            _log.warning("the clock jumped", now_ms=now, deleting_by_age="waits for an hour")
        self._metrics.clock_jumps.set(self._steadiness.jumps)
        return now if steady else EARLIEST

    def _tend_unknown(self, now_ms: int) -> None:
        """Forget unknown intervals when samples of their time are forgotten, and sync the rest."""
        kept_ms = self.database.options.retention_ms
        if kept_ms:
            self.unknown.retain(now_ms - kept_ms)
        self.unknown.sync()

    def note_absence(self) -> None:
        """Say that nothing is known since the newest sample; who observes again ends that."""
        database = self.database
        newest = max([database.head.newest, *(block.meta.end_ms for block in database.blocks)])
        if newest != EARLIEST:
            self.unknown.begin(Labels(), QVMON_DOWN, min(newest, now_ms(self._clock)))
            if self._back_since_ms is not None:
                self.unknown.end(Labels(), QVMON_DOWN, self._back_since_ms)

    def end_unknown(self, scope: Labels, reason: str, end_ms: int) -> None:
        """Close an interval; one of our own absence once replay has told when it began."""
        if reason == QVMON_DOWN and not self.replayed and self._back_since_ms is None:
            self._back_since_ms = end_ms
        else:
            self.unknown.end(scope, reason, end_ms)

    def _report_damage(self) -> None:
        damaged = self.database.blocks.damaged
        for sentence in damaged[self._reported :]:
            _log.error("block quarantined", reason=sentence)
        self._reported = len(damaged)

    async def _save_metadata(self) -> None:
        content = self.metadata.content()
        if content is not None:
            await asyncio.to_thread(self.metadata.save, content)

    async def close(self) -> None:
        """End the threads and close the files."""
        self._rounds.cancel()
        await self._replaying
        await self.commit.stop()
        async with self._upkeep_lock:
            await self._save_metadata()
            await asyncio.to_thread(self._queries.shutdown)
            await asyncio.to_thread(self._urgent_queries.shutdown)
            self.unknown.close()
            await asyncio.to_thread(self.database.close)
