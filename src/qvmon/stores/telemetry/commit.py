"""Group commit: batches of many callers become durable with one sync."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Condition, Thread

from qvmon.model.clock import Clock, now_ms
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.ports import AppendResult
from qvmon.model.series import SampleBatch
from qvmon.stores.telemetry.metrics import TelemetryMetrics
from qvmon.tsdb.database import Database


@dataclass(frozen=True, slots=True)
class _Waiting:
    batch: SampleBatch
    done: asyncio.Future[AppendResult]


class GroupCommit:
    """A thread that takes every batch waiting, stores them as one group, and tells their senders.

    While one group is synced the next one gathers, so load makes groups larger, not slower.

    Args:
        database: Where batches go.
        clock: Says what is too far in the future.
        metrics: Counts samples and measures commits.
        max_pending: Samples that may wait.
    """

    def __init__(
        self, database: Database, clock: Clock, metrics: TelemetryMetrics, max_pending: int
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._max_pending = max_pending
        self._condition = Condition()
        self._waiting: list[_Waiting] = []
        self._pending = 0
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        self._thread = Thread(target=self._run, name="qvmon-telemetry-commit", daemon=True)
        self._thread.start()

    async def append(self, batch: SampleBatch) -> AppendResult:
        """Return once the batch is durable and visible.

        Raises:
            QvmonError: INVALID when its columns differ in length, UNAVAILABLE when it could not be
                made durable or the store is stopping, EXHAUSTED when too much waits.
        """
        if not len(batch.series) == len(batch.timestamps) == len(batch.values):
            raise invalid("the columns of a batch of samples differ in length")
        done: asyncio.Future[AppendResult] = self._loop.create_future()
        with self._condition:
            self._admit(len(batch))
            self._waiting.append(_Waiting(batch, done))
            self._pending += len(batch)
            self._condition.notify()
        return await done

    def _admit(self, samples: int) -> None:
        if self._stopping:
            raise QvmonError(ErrorKind.UNAVAILABLE, "the telemetry store is stopping")
        if self._pending and self._pending + samples > self._max_pending:
            message = f"{self._pending} samples wait to become durable; send these again later"
            raise QvmonError(ErrorKind.EXHAUSTED, message)

    async def stop(self) -> None:
        """Return once everything that waited is durable and the thread has ended."""
        with self._condition:
            self._stopping = True
            self._condition.notify()
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while group := self._next_group():
            settle = self._store(group)
            self._loop.call_soon_threadsafe(settle)

    def _next_group(self) -> list[_Waiting]:
        with self._condition:
            while not self._waiting and not self._stopping:
                self._condition.wait()
            group, self._waiting = self._waiting, []
            self._pending = sum(len(each.batch) for each in group)
            self._metrics.pending.set(self._pending)
            return group

    def _store(self, group: list[_Waiting]) -> Callable[[], None]:
        begun = self._clock.monotonic()
        try:
            batches = [each.batch for each in group]
            results = self._database.append(batches, now_ms(self._clock))
        except Exception as error:  # noqa: BLE001 - handed to every sender, and counted
            self._metrics.commit_failures.add()
            return partial(_fail, group, error)
        self._metrics.commits.observe(self._clock.monotonic() - begun)
        self._count(results)
        return partial(_succeed, group, results)

    def _count(self, results: list[AppendResult]) -> None:
        for result in results:
            self._metrics.samples.add(result.accepted)
            for reason, rows in result.refused.items():
                self._metrics.refused(reason, len(rows))


def _succeed(group: list[_Waiting], results: list[AppendResult]) -> None:
    for each, result in zip(group, results, strict=True):
        if not each.done.done():
            each.done.set_result(result)


def _fail(group: list[_Waiting], error: Exception) -> None:
    for each in group:
        if not each.done.done():
            each.done.set_exception(error)
