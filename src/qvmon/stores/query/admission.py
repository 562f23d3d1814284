"""Who may run now: a bounded number of queries, a bounded queue, and an error beyond."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.promql import Result
from qvmon.stores.query import metrics


class Place:
    """A query's right to run."""

    def __init__(self) -> None:
        self.work: asyncio.Future[Result] | None = None
        """What runs in a thread, and cannot be stopped there; the place stays taken until then."""


class Admission:
    """Places for one class of queries.

    Args:
        asker: The class, for metrics: ``people`` or ``services``.
        concurrent: Queries that run at once.
        queued: Queries that may wait; any number when none is given.
        registry: Where the number of running and waiting queries is shown.
    """

    def __init__(self, asker: str, concurrent: int, queued: int | None, registry: Registry) -> None:
        self._places = asyncio.Semaphore(concurrent)
        self._queued = queued
        self._waiting = registry.value(metrics.WAITING, asker)
        self._running = registry.value(metrics.RUNNING, asker)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[Place]:
        """Hold a place for as long as the block, and what it left in a thread, runs.

        Raises:
            QvmonError: EXHAUSTED, when the queue is full.
        """
        await self._admitted()
        place = Place()
        try:
            yield place
        finally:
            if place.work is None or place.work.done():
                self._release()
            else:
                place.work.add_done_callback(lambda _: self._release())

    async def _admitted(self) -> None:
        full = self._queued is not None and self._waiting.current >= self._queued
        if full and self._places.locked():
            raise QvmonError(
                ErrorKind.EXHAUSTED,
                f"too many queries: {self._queued} are waiting already",
                waiting=self._queued,
            )
        self._waiting.add()
        try:
            await self._places.acquire()
        finally:
            self._waiting.add(-1)
        self._running.add()

    def _release(self) -> None:
        self._running.add(-1)
        self._places.release()
