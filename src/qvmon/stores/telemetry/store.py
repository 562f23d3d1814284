"""The owner of a data directory of metrics: ``SampleSink`` and ``SeriesSource`` over ``tsdb``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from qvmon.model.cardinality import Cardinality, Count, StoredBlock
from qvmon.model.clock import Clock
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
from qvmon.model.unknown import UnknownInterval
from qvmon.stores.telemetry.config import TelemetryConfig
from qvmon.stores.telemetry.metrics import TelemetryMetrics
from qvmon.stores.telemetry.opened import Opened
from qvmon.tsdb.block.samples import DamagedBlockError
from qvmon.tsdb.changes import Changes
from qvmon.tsdb.database import Database
from qvmon.tsdb.upkeep.upkeep import Merger


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
        self._opened: Opened | None = None

    async def start(self) -> None:
        """Open the directory and give replay ``config.open_within_seconds``.

        If that does not do, samples are taken all the same, and queries wait for the rest.

        Raises:
            QvmonError: CONFLICT, when another process owns the directory.
        """
        options = self._config.options()
        database = await asyncio.to_thread(Database, self._directory, options, replay=False)
        database.upkeep.merger = self._merger
        self._opened = Opened(database, self._config, self._clock, self._metrics)
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
    def _open(self) -> Opened:
        if self._opened is None:
            raise QvmonError(ErrorKind.UNAVAILABLE, "the telemetry store is not open")
        return self._opened

    def series_ids(self, keys: SeriesKeys) -> Int64s:
        """Return int64[n]: the ids of ``keys``; unknown series are added, -1 over the limit."""
        return self._open.database.series_ids(keys)

    def known_ids(self, keys: SeriesKeys) -> Int64s:
        """Return int64[n]: the ids of ``keys``, -1 for each that is not there yet."""
        return self._open.database.index.known_ids(keys)

    async def append(self, batch: SampleBatch) -> AppendResult:
        """Return once every accepted sample would survive a crash and is visible to queries."""
        return await self._open.commit.append(batch)

    def describe(self, metadata: Sequence[MetricMetadata]) -> None:
        """Remember what targets say about their metrics; the latest word wins."""
        self._open.metadata.describe(metadata)

    async def select(
        self,
        selections: Sequence[Selection],
        allowance: Allowance | None = None,
        *,
        in_parts: bool = False,
    ) -> list[SeriesColumns]:
        """Return the samples of each selection, series with none left out.

        With ``in_parts`` many are read only when they are looked at, of the store as it is now.

        Raises:
            QvmonError: As ``allowance`` does, before the samples are read.
        """
        opened = self._open
        urgent = allowance is not None and allowance.urgent
        answers = (
            opened.query(opened.select, each, allowance, in_parts, urgent=urgent)
            for each in selections
        )
        return list(await asyncio.gather(*answers))

    @contextmanager
    def view(self, selections: Sequence[Selection], allowance: Allowance) -> Iterator[Path]:
        """Give a directory of what ``selections`` need now, for another process to read.

        It is there while the context lasts. This blocks: it is for a thread.

        Raises:
            QvmonError: As ``allowance`` does, before anything is written; UNAVAILABLE, when the
                file system refuses.
        """
        with self._open.view(selections, allowance) as directory:
            yield directory

    def set_aside(self, damage: DamagedBlockError) -> bool:
        """Quarantine a block that another process found damaged; return whether it was here."""
        return self._open.database.set_aside(damage)

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
        await asyncio.to_thread(opened.database.delete, matcher_sets, start_ms, end_ms)

    async def clean_tombstones(self) -> None:
        """Return when no block holds a sample that was deleted before."""
        opened = self._open
        await opened.rounds.between(opened.database.upkeep.clean_tombstones)

    async def snapshot(self, *, skip_head: bool = False) -> str:
        """Copy everything acknowledged so far, sharing files; return the directory's name.

        The directory is below ``snapshots/`` in the data directory and is laid out as that is.

        Raises:
            QvmonError: UNAVAILABLE, when the file system refuses.
        """
        return await self._open.rounds.snapshot(skip_head=skip_head)

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
        await self._open.rounds.round()
