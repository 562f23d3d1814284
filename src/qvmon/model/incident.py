"""An incident as its facts tell it: one fold for the table, the deciding step and the events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import singledispatch

from qvmon.model.facts import (
    Fact,
    FactBody,
    IncidentAcknowledged,
    IncidentAlertAttached,
    IncidentAlertResolved,
    IncidentAssigned,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
)


class Severity(StrEnum):
    """How bad it is, worst first."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"

    @classmethod
    def of_label(cls, label: str) -> Severity:
        """Return the severity a ``severity`` label means; anything unknown is a warning."""
        try:
            return cls(label)
        except ValueError:
            return cls.WARNING

    def is_worse_than(self, other: Severity) -> bool:
        """Return whether this is more severe than ``other``."""
        order = tuple(Severity)
        return order.index(self) < order.index(other)


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident; times in microseconds since the epoch, UTC, None for not yet.

    Attributes:
        incident_id: The same for ever.
        number: What people say aloud.
        title: One line.
        status: Where it stands.
        severity: What it counts as now: the worst of its alerts, or what a person said.
        alert_severity: The worst severity any of its alerts has had.
        service: Empty when its alerts name none. ``workflow``: likewise.
        assignee: Who is responsible; empty for nobody.
        opened_at_us: Event time of the first alert.
        updated_at_us: Event time of the latest fact.
        acknowledged_at_us: Since when somebody is on it.
        acknowledged_by: The actor who took it, or empty.
        resolved_at_us: When it was declared over.
        quiet_since_us: When its last firing alert resolved.
        alert_ids: Every alert it ever had, in order of arrival.
        open_alert_ids: Those that still fire.
    """

    incident_id: str
    number: int
    title: str
    status: IncidentStatus
    severity: Severity
    alert_severity: Severity
    service: str
    workflow: str
    opened_at_us: int
    updated_at_us: int
    assignee: str = ""
    acknowledged_at_us: int | None = None
    acknowledged_by: str = ""
    resolved_at_us: int | None = None
    quiet_since_us: int | None = None
    alert_ids: tuple[str, ...] = ()
    open_alert_ids: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The form in which facts name this incident."""
        return f"incident/{self.incident_id}"


def opened(body: IncidentOpened, occurred_at: int) -> Incident:
    """Return the incident as its first fact makes it."""
    severity = Severity.of_label(body.severity)
    return Incident(
        incident_id=body.incident_id,
        number=body.number,
        title=body.title,
        status=IncidentStatus.OPEN,
        severity=severity,
        alert_severity=severity,
        service=body.service,
        workflow=body.workflow,
        opened_at_us=occurred_at,
        updated_at_us=occurred_at,
        alert_ids=body.alert_ids,
        open_alert_ids=body.alert_ids,
    )


def evolve(incident: Incident, body: FactBody, occurred_at: int, actor: str) -> Incident:
    """Return ``incident`` after another fact about it."""
    changed = _after(body, incident, occurred_at, actor)
    return replace(changed, updated_at_us=max(incident.updated_at_us, occurred_at))


def after(incident: Incident | None, fact: Fact) -> Incident | None:
    """Return the incident after one more fact about it; None before it was opened."""
    if isinstance(fact.body, IncidentOpened):
        return opened(fact.body, fact.occurred_at)
    if incident is None:
        return None
    return evolve(incident, fact.body, fact.occurred_at, fact.actor)


@singledispatch
def _after(body: FactBody, incident: Incident, at: int, actor: str) -> Incident:
    del body, at, actor
    return incident


@_after.register
def _(body: IncidentAlertAttached, incident: Incident, at: int, actor: str) -> Incident:
    del at, actor
    severity = Severity.of_label(body.severity)
    worse = severity.is_worse_than(incident.alert_severity)
    return replace(
        incident,
        alert_severity=severity if worse else incident.alert_severity,
        alert_ids=_with(incident.alert_ids, body.alert_id),
        open_alert_ids=_with(incident.open_alert_ids, body.alert_id),
    )


@_after.register
def _(body: IncidentAlertResolved, incident: Incident, at: int, actor: str) -> Incident:
    del actor
    firing = tuple(each for each in incident.open_alert_ids if each != body.alert_id)
    quiet = incident.quiet_since_us if firing else at
    return replace(incident, open_alert_ids=firing, quiet_since_us=quiet)


@_after.register
def _(body: IncidentSeverityChanged, incident: Incident, at: int, actor: str) -> Incident:
    del at, actor
    return replace(incident, severity=Severity.of_label(body.severity))


@_after.register
def _(body: IncidentAcknowledged, incident: Incident, at: int, actor: str) -> Incident:
    del body
    return replace(
        incident,
        status=IncidentStatus.ACKNOWLEDGED,
        acknowledged_at_us=at,
        acknowledged_by=actor,
    )


@_after.register
def _(body: IncidentAssigned, incident: Incident, at: int, actor: str) -> Incident:
    del at, actor
    return replace(incident, assignee=body.assignee)


@_after.register
def _(body: IncidentResolved, incident: Incident, at: int, actor: str) -> Incident:
    del body, actor
    return replace(incident, status=IncidentStatus.RESOLVED, resolved_at_us=at)


@_after.register
def _(body: IncidentReopened, incident: Incident, at: int, actor: str) -> Incident:
    del body, at, actor
    return replace(
        incident,
        status=IncidentStatus.OPEN,
        acknowledged_at_us=None,
        acknowledged_by="",
        resolved_at_us=None,
    )


def _with(ids: tuple[str, ...], more: str) -> tuple[str, ...]:
    return ids if more in ids else (*ids, more)
