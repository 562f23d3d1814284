"""The one place that executes queries: plans, admits, fetches, evaluates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from qvmon.model.access import Permission, Principal
from qvmon.model.clock import Clock
from qvmon.model.errors import QvmonError, invalid
from qvmon.model.labels import Matcher
from qvmon.model.metrics import Registry
from qvmon.model.ports import SeriesSource
from qvmon.model.series import LabelFrame, MetricMetadata, Selection, SeriesColumns
from qvmon.promql import Grid, Matrix, Plan, Result, evaluate, plan
from qvmon.promql.nodes import ValueType
from qvmon.promql.plan import Need
from qvmon.promql.results import NO_NOTES
from qvmon.promql.watch import Tally, Watch
from qvmon.stores.query import metrics
from qvmon.stores.query.admission import Priority
from qvmon.stores.query.budget import Budget
from qvmon.stores.query.config import QueryConfig
from qvmon.stores.query.limits import QueryLimits
from qvmon.stores.query.reception import Asked, Reception
from qvmon.stores.query.result_cache import Changes, ResultCache, cache_key, continued
from qvmon.stores.query.running import RunningQueries
from qvmon.stores.query.statistics import QueryStatistics
from qvmon.stores.query.together import Round, Together

Answer = TypeVar("Answer")

NO_LIMITS = QueryLimits()


class QueryEngine:
    """Answers queries over one source of series.

    Args:
        source: Where samples come from.
        config: Limits.
        clock: Measures how long queries take.
        registry: Where the engine's own metrics appear.
        active_file: Where running queries are written, for after a crash; nowhere when None.
        changes: Tells what has changed in the source; without it no result is kept.
    """

    def __init__(
        self,
        source: SeriesSource,
        config: QueryConfig,
        clock: Clock,
        registry: Registry,
        *,
        active_file: Path | None = None,
        changes: Changes | None = None,
    ) -> None:
        self._source = source
        self._config = config
        self._clock = clock
        self._reception = Reception(config, clock, registry, active_file)
        self._samples = registry.value(metrics.SAMPLES)
        self._plans = registry.family(metrics.PLANS)
        self._plan = lru_cache(maxsize=config.cached_plans)(plan)
        self._cache: ResultCache | None = None
        if changes is not None and config.result_cache_bytes:
            self._cache = ResultCache(config.result_cache_bytes, changes, registry)
        self._together = Together(source, config.cached_plans, registry)
        self._threads = ThreadPoolExecutor(config.concurrent, "qvmon-query")
        self._urgent_threads = ThreadPoolExecutor(config.concurrent_services, "qvmon-rules")

    @property
    def running(self) -> RunningQueries:
        """The queries that wait or run now, and those that a crash interrupted."""
        return self._reception.running

    async def instant(
        self,
        principal: Principal,
        text: str,
        time_ms: int,
        *,
        lookback_ms: int | None = None,
        timeout_seconds: float | None = None,
        limits: QueryLimits = NO_LIMITS,
        priority: Priority = Priority.DASHBOARDS,
        statistics: QueryStatistics | None = None,
    ) -> Result:
        """Return the result of ``text`` at one time.

        Args:
            principal: Who asks.
            text: PromQL.
            time_ms: The time.
            lookback_ms: How old a sample may be and still stand for its series.
            timeout_seconds: How long it may take; the configured time when that is less.
            limits: What it may cost, likewise.
            priority: How long it is kept when there is too much to do.
            statistics: Is told what it cost.

        Raises:
            QvmonError: UNAUTHENTICATED or FORBIDDEN for a principal that may not read telemetry,
                INVALID for a query that is wrong or does not fit its samples, EXHAUSTED when
                too much is asked at once or by one query, TIMEOUT.
        """
        limits = limits.within(timeout_seconds)
        asked = Asked(principal, "instant", text, limits, priority, statistics)
        async with self._reception.admitted(asked) as query:
            grid = self._grid(time_ms, time_ms, 0, lookback_ms)
            return await self._run(query.budget, self.planned(text), grid, statistics)

    async def range(
        self,
        principal: Principal,
        text: str,
        start_ms: int,
        end_ms: int,
        step_ms: int,
        *,
        lookback_ms: int | None = None,
        timeout_seconds: float | None = None,
        limits: QueryLimits = NO_LIMITS,
        priority: Priority = Priority.DASHBOARDS,
        statistics: QueryStatistics | None = None,
        use_cache: bool = True,
    ) -> Result:
        """Return the result of ``text`` at every step from ``start_ms`` to ``end_ms``.

        Arguments are those of ``instant``; besides, ``use_cache`` says whether steps of earlier
        answers may be reused. They are not where ``statistics`` are wanted.

        Raises:
            QvmonError: As ``instant``; INVALID also for steps that are not positive or too many,
                and for a query whose result is no instant vector or scalar.
        """
        limits = limits.within(timeout_seconds)
        asked = Asked(principal, "range", text, limits, priority, statistics)
        async with self._reception.admitted(asked) as query:
            grid = self._grid(start_ms, end_ms, step_ms, lookback_ms)
            self._check_range(grid)
            planned = self.planned(text)
            if planned.type not in (ValueType.SCALAR, ValueType.VECTOR):
                raise invalid(
                    f'invalid expression type "{planned.type}" for range query, '
                    "must be Scalar or instant Vector",
                    expression_type=planned.type.value,
                )
            if self._cache is None or statistics is not None or not use_cache:
                return await self._run(query.budget, planned, grid, statistics, as_matrix=True)
            return await self._through(self._cache, query.budget, planned, grid)

    async def _through(
        self, cache: ResultCache, budget: Budget, planned: Plan, grid: Grid
    ) -> Result:
        """Return the result of a range query, its beginning from the cache where that has it."""
        key = cache_key(planned, grid)
        if key is None:
            return await self._run(budget, planned, grid, None, as_matrix=True)
        token = cache.token()
        known = cache.beginning(key, grid)
        found: Result | None = None
        if known is not None:
            found = await self._continued(known, budget, planned, grid)
        reused = len(known.times) if known is not None and found is not None else 0
        cache.count(reused, grid.steps - reused)
        result = found
        if result is None:
            result = await self._run(budget, planned, grid, None, as_matrix=True)
        if isinstance(result, Matrix):
            cache.keep(key, token, result)
        return result

    async def _continued(
        self, known: Matrix, budget: Budget, planned: Plan, grid: Grid
    ) -> Matrix | None:
        """Return known steps and those after them; None when it is not known what to note."""
        first = int(known.times[-1]) + grid.step_ms
        if first > grid.end_ms:
            return known if known.notes == NO_NOTES else None
        rest = await self._run(budget, planned, replace(grid, start_ms=first), None, as_matrix=True)
        if not isinstance(rest, Matrix) or rest.notes != known.notes:
            return None
        return await self._in_thread(budget, lambda: continued(known, rest))

    async def select(
        self, principal: Principal, selections: Sequence[Selection]
    ) -> list[SeriesColumns]:
        """Return the samples of each selection as they are stored, staleness markers included.

        Raises:
            QvmonError: As ``instant``.
        """
        shown = " or ".join(_selector(each.matchers) for each in selections)
        asked = Asked(principal, "select", shown, NO_LIMITS)
        async with self._reception.admitted(asked) as query:
            found = await self._source.select(selections, query.budget)
            samples, series = sum(len(each.values) for each in found), sum(map(len, found))
            query.budget.has_read(series, samples, 0)
            return found

    async def many(
        self,
        principal: Principal,
        asked: Sequence[tuple[str, int]],
        *,
        timeout_seconds: float | None = None,
    ) -> AsyncIterator[tuple[tuple[str, int], Result | QvmonError]]:
        """Yield the result, or the error, of each distinct (query, milliseconds) when it is there.

        Queries at the same time read and compute what they have in common once. Notes are those
        of a single query only where nothing was shared.

        Raises:
            QvmonError: UNAUTHENTICATED or FORBIDDEN for a principal that may not read telemetry.
        """
        principal.require(Permission.READ_TELEMETRY)
        due: dict[int, dict[str, Plan]] = {}
        for text, time_ms in asked:
            try:
                due.setdefault(time_ms, {})[text] = self.planned(text)
            except QvmonError as error:
                yield (text, time_ms), error
        limits = NO_LIMITS.within(timeout_seconds)
        loop, batches = asyncio.get_running_loop(), []
        for time_ms, planned in due.items():
            part = partial(self._together.parted, list(planned.values()))
            for plans in await loop.run_in_executor(self._urgent_threads, part):
                work = self._batch(principal, plans, time_ms, limits)
                batches.append(asyncio.ensure_future(work))
        try:
            for batch in asyncio.as_completed(batches):
                for answer in await batch:
                    yield answer
        finally:
            for each in batches:
                each.cancel()

    async def _batch(
        self, principal: Principal, plans: Sequence[Plan], time_ms: int, limits: QueryLimits
    ) -> list[tuple[tuple[str, int], Result | QvmonError]]:
        shown = plans[0].text if len(plans) == 1 else f"{len(plans)} rules"
        try:
            async with self._reception.admitted(Asked(principal, "rules", shown, limits)) as query:
                now = self._round(query.budget, time_ms)
                outcomes = await self._together.results(plans, now)
        except QvmonError as error:
            outcomes = [error] * len(plans)
        asked = ((plan.text, time_ms) for plan in plans)
        return list(zip(asked, outcomes, strict=True))

    def _round(self, budget: Budget, time_ms: int) -> Round:
        return Round(
            grid=self._grid(time_ms, time_ms, 0, None),
            budget=budget,
            fetch=lambda needs: self._fetched(needs, budget),
            in_thread=partial(self._in_thread, budget),
            drop_names_late=self._config.delayed_name_removal,
        )

    async def series(
        self,
        principal: Principal,
        matcher_sets: Sequence[tuple[Matcher, ...]],
        start_ms: int,
        end_ms: int,
    ) -> LabelFrame:
        """Return the series that match any set and may have samples in the interval."""
        shown = " or ".join(_selector(each) for each in matcher_sets)
        async with self._reception.admitted(Asked(principal, "series", shown, NO_LIMITS)):
            return await self._source.series(matcher_sets, start_ms, end_ms)

    async def label_names(
        self,
        principal: Principal,
        matcher_sets: Sequence[tuple[Matcher, ...]],
        start_ms: int,
        end_ms: int,
    ) -> list[str]:
        """Return the label names of those series, sorted."""
        frame = await self.series(principal, matcher_sets, start_ms, end_ms)
        return [name for name in frame.names if frame.column(name).any()]

    async def label_values(
        self,
        principal: Principal,
        name: str,
        matcher_sets: Sequence[tuple[Matcher, ...]],
        start_ms: int,
        end_ms: int,
    ) -> list[str]:
        """Return the values that label ``name`` has among those series, sorted."""
        frame = await self.series(principal, matcher_sets, start_ms, end_ms)
        codes = np.unique(frame.column(name))
        return sorted(frame.symbols[int(code)] for code in codes if code)

    async def metadata(
        self, principal: Principal, metric: str | None = None
    ) -> list[MetricMetadata]:
        """Return what targets said about one metric, or about all."""
        asked = Asked(principal, "metadata", metric or "", NO_LIMITS)
        async with self._reception.admitted(asked):
            return await self._source.metadata(metric)

    def planned(self, text: str) -> Plan:
        """Return the plan of a query, remembered from the last time it was asked.

        Raises:
            QvmonError: INVALID, with position and reason.
        """
        hits = self._plan.cache_info().hits
        found = self._plan(text)
        cache = "hit" if self._plan.cache_info().hits > hits else "miss"
        self._plans.value(cache).add()
        return found

    def _grid(self, start_ms: int, end_ms: int, step_ms: int, lookback_ms: int | None) -> Grid:
        if lookback_ms is None:
            lookback_ms = round(self._config.lookback_seconds * 1000)
        subquery_step_ms = round(self._config.subquery_step_seconds * 1000)
        return Grid(start_ms, end_ms, step_ms, lookback_ms, subquery_step_ms)

    def _check_range(self, grid: Grid) -> None:
        if grid.end_ms < grid.start_ms:
            raise invalid("end timestamp must not be before start time")
        if grid.step_ms <= 0:
            raise invalid(
                "zero or negative query resolution step widths are not accepted. "
                "Try a positive integer"
            )
        if grid.steps > self._config.max_steps:
            raise invalid(
                f"exceeded maximum resolution of {self._config.max_steps:,} points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )

    async def _run(
        self,
        budget: Budget,
        planned: Plan,
        grid: Grid,
        statistics: QueryStatistics | None,
        *,
        as_matrix: bool = False,
    ) -> Result:
        arrived = self._clock.monotonic()
        columns = await self._fetched(list(planned.needs(grid)), budget)
        preparation = self._reception.observe("fetch", arrived)
        tally = Tally(grid) if statistics is not None else None
        started = self._clock.monotonic()
        work = partial(
            evaluate,
            planned,
            columns,
            grid,
            as_matrix=as_matrix,
            drop_names_late=self._config.delayed_name_removal,
            watch=Watch(budget.check, tally),
        )
        result = await self._in_thread(budget, work)
        seconds = self._reception.observe("evaluate", started)
        if statistics is not None and tally is not None:
            statistics.query_preparation, statistics.inner_eval = preparation, seconds
            statistics.take(tally, grid)
        return result

    async def _in_thread(self, budget: Budget, work: Callable[[], Answer]) -> Answer:
        def at_work() -> Answer:
            with budget.at_work():
                return work()

        threads = self._urgent_threads if budget.urgent else self._threads
        return await asyncio.get_running_loop().run_in_executor(threads, at_work)

    async def _fetched(self, needs: Sequence[Need], budget: Budget) -> list[SeriesColumns]:
        """Return the samples each selector needs; identical selections are fetched once."""
        budget.computing(max((need.steps for need in needs), default=0))
        distinct = list(dict.fromkeys(need.selection for need in needs))
        found = dict(zip(distinct, await self._source.select(distinct, budget), strict=True))
        samples = sum(len(each.timestamps) for each in found.values())
        self._samples.add(samples)
        values = sum(len(found[need.selection]) * need.steps for need in needs)
        budget.has_read(sum(map(len, found.values())), samples, values)
        return [found[need.selection] for need in needs]


def _selector(matchers: Sequence[Matcher]) -> str:
    return "{" + ", ".join(map(str, matchers)) + "}"
