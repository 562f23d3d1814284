"""Who may run now: places, a bounded queue, and whom to send away first when it is full."""

from __future__ import annotations

import asyncio
from collections import deque
from enum import IntEnum

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.stores.query import metrics


class Priority(IntEnum):
    """How long a query is kept when there is too much to do; the largest goes first."""

    RULES = 0
    DASHBOARDS = 1
    ANALYSIS = 2


class Admission:
    """Places for queries.

    Rules have places of their own and wait as long as it takes. Dashboards and analysis share
    the others: analysis may have only some of them, waits until no dashboard does, and is sent
    away from a full queue to make room for one.

    Args:
        places: How many queries of each priority may run at once; dashboards' places are for
            analysis too.
        queued: Dashboards and analysis that may wait.
        registry: Where the numbers of running, waiting and shed queries are shown.
    """

    def __init__(self, places: dict[Priority, int], queued: int, registry: Registry) -> None:
        self._places = places
        self._queued = queued
        self._running = dict.fromkeys(Priority, 0)
        self._queues: dict[Priority, deque[asyncio.Future[None]]] = {p: deque() for p in Priority}
        self._registry = registry
        for each in Priority:
            self._show(each)

    async def enter(self, priority: Priority) -> None:
        """Return once there is a place; it is to be left with ``leave``.

        Raises:
            QvmonError: EXHAUSTED, when the queue is full.
        """
        if not self._queues[priority] and self._is_free(priority):
            self._occupy(priority)
            return
        self._make_room(priority)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues[priority].append(place)
        self._show(priority)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled() and place.exception() is None:
                self.leave(priority)
            raise
        finally:
            if place in self._queues[priority]:
                self._queues[priority].remove(place)
            self._show(priority)

    def leave(self, priority: Priority) -> None:
        """Give a place back."""
        self._running[priority] -= 1
        self._show(priority)
        for each in Priority:
            while self._queues[each] and self._is_free(each):
                place = self._queues[each].popleft()
                if not place.done():
                    self._occupy(each)
                    place.set_result(None)

    def _is_free(self, priority: Priority) -> bool:
        if priority is Priority.RULES:
            return self._running[priority] < self._places[priority]
        if priority is Priority.ANALYSIS and (
            self._queues[Priority.DASHBOARDS] or self._running[priority] >= self._places[priority]
        ):
            return False
        shared = self._running[Priority.DASHBOARDS] + self._running[Priority.ANALYSIS]
        return shared < self._places[Priority.DASHBOARDS]

    def _occupy(self, priority: Priority) -> None:
        self._running[priority] += 1
        self._show(priority)

    def _make_room(self, priority: Priority) -> None:
        waiting = sum(len(self._queues[p]) for p in (Priority.DASHBOARDS, Priority.ANALYSIS))
        if priority is Priority.RULES or waiting < self._queued:
            return
        analyses = self._queues[Priority.ANALYSIS]
        if priority is Priority.DASHBOARDS and analyses:
            self._count_shed(Priority.ANALYSIS)
            analyses.pop().set_exception(_too_many(self._queued))
            return
        self._count_shed(priority)
        raise _too_many(self._queued)

    def _count_shed(self, priority: Priority) -> None:
        self._registry.value(metrics.SHED, priority.name.lower()).add()

    def _show(self, priority: Priority) -> None:
        name = priority.name.lower()
        self._registry.value(metrics.RUNNING, name).set(self._running[priority])
        self._registry.value(metrics.WAITING, name).set(len(self._queues[priority]))


def _too_many(queued: int) -> QvmonError:
    return QvmonError(
        ErrorKind.EXHAUSTED, f"too many queries: {queued} are waiting already", waiting=queued
    )
