"""The one place that executes queries: plans, admits, fetches, evaluates."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np

from qvmon.model.access import Permission, Principal, PrincipalKind
from qvmon.model.clock import Clock
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.labels import Matcher
from qvmon.model.metrics import Registry
from qvmon.model.ports import SeriesSource
from qvmon.model.series import LabelFrame, MetricMetadata, Selection, SeriesColumns
from qvmon.promql import Grid, Plan, Result, evaluate, plan
from qvmon.promql.nodes import ValueType
from qvmon.promql.plan import Need
from qvmon.promql.watch import Tally, Watch
from qvmon.stores.query import metrics
from qvmon.stores.query.admission import Admission, Place
from qvmon.stores.query.config import QueryConfig
from qvmon.stores.query.statistics import QueryStatistics

Answer = TypeVar("Answer")


class QueryEngine:
    """Answers queries over one source of series.

    Args:
        source: Where samples come from.
        config: Limits.
        clock: Measures how long queries take.
        registry: Where the engine's own metrics appear.
    """

    def __init__(
        self, source: SeriesSource, config: QueryConfig, clock: Clock, registry: Registry
    ) -> None:
        self._source = source
        self._config = config
        self._clock = clock
        self._people = Admission("people", config.concurrent, config.queued, registry)
        self._services = Admission("services", config.concurrent_services, None, registry)
        self._queries = registry.family(metrics.QUERIES)
        self._durations = registry.family(metrics.DURATION)
        self._samples = registry.value(metrics.SAMPLES)
        self._plans = registry.family(metrics.PLANS)
        self._plan = lru_cache(maxsize=config.cached_plans)(plan)

    async def instant(
        self,
        principal: Principal,
        text: str,
        time_ms: int,
        *,
        lookback_ms: int | None = None,
        timeout_seconds: float | None = None,
        statistics: QueryStatistics | None = None,
    ) -> Result:
        """Return the result of ``text`` at one time.

        Raises:
            QvmonError: UNAUTHENTICATED or FORBIDDEN for a principal that may not read telemetry,
                INVALID for a query that is wrong or does not fit its samples, EXHAUSTED when
                too much is asked at once or by one query, TIMEOUT.
        """
        grid = self._grid(time_ms, time_ms, 0, lookback_ms)
        return await self._answered(
            principal,
            "instant",
            lambda place: self._run(place, self.planned(text), grid, statistics=statistics),
            timeout_seconds,
            statistics,
        )

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
        statistics: QueryStatistics | None = None,
    ) -> Result:
        """Return the result of ``text`` at every step from ``start_ms`` to ``end_ms``.

        Raises:
            QvmonError: As ``instant``; INVALID also for steps that are not positive or too many,
                and for a query whose result is no instant vector or scalar.
        """
        grid = self._grid(start_ms, end_ms, step_ms, lookback_ms)

        async def run(place: Place) -> Result:
            self._check_range(grid)
            planned = self.planned(text)
            if planned.type not in (ValueType.SCALAR, ValueType.VECTOR):
                raise invalid(
                    f'invalid expression type "{planned.type}" for range query, '
                    "must be Scalar or instant Vector",
                    expression_type=planned.type.value,
                )
            return await self._run(place, planned, grid, as_matrix=True, statistics=statistics)

        return await self._answered(principal, "range", run, timeout_seconds, statistics)

    async def series(
        self,
        principal: Principal,
        matcher_sets: Sequence[tuple[Matcher, ...]],
        start_ms: int,
        end_ms: int,
    ) -> LabelFrame:
        """Return the series that match any set and may have samples in the interval."""
        return await self._answered(
            principal,
            "series",
            lambda _: self._source.series(matcher_sets, start_ms, end_ms),
        )

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
        return await self._answered(principal, "metadata", lambda _: self._source.metadata(metric))

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

    async def _answered(
        self,
        principal: Principal,
        kind: str,
        run: Callable[[Place], Awaitable[Answer]],
        timeout_seconds: float | None = None,
        statistics: QueryStatistics | None = None,
    ) -> Answer:
        principal.require(Permission.READ_TELEMETRY)
        limit = min(timeout_seconds or self._config.timeout_seconds, self._config.timeout_seconds)
        by_service = principal.kind is PrincipalKind.SERVICE
        admission = self._services if by_service else self._people
        started = self._clock.monotonic()
        placed = started
        outcome = ErrorKind.INTERNAL.value
        try:
            async with asyncio.timeout(limit), admission.place() as place:
                placed = self._clock.monotonic()
                answer = await run(place)
            outcome = "ok"
        except TimeoutError:
            outcome = ErrorKind.TIMEOUT.value
            raise QvmonError(
                ErrorKind.TIMEOUT, f"query timed out in expression evaluation after {limit:g}s"
            ) from None
        except QvmonError as error:
            outcome = error.kind.value
            raise
        finally:
            self._queries.value(kind, outcome).add()
            self._observe(kind, started)
            if statistics is not None:
                statistics.exec_queue = placed - started
                statistics.eval_total = self._clock.monotonic() - placed
                statistics.exec_total = self._clock.monotonic() - started
        return answer

    def _observe(self, stage: str, started: float) -> None:
        self._durations.distribution(stage).observe(self._clock.monotonic() - started)

    async def _run(
        self,
        place: Place,
        planned: Plan,
        grid: Grid,
        *,
        as_matrix: bool = False,
        statistics: QueryStatistics | None = None,
    ) -> Result:
        arrived = self._clock.monotonic()
        columns = await self._fetched(list(planned.needs(grid)))
        started = self._clock.monotonic()
        tally = Tally(grid) if statistics is not None else None
        work = asyncio.ensure_future(
            asyncio.to_thread(
                evaluate,
                planned,
                columns,
                grid,
                as_matrix=as_matrix,
                drop_names_late=self._config.delayed_name_removal,
                watch=Watch(tally=tally),
            )
        )
        place.work = work
        result = await asyncio.shield(work)
        self._observe("evaluate", started)
        if statistics is not None and tally is not None:
            statistics.query_preparation = started - arrived
            statistics.inner_eval = self._clock.monotonic() - started
            statistics.take(tally, grid)
        return result

    async def _fetched(self, needs: list[Need]) -> list[SeriesColumns]:
        """Return the samples each selector needs; identical selections are fetched once."""
        limit = self._config.max_samples
        _refuse("values at every step", max((need.steps for need in needs), default=0), limit)
        distinct = list(dict.fromkeys(need.selection for need in needs))
        started = self._clock.monotonic()
        found = dict(zip(distinct, await self._source.select(distinct), strict=True))
        self._observe("fetch", started)
        self._check_cost(needs, found)
        return [found[need.selection] for need in needs]

    def _check_cost(self, needs: list[Need], found: dict[Selection, SeriesColumns]) -> None:
        samples = sum(len(each.timestamps) for each in found.values())
        self._samples.add(samples)
        _refuse("samples", samples, self._config.max_samples)
        _refuse("series", sum(map(len, found.values())), self._config.max_series)
        values = sum(len(found[need.selection]) * need.steps for need in needs)
        _refuse("values at every step", values, self._config.max_samples)


def _refuse(what: str, count: int, limit: int) -> None:
    if count > limit:
        raise QvmonError(
            ErrorKind.EXHAUSTED,
            "query processing would load too many samples into memory in query execution: "
            f"{count:,} {what}, and at most {limit:,} are allowed",
        )
