"""From a query's arrival to its end: limits, a place, a deadline, and everything given back."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from qvmon.model.access import Permission, Principal, PrincipalKind
from qvmon.model.clock import Clock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.stores.query import metrics
from qvmon.stores.query.admission import Admission, Priority
from qvmon.stores.query.budget import CANCELED, Budget, MemoryPool
from qvmon.stores.query.config import QueryConfig
from qvmon.stores.query.limits import Bounds, QueryLimits, bounds
from qvmon.stores.query.running import RunningQueries, RunningQuery
from qvmon.stores.query.statistics import QueryStatistics


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What somebody asks, apart from the question itself.

    Attributes:
        principal: Who asks.
        kind: ``instant``, ``range``, ``rules``, ``series``, ...
        text: The question as others are shown it.
        limits: What it may cost.
        priority: How long it is kept when there is too much to do; that of a service's
            questions is always ``RULES``.
        statistics: Where the times are noted.
    """

    principal: Principal
    kind: str
    text: str
    limits: QueryLimits
    priority: Priority = Priority.DASHBOARDS
    statistics: QueryStatistics | None = None


class Reception:
    """Lets queries in, one after the other or many at once, and sees them out.

    Args:
        config: Limits.
        clock: Measures how long queries take.
        registry: Where numbers and durations of queries appear.
        active_file: Where running queries are written; nowhere when None.
        has_other: Whether another process answers analysis queries.
    """

    def __init__(
        self,
        config: QueryConfig,
        clock: Clock,
        registry: Registry,
        active_file: Path | None,
        *,
        has_other: bool,
    ) -> None:
        self._config = config
        self._has_other = has_other
        self._clock = clock
        places = {
            Priority.RULES: config.concurrent_services,
            Priority.DASHBOARDS: config.concurrent,
            Priority.ANALYSIS: config.concurrent_analysis,
        }
        slots = config.concurrent + config.concurrent_services
        self.running = RunningQueries(clock, registry, active_file, slots)
        self._admission = Admission(places, config.queued, registry)
        self._pool = MemoryPool(config.max_total_bytes)
        self._elsewhere = MemoryPool(sys.maxsize)
        self._queries = registry.family(metrics.QUERIES)
        self._durations = registry.family(metrics.DURATION)
        memory = registry.value(metrics.MEMORY)
        registry.before_collect(lambda: memory.set(self._pool.taken))

    @asynccontextmanager
    async def admitted(self, asked: Asked) -> AsyncIterator[RunningQuery]:
        """Hold a place for as long as the block, and threads it has started, work.

        Raises:
            QvmonError: UNAUTHENTICATED or FORBIDDEN for a principal that may not read telemetry,
                EXHAUSTED when the queue is full, TIMEOUT at the deadline or when it is canceled.
        """
        asked.principal.require(Permission.READ_TELEMETRY)
        by_service = asked.principal.kind is PrincipalKind.SERVICE
        priority = Priority.RULES if by_service else asked.priority
        apart = self._has_other and priority is Priority.ANALYSIS
        bound = bounds(self._config, asked.limits, apart=apart)
        pool = self._elsewhere if apart else self._pool
        budget = Budget(bound, pool, never_refused=by_service)
        query = self.running.arrived(asked.principal, asked.kind, asked.text, priority, budget)
        started = placed = self._clock.monotonic()
        outcome = ErrorKind.INTERNAL.value
        try:
            async with asyncio.timeout(bound.seconds) as query.deadline:
                await self._admission.enter(priority)
                self.running.begins(query)
                placed = self._clock.monotonic()
                yield query
            outcome = "ok"
        except TimeoutError:
            outcome = "canceled" if query.canceled else ErrorKind.TIMEOUT.value
            raise _late(query, bound) from None
        except QvmonError as error:
            outcome = error.kind.value
            raise
        except asyncio.CancelledError:
            outcome = "canceled"
            raise
        finally:
            query.deadline = None
            self._queries.value(asked.kind, outcome).add()
            self._note(asked, started, placed)
            self._see_out(query)

    def brought_home(self, budget: Budget, amount: int) -> None:
        """Note that what another process held is gone, and its result of so many bytes here.

        Raises:
            QvmonError: EXHAUSTED, when there is no memory for the result.
        """
        budget.move(self._pool, amount)

    def observe(self, stage: str, started: float) -> float:
        """Note how long a stage has taken since ``started``; return that."""
        seconds = self._clock.monotonic() - started
        self._durations.distribution(stage).observe(seconds)
        return seconds

    def _note(self, asked: Asked, started: float, placed: float) -> None:
        total = self.observe(asked.kind, started)
        if asked.statistics is not None:
            asked.statistics.exec_queue = placed - started
            asked.statistics.eval_total = total - (placed - started)
            asked.statistics.exec_total = total

    def _see_out(self, query: RunningQuery) -> None:
        """Give back what a query holds, at once or when its last thread has stopped."""
        had_place, query.state = query.state == "running", "ending"
        loop = asyncio.get_running_loop()

        def gone() -> None:
            query.budget.release()
            self.running.left(query)
            if had_place:
                self._admission.leave(query.priority)

        def gone_elsewhere() -> None:
            with suppress(RuntimeError):  # the loop has closed, and everything with it
                loop.call_soon_threadsafe(gone)

        if query.budget.end(gone_elsewhere):
            gone()


def _late(query: RunningQuery, bound: Bounds) -> QvmonError:
    if query.canceled:
        return QvmonError(ErrorKind.TIMEOUT, CANCELED, canceled=True)
    message = f"query timed out in expression evaluation after {bound.seconds:g}s"
    return QvmonError(ErrorKind.TIMEOUT, message)
