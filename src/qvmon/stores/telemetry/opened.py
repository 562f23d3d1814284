"""What a telemetry store has between its start and its stop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TypeVar

import structlog

from qvmon.model.clock import Clock, now_ms
from qvmon.model.labels import Labels, Matcher
from qvmon.model.ports import Allowance
from qvmon.model.series import LabelFrame, Selection, SeriesColumns
from qvmon.model.unknown import QVMON_DOWN, asks_for_unknown
from qvmon.stores.telemetry.commit import GroupCommit
from qvmon.stores.telemetry.config import TelemetryConfig
from qvmon.stores.telemetry.metadata import MetadataBook
from qvmon.stores.telemetry.metrics import TelemetryMetrics
from qvmon.stores.telemetry.rounds import UpkeepRounds
from qvmon.stores.telemetry.unknown import UnknownBook
from qvmon.stores.telemetry.unknown_series import series_of
from qvmon.tsdb.database import Database
from qvmon.tsdb.rows import EARLIEST

Answer = TypeVar("Answer")

_log = structlog.get_logger(__name__)


class Opened:
    """Queries, appends and upkeep of a database, which it replays and in the end closes.

    Args:
        database: Not replayed yet.
        config: Threads and limits.
        clock: Judges samples from the future and retention, and paces upkeep.
        metrics: The store's own.
    """

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
        self._back_since_ms: int | None = None
        self.replayed = False
        self._replaying = asyncio.create_task(self._replay())
        self.rounds = UpkeepRounds(
            database=database,
            metadata=self.metadata,
            unknown=self.unknown,
            clock=clock,
            metrics=metrics,
            interval_seconds=config.upkeep_interval_seconds,
        )

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
        self._note_absence()
        self.replayed = True
        _log.info(
            "opened",
            directory=directory,
            series=len(self.database.index),
            replayed_samples=recovery.samples,
            seconds=round(seconds, 3),
        )

    def select(
        self, selection: Selection, allowance: Allowance | None, in_parts: bool
    ) -> SeriesColumns:
        """Return the samples of a selection; of unknown intervals when it names their metric."""
        if not asks_for_unknown(selection.matchers):
            with nullcontext() if allowance is None else allowance.at_work():
                return self.database.select(selection, allowance, in_parts=in_parts)
        end_ms = min(selection.end_ms, now_ms(self._clock))
        found = self.unknown.find([selection.matchers], selection.start_ms, end_ms)
        return series_of(found, selection.start_ms, end_ms)

    @contextmanager
    def view(self, selections: Sequence[Selection], allowance: Allowance) -> Iterator[Path]:
        """Give a directory of what selections need; ``view.TelemetryView`` opens it."""
        stored = [each for each in selections if not asks_for_unknown(each.matchers)]
        with self.database.view(secrets.token_hex(8), stored, allowance) as paths:
            if len(stored) < len(selections):
                self.unknown.copy(paths.samples.unknown)
            yield paths.root

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

    def _note_absence(self) -> None:
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

    async def close(self) -> None:
        """End the threads and close the files."""
        self.rounds.cancel()
        await self._replaying
        await self.commit.stop()
        async with self.rounds.ended():
            await asyncio.to_thread(self._queries.shutdown)
            await asyncio.to_thread(self._urgent_queries.shutdown)
            self.unknown.close()
            await asyncio.to_thread(self.database.close)
