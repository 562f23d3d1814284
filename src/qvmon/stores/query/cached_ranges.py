"""Range queries whose first steps may be known from an earlier answer."""

from __future__ import annotations

from dataclasses import replace

from qvmon.promql import Grid, Matrix, Plan, Result
from qvmon.promql.results import NO_NOTES
from qvmon.stores.query.evaluation import Evaluation
from qvmon.stores.query.result_cache import ResultCache, cache_key, continued
from qvmon.stores.query.running import RunningQuery


class CachedRanges:
    """Answers range queries, and keeps the answers.

    Args:
        cache: Where they are kept.
        evaluation: Computes what is not there.
    """

    def __init__(self, cache: ResultCache, evaluation: Evaluation) -> None:
        self._cache = cache
        self._evaluation = evaluation

    async def result(self, query: RunningQuery, planned: Plan, grid: Grid) -> Result:
        """Return the result of a range query, its beginning from the cache where that has it."""
        key = cache_key(planned, grid)
        if key is None:
            return await self._evaluation.result(query, planned, grid, as_matrix=True)
        token = self._cache.token()
        known = self._cache.beginning(key, grid)
        found: Result | None = None
        if known is not None:
            found = await self._continued(known, query, planned, grid)
        reused = len(known.times) if known is not None and found is not None else 0
        self._cache.count(reused, grid.steps - reused)
        result = found
        if result is None:
            result = await self._evaluation.result(query, planned, grid, as_matrix=True)
        if isinstance(result, Matrix):
            self._cache.keep(key, token, result)
        return result

    async def _continued(
        self, known: Matrix, query: RunningQuery, planned: Plan, grid: Grid
    ) -> Matrix | None:
        """Return known steps and those after them; None when it is not known what to note."""
        first = int(known.times[-1]) + grid.step_ms
        if first > grid.end_ms:
            return known if known.notes == NO_NOTES else None
        after = replace(grid, start_ms=first)
        rest = await self._evaluation.result(query, planned, after, as_matrix=True)
        if not isinstance(rest, Matrix) or rest.notes != known.notes:
            return None
        return await self._evaluation.in_thread(query.budget, lambda: continued(known, rest))
