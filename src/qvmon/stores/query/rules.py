"""Queries of rules: many at once, those at the same time together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from functools import partial

from qvmon.model.access import Principal
from qvmon.model.errors import QvmonError
from qvmon.promql import Grid, Plan, Result
from qvmon.stores.query.budget import Budget
from qvmon.stores.query.evaluation import Evaluation
from qvmon.stores.query.limits import QueryLimits
from qvmon.stores.query.reception import Asked, Reception
from qvmon.stores.query.together import Round, Together

Question = tuple[str, int]
"""PromQL, and milliseconds."""


class RuleQueries:
    """Answers the queries that rules put at one time or at several.

    Args:
        reception: Lets each batch in.
        evaluation: Fetches and computes.
        together: Finds what queries have in common.
        instant: Returns the grid of one time.
        drop_names_late: As ``promql.evaluate`` has it.
    """

    def __init__(
        self,
        reception: Reception,
        evaluation: Evaluation,
        together: Together,
        instant: Callable[[int], Grid],
        *,
        drop_names_late: bool,
    ) -> None:
        self._reception = reception
        self._evaluation = evaluation
        self._together = together
        self._instant = instant
        self._drop_names_late = drop_names_late

    async def answers(
        self, principal: Principal, due: Mapping[int, Sequence[Plan]], limits: QueryLimits
    ) -> AsyncGenerator[tuple[Question, Result | QvmonError]]:
        """Yield the result, or the error, of each plan at its time when it is there."""
        batches = []
        for time_ms, planned in due.items():
            part = partial(self._together.parted, planned)
            for plans in await self._evaluation.urgently(part):
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
    ) -> list[tuple[Question, Result | QvmonError]]:
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
            grid=self._instant(time_ms),
            budget=budget,
            fetch=lambda needs: self._evaluation.fetched(needs, budget),
            in_thread=partial(self._evaluation.in_thread, budget),
            drop_names_late=self._drop_names_late,
        )
