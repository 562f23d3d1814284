"""Rounds of upkeep: what is due is flushed, merged, deleted and saved, now and then."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import structlog

from qvmon.model.clock import Clock, now_ms
from qvmon.stores.telemetry.metadata import MetadataBook
from qvmon.stores.telemetry.metrics import TelemetryMetrics
from qvmon.stores.telemetry.steadiness import Steadiness
from qvmon.stores.telemetry.unknown import UnknownBook
from qvmon.tsdb.database import Database
from qvmon.tsdb.rows import EARLIEST

Answer = TypeVar("Answer")

_log = structlog.get_logger(__name__)


class UpkeepRounds:
    """Looks after the files of a store, one round at a time.

    Args:
        database: The samples.
        metadata: What targets say about their metrics.
        unknown: The unknown intervals.
        clock: Paces the rounds and says what is too old.
        metrics: Counts what was done.
        interval_seconds: Between two rounds.
    """

    def __init__(
        self,
        *,
        database: Database,
        metadata: MetadataBook,
        unknown: UnknownBook,
        clock: Clock,
        metrics: TelemetryMetrics,
        interval_seconds: float,
    ) -> None:
        self._database = database
        self._metadata = metadata
        self._unknown = unknown
        self._clock = clock
        self._metrics = metrics
        self._lock = asyncio.Lock()
        self._steadiness = Steadiness()
        self._reported = 0
        self._rounds = asyncio.create_task(self._run(interval_seconds))

    async def _run(self, interval_seconds: float) -> None:
        while True:
            await self._clock.sleep(interval_seconds)
            try:
                await self.round()
            except Exception as error:  # noqa: BLE001 - counted, reported, tried again
                self._metrics.upkeep_failures.add()
                _log.error("upkeep failed", error=repr(error))

    async def round(self) -> None:
        """Do one round; a round that is under way is waited for first."""
        async with self._lock:
            now = self._trusted_now_ms()
            await asyncio.to_thread(self._maintain, now)
            await self._save_metadata()
            await asyncio.to_thread(self._tend_unknown, now)

    def _trusted_now_ms(self) -> int:
        """Return what time it is, before any sample while the clock is not steady."""
        now, jumps = now_ms(self._clock), self._steadiness.jumps
        steady = self._steadiness.observe(now, self._clock.monotonic())
        if self._steadiness.jumps > jumps:
            _log.warning("the clock jumped", now_ms=now, deleting_by_age="waits for an hour")
        self._metrics.clock_jumps.set(self._steadiness.jumps)
        return now if steady else EARLIEST

    def _maintain(self, now_ms: int) -> None:
        """Delete first: on a full disk that makes the room the rest needs."""
        upkeep = self._database.upkeep
        self._metrics.deleted.add(upkeep.retain(now_ms))
        self._metrics.flushed.add(upkeep.flush())
        while upkeep.compact():
            self._metrics.merged.add()
        self._report_damage()

    def _report_damage(self) -> None:
        damaged = self._database.blocks.damaged
        for sentence in damaged[self._reported :]:
            _log.error("block quarantined", reason=sentence)
        self._reported = len(damaged)

    async def _save_metadata(self) -> None:
        content = self._metadata.content()
        if content is not None:
            await asyncio.to_thread(self._metadata.save, content)

    def _tend_unknown(self, now_ms: int) -> None:
        """Forget unknown intervals when samples of their time are forgotten, and sync the rest."""
        kept_ms = self._database.options.retention_ms
        if kept_ms:
            self._unknown.retain(now_ms - kept_ms)
        self._unknown.sync()

    async def between(self, work: Callable[..., Answer], *arguments: object) -> Answer:
        """Run ``work``, which changes files, between two rounds."""
        async with self._lock:
            return await asyncio.to_thread(work, *arguments)

    async def snapshot(self, *, skip_head: bool) -> str:
        """Write a snapshot under a name that tells when and is given once."""
        now = datetime.fromtimestamp(now_ms(self._clock) / 1000, UTC)
        name = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"
        write = partial(self._database.snapshot, name, skip_head=skip_head)
        async with self._lock:
            await self._save_metadata()
            await asyncio.to_thread(self._unknown.sync)
            await asyncio.to_thread(write)
        return name

    def cancel(self) -> None:
        """Begin no other round."""
        self._rounds.cancel()

    @asynccontextmanager
    async def ended(self) -> AsyncIterator[None]:
        """Give the files, with everything saved, to who closes them; the last round is over."""
        async with self._lock:
            await self._save_metadata()
            yield
