"""``/facts``: the audit trail, and how a fact reads in a timeline."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from qvmon.api.http.access import Auditor, rest_router
from qvmon.api.http.times import Time, rfc3339
from qvmon.api.http.wording import in_words
from qvmon.model.facts import Fact, body_as_json
from qvmon.model.ledger import Ledger


class TimelineEntry(BaseModel):
    """One thing that happened: event time ``at``, and when it was written down."""

    id: str
    at: Time
    recorded_at: Time
    type: str
    actor: str
    text: str
    body: dict[str, Any]


class AuditFact(TimelineEntry):
    """A fact with its place in the hash chain."""

    subject: str
    causes: list[str]
    traceparent: str
    hash: str
    prev_hash: str


class FactList(BaseModel):
    """Facts, latest first."""

    facts: list[AuditFact]


def timeline_entry(fact: Fact) -> TimelineEntry:
    """Return a fact as people read it in a timeline."""
    return TimelineEntry(**_entry(fact))


def fact_routes(ledger: Ledger) -> APIRouter:
    """Return the routes of the audit trail."""
    router = rest_router("facts")

    @router.get("/facts", operation_id="listFacts")
    async def list_facts(
        _: Auditor,
        type: Annotated[list[str] | None, Query()] = None,  # noqa: A002 - the parameter's name
        subject: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> FactList:
        """List what happened, latest first."""
        types = frozenset(type) if type else None
        facts = await ledger.read(types=types, subject=subject, newest_first=True, limit=limit)
        return FactList(facts=[_audit_fact(fact) for fact in facts])

    return router


def _audit_fact(fact: Fact) -> AuditFact:
    return AuditFact(
        **_entry(fact),
        subject=fact.subject,
        causes=list(fact.causes),
        traceparent=fact.traceparent,
        hash=fact.hash.hex(),
        prev_hash=fact.prev_hash.hex(),
    )


def _entry(fact: Fact) -> dict[str, Any]:
    return {
        "id": fact.id,
        "at": rfc3339(fact.occurred_at),
        "recorded_at": rfc3339(fact.recorded_at),
        "type": fact.type,
        "actor": fact.actor,
        "text": in_words(fact),
        "body": body_as_json(fact.body),
    }
