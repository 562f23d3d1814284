"""One query from its plan to its result: in threads of this process, or in another process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from qvmon.model.clock import Clock, now_ms
from qvmon.model.metrics import Registry
from qvmon.model.ports import SeriesSource
from qvmon.model.series import SeriesColumns
from qvmon.promql import Grid, Plan, Result, evaluate
from qvmon.promql.plan import Need
from qvmon.promql.watch import Tally, Watch
from qvmon.stores.query import metrics
from qvmon.stores.query.admission import Priority
from qvmon.stores.query.apart import Apart, Question
from qvmon.stores.query.budget import Budget
from qvmon.stores.query.config import QueryConfig
from qvmon.stores.query.needs import samples_in, samples_of, selections
from qvmon.stores.query.reception import Reception
from qvmon.stores.query.running import RunningQuery
from qvmon.stores.query.statistics import QueryStatistics

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, eq=False)
class _How:
    """What is to be computed; the attributes are arguments of ``Evaluation.result``."""

    planned: Plan
    grid: Grid
    statistics: QueryStatistics | None
    as_matrix: bool


class Evaluation:
    """Fetches and computes.

    Args:
        source: Where samples come from.
        config: Limits.
        clock: Tells what time it is, and how long things take.
        registry: Where numbers of samples are shown.
        reception: Notes how long stages take, and keeps memory.
        apart: Answers analysis queries; they are answered here when None.
    """

    def __init__(
        self,
        source: SeriesSource,
        config: QueryConfig,
        clock: Clock,
        registry: Registry,
        *,
        reception: Reception,
        apart: Apart | None,
    ) -> None:
        self._source = source
        self._config = config
        self._clock = clock
        self._reception = reception
        self._apart = apart
        self._samples = registry.value(metrics.SAMPLES)
        self._threads = ThreadPoolExecutor(config.concurrent, "qvmon-query")
        self._urgent_threads = ThreadPoolExecutor(config.concurrent_services, "qvmon-rules")

    def is_apart(self, query: RunningQuery) -> bool:
        """Return whether another process answers a query."""
        return self._apart is not None and query.priority is Priority.ANALYSIS

    async def result(
        self,
        query: RunningQuery,
        planned: Plan,
        grid: Grid,
        statistics: QueryStatistics | None = None,
        *,
        as_matrix: bool = False,
    ) -> Result:
        """Return the result of a plan.

        Args:
            query: Holds a place.
            planned: What to compute.
            grid: The steps.
            statistics: Is told what it cost.
            as_matrix: Whether an instant vector comes back as a matrix.

        Raises:
            QvmonError: INVALID, when the samples do not fit the query, EXHAUSTED, TIMEOUT;
                UNAVAILABLE, when another process was to answer it and died.
        """
        how = _How(planned, grid, statistics, as_matrix)
        if self._apart is not None and self.is_apart(query):
            return await self._result_apart(self._apart, query.budget, how)
        return await self._result_here(query.budget, how)

    async def _result_here(self, budget: Budget, how: _How) -> Result:
        planned, grid, statistics = how.planned, how.grid, how.statistics
        arrived = self._clock.monotonic()
        columns = await self.fetched(list(planned.needs(grid)), budget)
        preparation = self._reception.observe("fetch", arrived)
        tally = Tally(grid) if statistics is not None else None
        started = self._clock.monotonic()
        work = partial(
            evaluate,
            planned,
            columns,
            grid,
            as_matrix=how.as_matrix,
            drop_names_late=self._config.delayed_name_removal,
            watch=Watch(budget.check, tally),
        )
        result = await self.in_thread(budget, work)
        seconds = self._reception.observe("evaluate", started)
        if statistics is not None and tally is not None:
            statistics.query_preparation, statistics.inner_eval = preparation, seconds
            statistics.take(tally, grid)
        return result

    async def _result_apart(self, apart: Apart, budget: Budget, how: _How) -> Result:
        planned, grid, statistics = how.planned, how.grid, how.statistics
        question = Question(
            text=planned.text,
            grid=grid,
            as_matrix=how.as_matrix,
            drop_names_late=self._config.delayed_name_removal,
            bounds=budget.bounds,
            most_values=self._config.max_samples,
            now_ms=now_ms(self._clock),
            statistics=statistics,
        )
        started = self._clock.monotonic()
        wanted = selections(list(planned.needs(grid)), budget)
        work = partial(apart.evaluate, question, wanted, budget)
        answer, result = await self.in_thread(budget, work)
        self._reception.observe("apart", started)
        self._samples.add(answer.samples)
        self._reception.brought_home(budget, answer.bytes)
        if statistics is not None and answer.statistics is not None:
            statistics.take_over(answer.statistics)
        return result

    async def fetched(self, needs: Sequence[Need], budget: Budget) -> list[SeriesColumns]:
        """Return the samples each selector needs."""
        wanted = selections(needs, budget)
        columns = await self._source.select(wanted, budget, in_parts=not budget.urgent)
        found = dict(zip(wanted, columns, strict=True))
        self._samples.add(samples_in(columns))
        return samples_of(needs, found, budget)

    async def in_thread(self, budget: Budget, work: Callable[[], Answer]) -> Answer:
        """Return what ``work`` returns; what rules wait for has threads of its own."""

        def at_work() -> Answer:
            with budget.at_work():
                return work()

        threads = self._urgent_threads if budget.urgent else self._threads
        return await asyncio.get_running_loop().run_in_executor(threads, at_work)

    async def urgently(self, work: Callable[[], Answer]) -> Answer:
        """Return what ``work``, for which rules wait, returns."""
        return await asyncio.get_running_loop().run_in_executor(self._urgent_threads, work)
