"""The queries of this process that wait or run: who may see them may end them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

import structlog

from qvmon.model.access import Principal
from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import not_found
from qvmon.model.metrics import Registry
from qvmon.stores.query import metrics
from qvmon.stores.query.active_file import ActiveFile, ActiveQuery, read_active
from qvmon.stores.query.admission import Priority
from qvmon.stores.query.budget import Budget

log = structlog.get_logger("qvmon.query")


@dataclass(slots=True, eq=False)
class RunningQuery:
    """One query on its way.

    Attributes:
        number: Its name in this process.
        text: PromQL.
        kind: ``instant``, ``range``, ``rules``, ``series``, ...
        principal: Who asked.
        priority: How long it is kept when there is too much to do.
        started_us: When it arrived, microseconds since the epoch.
        budget: What it has cost so far.
        state: Whether it waits for a place, works, or was ended and works still.
        canceled: Whether somebody ended it.
        deadline: Ends it.
        slot: Where it stands in the file of active queries.
    """

    number: int
    text: str
    kind: str
    principal: Principal
    priority: Priority
    started_us: int
    budget: Budget
    state: Literal["waiting", "running", "ending"] = "waiting"
    canceled: bool = False
    deadline: asyncio.Timeout | None = None
    slot: int | None = None


class RunningQueries:
    """Every query from its arrival until its last thread is done.

    Args:
        clock: Tells when each arrived.
        registry: Shows how many were interrupted.
        file: Where those that run are written, for after a crash; nowhere when None.
        slots: How many are written at once.
    """

    def __init__(self, clock: Clock, registry: Registry, file: Path | None, slots: int) -> None:
        self._clock = clock
        self._numbers = count(1)
        self._queries: dict[int, RunningQuery] = {}
        self.interrupted = read_active(file) if file is not None else ()
        self._file = _opened(file, slots)
        registry.value(metrics.INTERRUPTED).set(len(self.interrupted))
        for each in self.interrupted:
            log.warning(
                "query was running when the last process ended",
                query=each.text,
                kind=each.kind,
                asker=each.asker,
                priority=each.priority,
                started_us=each.started_us,
            )

    def arrived(
        self, principal: Principal, kind: str, text: str, priority: Priority, budget: Budget
    ) -> RunningQuery:
        """Return a query that begins to wait; ``left`` is to be called when it is over."""
        number = next(self._numbers)
        query = RunningQuery(number, text, kind, principal, priority, now_us(self._clock), budget)
        self._queries[number] = query
        return query

    def left(self, query: RunningQuery) -> None:
        """Forget a query."""
        self._queries.pop(query.number, None)
        if self._file is not None:
            self._file.clear(query.slot)
            query.slot = None

    def begins(self, query: RunningQuery) -> None:
        """Show a query as running, in the file too."""
        query.state = "running"
        if self._file is not None:
            asker = query.principal.kind.value
            priority = query.priority.name.lower()
            shown = ActiveQuery(query.text, query.kind, asker, query.started_us, priority)
            query.slot = self._file.put(shown)

    def all(self) -> list[RunningQuery]:
        """Return the queries, oldest first."""
        return sorted(self._queries.values(), key=lambda each: each.number)

    def cancel(self, number: int) -> RunningQuery:
        """End a query and return it; its caller is told.

        Raises:
            QvmonError: NOT_FOUND, when there is no such query (any more).
        """
        query = self._queries.get(number)
        if query is None:
            raise not_found(f"there is no query {number}, or it has ended", number=number)
        query.canceled = True
        if query.deadline is not None and not query.deadline.expired():
            query.deadline.reschedule(asyncio.get_running_loop().time())
        return query


def _opened(file: Path | None, slots: int) -> ActiveFile | None:
    try:
        return ActiveFile(file, slots) if file is not None else None
    except OSError as error:
        log.warning("running queries are not written down", path=str(file), reason=str(error))
        return None
