"""``/overview``: how the platform stands, worst first, and what happened lately."""

from __future__ import annotations

from typing import Literal

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel

from qvmon.api.http.access import AlertReader, rest_router
from qvmon.api.http.event_hub import may_see
from qvmon.api.http.overview_status import (
    Firing,
    OpenIncident,
    Place,
    ServiceView,
    WorkflowView,
    overall,
    worst_first,
)
from qvmon.api.http.times import Time, rfc3339
from qvmon.api.http.wording import in_words
from qvmon.api.ports import Queries
from qvmon.model.access import Principal
from qvmon.model.clock import Clock, now_ms, now_us
from qvmon.model.errors import QvmonError
from qvmon.model.facts import Fact
from qvmon.model.ledger import Ledger
from qvmon.promql import Vector

_RECENT_US = 30 * 60 * 1_000_000
_RECENT_FACTS = 500
_RECENT_SHOWN = 50
_QUIET_TYPES = ("session.", "login.", "obligation.", "token.")
_UP = "sum by (workflow, service, job) (up)"
_TOTAL = "count by (workflow, service, job) (up)"

Status = Literal["healthy", "degraded", "critical", "unknown"]


class Instances(BaseModel):
    """How many instances answer, of how many that are watched."""

    up: int
    total: int


class FiringAlert(BaseModel):
    """An alert that fires."""

    alert_id: str
    rule: str
    severity: str
    since: Time


class IncidentLine(BaseModel):
    """An incident that is not over."""

    incident_id: str
    number: int
    title: str
    severity: str


class ServiceStatus(BaseModel):
    """How one service stands, and why."""

    name: str
    status: Status
    reason: str
    instances: Instances
    firing: list[FiringAlert]
    open_incidents: list[IncidentLine]


class WorkflowStatus(BaseModel):
    """How one workflow stands, and why; an empty name holds what names no workflow."""

    name: str
    status: Status
    reason: str
    services: list[ServiceStatus]


class RecentChange(BaseModel):
    """Something that happened lately."""

    at: Time
    type: str
    subject: str
    text: str


class Overview(BaseModel):
    """How everything stands; ``problem`` says why instances could not be counted."""

    generated_at: Time
    status: Status
    workflows: list[WorkflowStatus]
    recent: list[RecentChange]
    open_incidents: int
    firing_alerts: int
    problem: str | None = None


def overview_routes(ledger: Ledger, queries: Queries, clock: Clock) -> APIRouter:
    """Return the route of the overview."""
    router = rest_router("overview")

    @router.get("/overview", operation_id="getOverview")
    async def get_overview(who: AlertReader) -> Overview:
        """Tell how workflows and services stand, worst first, with reasons."""
        services: dict[Place, ServiceView] = {}
        problem = await _count_instances(services, queries, who.principal, now_ms(clock))
        firing = await _add_firing(services, ledger)
        incidents = await _add_incidents(services, ledger)
        workflows = worst_first(services.values())
        return Overview(
            generated_at=rfc3339(now_us(clock)),
            status=overall(workflows).value,
            workflows=[_workflow_status(each) for each in workflows],
            recent=await _recent(ledger, who.principal, now_us(clock) - _RECENT_US),
            open_incidents=incidents,
            firing_alerts=firing,
            problem=problem,
        )

    return router


def _view(services: dict[Place, ServiceView], place: Place) -> ServiceView:
    return services.setdefault(place, ServiceView(place))


async def _count_instances(
    services: dict[Place, ServiceView], queries: Queries, principal: Principal, at_ms: int
) -> str | None:
    try:
        up = await queries.instant(principal, _UP, at_ms)
        total = await queries.instant(principal, _TOTAL, at_ms)
    except QvmonError as error:
        return f"instances cannot be counted: {error.message}"
    for result, attribute in ((up, "up"), (total, "total")):
        if isinstance(result, Vector):
            _add_counts(services, result, attribute)
    return None


def _add_counts(services: dict[Place, ServiceView], counts: Vector, attribute: str) -> None:
    for labels, count in zip(counts.labels.all_labels(), counts.values, strict=True):
        service = labels.get("service") or labels.get("job", "")
        view = _view(services, Place(labels.get("workflow", ""), service))
        known = int(count) if np.isfinite(count) else 0
        setattr(view, attribute, getattr(view, attribute) + known)


async def _add_firing(services: dict[Place, ServiceView], ledger: Ledger) -> int:
    rows = await ledger.rows("alerts", {"state": "firing"})
    for row in rows:
        since = row["fired_at_us"] or row["updated_at_us"]
        view = _view(services, Place(row["workflow"], row["service"]))
        view.firing.append(Firing(row["alert_id"], row["rule"], row["severity"], since))
    return len(rows)


async def _add_incidents(services: dict[Place, ServiceView], ledger: Ledger) -> int:
    rows = await ledger.rows("incidents", {"status": ["open", "acknowledged"]})
    for row in rows:
        view = _view(services, Place(row["workflow"], row["service"]))
        view.incidents.append(
            OpenIncident(row["incident_id"], row["number"], row["title"], row["severity"])
        )
    return len(rows)


async def _recent(ledger: Ledger, principal: Principal, since_us: int) -> list[RecentChange]:
    facts = await ledger.read(newest_first=True, limit=_RECENT_FACTS)
    shown = [
        fact
        for fact in facts
        if fact.recorded_at >= since_us
        and not fact.type.startswith(_QUIET_TYPES)
        and may_see(principal, fact)
    ]
    return [_change(fact) for fact in shown[:_RECENT_SHOWN]]


def _change(fact: Fact) -> RecentChange:
    return RecentChange(
        at=rfc3339(fact.occurred_at), type=fact.type, subject=fact.subject, text=in_words(fact)
    )


def _workflow_status(view: WorkflowView) -> WorkflowStatus:
    return WorkflowStatus(
        name=view.name,
        status=view.standing.value,
        reason=view.reason,
        services=[_service_status(each) for each in view.services],
    )


def _service_status(view: ServiceView) -> ServiceStatus:
    standing, reason = view.standing()
    return ServiceStatus(
        name=view.place.service,
        status=standing.value,
        reason=reason,
        instances=Instances(up=view.up, total=view.total),
        firing=[
            FiringAlert(
                alert_id=each.alert_id,
                rule=each.rule,
                severity=each.severity,
                since=rfc3339(each.since_us),
            )
            for each in view.firing
        ],
        open_incidents=[
            IncidentLine(
                incident_id=each.incident_id,
                number=each.number,
                title=each.title,
                severity=each.severity,
            )
            for each in view.incidents
        ],
    )
