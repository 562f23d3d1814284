"""The one place that executes queries: plans, admits, fetches, evaluates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from functools import lru_cache
from pathlib import Path

from qvmon.model.access import Permission, Principal
from qvmon.model.clock import Clock
from qvmon.model.errors import QvmonError, invalid
from qvmon.model.metrics import Registry
from qvmon.model.ports import SeriesSource
from qvmon.model.series import Selection, SeriesColumns
from qvmon.promql import Grid, Plan, Result, plan
from qvmon.promql.nodes import ValueType
from qvmon.stores.query import metrics
from qvmon.stores.query.admission import Priority
from qvmon.stores.query.apart import Apart
from qvmon.stores.query.cached_ranges import CachedRanges
from qvmon.stores.query.catalogue import Catalogue, shown_selector
from qvmon.stores.query.config import QueryConfig
from qvmon.stores.query.evaluation import Evaluation
from qvmon.stores.query.limits import NO_LIMITS, QueryLimits
from qvmon.stores.query.reception import Asked, Reception
from qvmon.stores.query.result_cache import Changes, ResultCache
from qvmon.stores.query.rules import RuleQueries
from qvmon.stores.query.running import RunningQueries
from qvmon.stores.query.statistics import QueryStatistics
from qvmon.stores.query.together import Together


class QueryEngine:
    """Answers queries over one source of series.

    Attributes:
        catalogue: Tells which series there are.

    Args:
        source: Where samples come from.
        config: Limits.
        clock: Measures how long queries take.
        registry: Where the engine's own metrics appear.
        active_file: Where running queries are written, for after a crash; nowhere when None.
        changes: Tells what has changed in the source; without it no result is kept.
        apart: Answers analysis queries in another process; they are answered here when None.
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
        apart: Apart | None = None,
    ) -> None:
        self._source = source
        self._config = config
        self._reception = Reception(
            config, clock, registry, active_file, has_other=apart is not None
        )
        self.catalogue = Catalogue(source, self._reception)
        self._plans = registry.family(metrics.PLANS)
        self._plan = lru_cache(maxsize=config.cached_plans)(plan)
        self._evaluation = Evaluation(
            source, config, clock, registry, reception=self._reception, apart=apart
        )
        self._cached: CachedRanges | None = None
        if changes is not None and config.result_cache_bytes:
            cache = ResultCache(config.result_cache_bytes, changes, registry)
            self._cached = CachedRanges(cache, self._evaluation)
        self._rules = RuleQueries(
            self._reception,
            self._evaluation,
            Together(source, config.cached_plans, registry),
            lambda time_ms: self._grid(time_ms, time_ms, 0, None),
            drop_names_late=config.delayed_name_removal,
        )

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
            return await self._evaluation.result(query, self.planned(text), grid, statistics)

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
            is_apart = self._evaluation.is_apart(query)
            if self._cached is None or statistics is not None or is_apart or not use_cache:
                return await self._evaluation.result(
                    query, planned, grid, statistics, as_matrix=True
                )
            return await self._cached.result(query, planned, grid)

    async def select(
        self, principal: Principal, selections: Sequence[Selection]
    ) -> list[SeriesColumns]:
        """Return the samples of each selection as they are stored, staleness markers included.

        Raises:
            QvmonError: As ``instant``.
        """
        shown = " or ".join(shown_selector(each.matchers) for each in selections)
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
        plans = {time_ms: list(planned.values()) for time_ms, planned in due.items()}
        async with aclosing(self._rules.answers(principal, plans, limits)) as answers:
            async for answer in answers:
                yield answer

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
        if grid.steps - 1 > self._config.max_steps:
            raise invalid(
                f"exceeded maximum resolution of {self._config.max_steps:,} points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
