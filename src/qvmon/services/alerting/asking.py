"""Asks the queries of rules and of the templates inside them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from qvmon.model.access import service_principal
from qvmon.model.clock import give_way
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.labels import Labels
from qvmon.promql.results import Result, Vector
from qvmon.services.alerting.coverage import UP, dark
from qvmon.services.alerting.ports import Queries
from qvmon.services.alerting.rule import Rows
from qvmon.templates import QueryNeeded, QueryRows, Surroundings

MAX_TEMPLATE_QUERIES = 100

_TOO_MANY = invalid(f"templates of one alert make more than {MAX_TEMPLATE_QUERIES} queries")
_PRINCIPAL = service_principal("alerting")

Rendered = TypeVar("Rendered")


class Asker:
    """The query engine as rules use it.

    Args:
        queries: The query engine.
        timeout_seconds: How long one query may take.
    """

    def __init__(self, queries: Queries, timeout_seconds: float) -> None:
        self._queries = queries
        self._timeout = timeout_seconds
        self._asked: dict[tuple[str, int], asyncio.Future[Result]] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def rows(self, text: str, time_ms: int) -> Rows:
        """Return the rows of an expression.

        Raises:
            QvmonError: The query failed, or yields neither a vector nor a scalar.
        """
        return Rows.of(await self._result(text, time_ms))

    async def _result(self, text: str, time_ms: int) -> Result:
        """Return the result of an expression; what is asked at the same moment is asked at once."""
        if not self._asked:
            task = asyncio.create_task(self._send(), name="alerting.asking")
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        answer = self._asked.get((text, time_ms))
        if answer is None:
            answer = asyncio.get_running_loop().create_future()
            self._asked[text, time_ms] = answer
        return await asyncio.shield(answer)

    async def _send(self) -> None:
        await give_way()
        asked, self._asked = self._asked, {}
        failure: BaseException = QvmonError(ErrorKind.INTERNAL, "the query was not answered")
        try:
            answers = self._queries.many(_PRINCIPAL, list(asked), timeout_seconds=self._timeout)
            async for which, outcome in answers:
                _settle(asked[which], outcome)
        except Exception as error:  # noqa: BLE001 - handed to those who asked
            failure = error
        finally:
            for each in asked.values():
                _settle(each, failure)

    async def dark(self, elements: list[Labels], time_ms: int) -> list[Labels]:
        """Return those of ``elements`` whose targets are all down.

        Raises:
            QvmonError: The query failed.
        """
        up = await self._result(UP, time_ms)
        return dark(elements, up) if isinstance(up, Vector) else []

    async def rendered(
        self, render: Callable[[Surroundings], Rendered], around: Surroundings
    ) -> tuple[Rendered, Surroundings]:
        """Return what ``render`` makes once every query it needs was made, and those queries.

        A query too many, like one that fails, is an error inside the text.
        """
        while True:
            try:
                return render(around), around
            except QueryNeeded as needed:
                answer: QueryRows | QvmonError = _TOO_MANY
                if len(around.queries) < MAX_TEMPLATE_QUERIES:
                    answer = await self._answer(needed.text, around.time_ms)
                around = replace(around, queries={**around.queries, needed.text: answer})

    async def _answer(self, text: str, time_ms: int) -> QueryRows | QvmonError:
        try:
            rows = await self.rows(text, time_ms)
        except QvmonError as error:
            return error
        return list(zip(rows.frame.all_labels(), rows.values.tolist(), strict=True))


def _settle(answer: asyncio.Future[Result], outcome: Result | BaseException) -> None:
    if answer.done():
        return
    if isinstance(outcome, BaseException):
        answer.set_exception(outcome)
        answer.exception()  # whoever asked may have gone
    else:
        answer.set_result(outcome)
