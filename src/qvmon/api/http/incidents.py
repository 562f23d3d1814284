"""``/incidents``: read them, follow their timeline, act on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from qvmon.api.http.access import Commander, IncidentReader, Responder, rest_router
from qvmon.api.http.alerts import Alert, alerts_by_id
from qvmon.api.http.facts import TimelineEntry, timeline_entry
from qvmon.api.http.story import story_of
from qvmon.api.http.times import Time, rfc3339, rfc3339_or_none
from qvmon.model.errors import not_found
from qvmon.model.ledger import Descending, Ledger, Row
from qvmon.services.incidents import IncidentsService


class Incident(BaseModel):
    """One incident; ``number`` is what people say aloud."""

    incident_id: str
    number: int
    title: str
    status: Literal["open", "acknowledged", "resolved"]
    severity: str
    service: str
    workflow: str
    assignee: str
    opened_at: Time
    acknowledged_at: Time | None
    acknowledged_by: str
    resolved_at: Time | None
    updated_at: Time
    alert_ids: list[str]
    open_alert_ids: list[str]


class IncidentList(BaseModel):
    """Incidents, latest first."""

    incidents: list[Incident]


class IncidentDetail(Incident):
    """One incident with its alerts."""

    alerts: list[Alert]


class Timeline(BaseModel):
    """Everything that happened to an incident and its alerts, oldest first."""

    entries: list[TimelineEntry]


class Note(BaseModel):
    """Words to go with an act."""

    note: str = ""


class Assignment(BaseModel):
    """Who is responsible; empty for nobody."""

    assignee: str


class Comment(BaseModel):
    """Something said."""

    text: str


class SeverityChange(BaseModel):
    """What the incident counts as from now on, and why."""

    severity: str
    reason: str = ""


class Reason(BaseModel):
    """Why."""

    reason: str = ""


def incident_routes(ledger: Ledger, incidents: IncidentsService | None) -> APIRouter:
    """Return the routes that read incidents, and those that act where the service runs."""
    router = rest_router("incidents")

    @router.get("/incidents", operation_id="listIncidents")
    async def list_incidents(
        _: IncidentReader,
        status: Annotated[list[str] | None, Query()] = None,
        severity: Annotated[list[str] | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> IncidentList:
        """List incidents, latest first; a filter given twice means either."""
        where = {k: v for k, v in (("status", status), ("severity", severity)) if v}
        rows = await ledger.rows("incidents", where, order=Descending("number"), limit=limit)
        return IncidentList(incidents=[Incident(**_fields(row)) for row in rows])

    @router.get("/incidents/{incident_id}", operation_id="getIncident")
    async def get_incident(_: IncidentReader, incident_id: str) -> IncidentDetail:
        """Show one incident with its alerts."""
        row = await _existing(ledger, incident_id)
        alerts = await alerts_by_id(ledger, row["alert_ids"])
        return IncidentDetail(**_fields(row), alerts=alerts)

    @router.get("/incidents/{incident_id}/timeline", operation_id="getIncidentTimeline")
    async def get_timeline(_: IncidentReader, incident_id: str) -> Timeline:
        """Tell what happened, oldest first."""
        row = await _existing(ledger, incident_id)
        return Timeline(entries=[timeline_entry(fact) for fact in await story_of(ledger, row)])

    if incidents is not None:
        _add_responding(router, incidents)
        _add_commanding(router, incidents)
    return router


def _add_responding(router: APIRouter, incidents: IncidentsService) -> None:
    @router.post("/incidents/{incident_id}/acknowledge", operation_id="acknowledgeIncident")
    async def acknowledge(who: Responder, incident_id: str, said: Note) -> Incident:
        """Say that one is on it."""
        row = await incidents.acknowledge(who.principal, incident_id, said.note)
        return Incident(**_fields(row))

    @router.post("/incidents/{incident_id}/assign", operation_id="assignIncident")
    async def assign(who: Responder, incident_id: str, to: Assignment) -> Incident:
        """Make somebody responsible."""
        row = await incidents.assign(who.principal, incident_id, to.assignee)
        return Incident(**_fields(row))

    @router.post("/incidents/{incident_id}/comment", operation_id="commentIncident")
    async def comment(who: Responder, incident_id: str, said: Comment) -> Incident:
        """Say something."""
        row = await incidents.comment(who.principal, incident_id, said.text)
        return Incident(**_fields(row))


def _add_commanding(router: APIRouter, incidents: IncidentsService) -> None:
    @router.post("/incidents/{incident_id}/severity", operation_id="setIncidentSeverity")
    async def set_severity(who: Commander, incident_id: str, to: SeverityChange) -> Incident:
        """Set what it counts as."""
        row = await incidents.set_severity(who.principal, incident_id, to.severity, to.reason)
        return Incident(**_fields(row))

    @router.post("/incidents/{incident_id}/resolve", operation_id="resolveIncident")
    async def resolve(who: Commander, incident_id: str, said: Note) -> Incident:
        """Declare it over."""
        row = await incidents.resolve(who.principal, incident_id, said.note)
        return Incident(**_fields(row))

    @router.post("/incidents/{incident_id}/reopen", operation_id="reopenIncident")
    async def reopen(who: Commander, incident_id: str, why: Reason) -> Incident:
        """Declare it not over."""
        row = await incidents.reopen(who.principal, incident_id, why.reason)
        return Incident(**_fields(row))


def _fields(row: Row) -> Mapping[str, Any]:
    return {
        **row,
        "opened_at": rfc3339(row["opened_at_us"]),
        "acknowledged_at": rfc3339_or_none(row["acknowledged_at_us"]),
        "resolved_at": rfc3339_or_none(row["resolved_at_us"]),
        "updated_at": rfc3339(row["updated_at_us"]),
    }


async def _existing(ledger: Ledger, incident_id: str) -> Row:
    rows = await ledger.rows("incidents", {"incident_id": incident_id})
    if not rows:
        raise not_found(f"no incident {incident_id!r}", incident_id=incident_id)
    return rows[0]
