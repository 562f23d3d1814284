"""``/queries``: what this process is asked right now, and ending a query."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from qvmon.api.http.access import Administrator, TelemetryReader, rest_router
from qvmon.api.http.times import Time, rfc3339
from qvmon.model.clock import Clock, now_us
from qvmon.model.facts import FactDraft, QueryCanceled
from qvmon.model.ledger import Ledger
from qvmon.stores.query import RunningQueries


class QueryModel(BaseModel):
    """A query that waits, runs, or was ended and works still.

    ``asker`` says what sort of caller it is: person, token or service.
    """

    number: int
    query: str
    kind: str
    asker: str
    priority: str
    state: Literal["waiting", "running", "ending"]
    started_at: Time
    age_seconds: float
    series: int
    samples: int
    memory_bytes: int


class InterruptedQuery(BaseModel):
    """A query that was running when the process before this one ended without warning.

    ``priority`` is empty where that process was of an earlier version.
    """

    query: str
    kind: str
    asker: str
    priority: str
    started_at: Time


class QueryList(BaseModel):
    """Queries, oldest first."""

    queries: list[QueryModel]
    interrupted: list[InterruptedQuery]


def running_query_routes(running: RunningQueries, ledger: Ledger, clock: Clock) -> APIRouter:
    """Return the routes that show queries and end them."""
    router = rest_router("queries")

    @router.get("/queries", operation_id="listQueries")
    async def list_queries(_: TelemetryReader) -> QueryList:
        """List the queries that wait or run, and those that a crash interrupted."""
        now = now_us(clock)
        return QueryList(
            queries=[
                QueryModel(
                    number=each.number,
                    query=each.text,
                    kind=each.kind,
                    asker=each.principal.kind.value,
                    priority=each.priority.name.lower(),
                    state=each.state,
                    started_at=rfc3339(each.started_us),
                    age_seconds=(now - each.started_us) / 1e6,
                    series=each.budget.series,
                    samples=each.budget.samples,
                    memory_bytes=each.budget.bytes,
                )
                for each in running.all()
            ],
            interrupted=[
                InterruptedQuery(
                    query=each.text,
                    kind=each.kind,
                    asker=each.asker,
                    priority=each.priority,
                    started_at=rfc3339(each.started_us),
                )
                for each in running.interrupted
            ],
        )

    @router.delete("/queries/{number}", operation_id="cancelQuery", status_code=204)
    async def cancel_query(caller: Administrator, number: int) -> None:
        """End a query; whoever asked it is told that it was canceled."""
        query = running.cancel(number)
        actor = caller.principal.actor
        body = QueryCanceled(
            query=query.text, kind=query.kind, asker=query.principal.actor, number=number
        )
        await ledger.append([FactDraft(body, f"query/{number}", actor, now_us(clock))])

    return router
