"""Who may run now: a bounded number of queries, a bounded queue, and an error beyond."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.stores.query import metrics


class Admission:
    """Places for queries.

    Args:
        concurrent: Queries that run at once.
        queued: Queries that may wait.
        registry: Where the number of running and waiting queries is shown.
    """

    def __init__(self, concurrent: int, queued: int, registry: Registry) -> None:
        self._places = asyncio.Semaphore(concurrent)
        self._queued = queued
        self._waiting = registry.value(metrics.WAITING)
        self._running = registry.value(metrics.RUNNING)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Hold a place for as long as the block runs.

        Raises:
            QvmonError: EXHAUSTED, when the queue is full.
        """
        if self._places.locked() and self._waiting.current >= self._queued:
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
        try:
            yield
        finally:
            self._running.add(-1)
            self._places.release()
