"""What people do to an incident: each verb as a pure rule that gives a fact or refuses."""

from __future__ import annotations

from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.facts import (
    IncidentAcknowledged,
    IncidentAssigned,
    IncidentCommented,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
)
from qvmon.model.incident import Incident, IncidentStatus, Severity

MAX_TEXT_CHARACTERS = 10_000
MAX_ASSIGNEE_CHARACTERS = 200


def acknowledge(incident: Incident, note: str) -> IncidentAcknowledged:
    """Return the fact that somebody is on it."""
    if incident.status is IncidentStatus.ACKNOWLEDGED:
        raise _conflict(incident, f"is already acknowledged by {incident.acknowledged_by}")
    _require_not_resolved(incident, "acknowledged")
    return IncidentAcknowledged(incident_id=incident.incident_id, note=_text("note", note))


def assign(incident: Incident, assignee: str) -> IncidentAssigned:
    """Return the fact that ``assignee`` (empty for nobody) is responsible."""
    _require_not_resolved(incident, "assigned")
    name = _text("assignee", assignee, MAX_ASSIGNEE_CHARACTERS)
    if name == incident.assignee:
        raise _conflict(incident, f"is already assigned to {name or 'nobody'}")
    return IncidentAssigned(incident_id=incident.incident_id, assignee=name)


def comment(incident: Incident, text: str) -> IncidentCommented:
    """Return the fact that somebody said ``text``; possible at any time."""
    said = _text("text", text)
    if not said:
        raise invalid("a comment needs text", field="text")
    return IncidentCommented(incident_id=incident.incident_id, text=said)


def set_severity(incident: Incident, severity: str, reason: str) -> IncidentSeverityChanged:
    """Return the fact that it counts as ``severity`` now; possible at any time."""
    if severity not in tuple(Severity):
        choices = ", ".join(Severity)
        raise invalid(f"severity {severity!r} is none of {choices}", field="severity")
    if severity == incident.severity:
        raise _conflict(incident, f"is already {severity}")
    return IncidentSeverityChanged(
        incident_id=incident.incident_id,
        severity=severity,
        previous=incident.severity,
        reason=_text("reason", reason),
    )


def resolve(incident: Incident, note: str) -> IncidentResolved:
    """Return the fact that it is over; alerts that still fire stay attached."""
    _require_not_resolved(incident, "resolved")
    return IncidentResolved(
        incident_id=incident.incident_id, automatic=False, note=_text("note", note)
    )


def reopen(incident: Incident, latest: Incident, reason: str) -> IncidentReopened:
    """Return the fact that it is not over.

    Args:
        incident: The incident.
        latest: The latest incident of the same service and workflow.
        reason: Why.
    """
    if incident.status is not IncidentStatus.RESOLVED:
        raise _conflict(incident, f"is {incident.status}, not resolved")
    if latest.incident_id != incident.incident_id:
        raise _conflict(incident, f"was followed by incident {latest.number}: re-open that one")
    return IncidentReopened(incident_id=incident.incident_id, reason=_text("reason", reason))


def _require_not_resolved(incident: Incident, verb: str) -> None:
    if incident.status is IncidentStatus.RESOLVED:
        raise _conflict(incident, f"is resolved and cannot be {verb}; re-open it first")


def _conflict(incident: Incident, why: str) -> QvmonError:
    return QvmonError(
        ErrorKind.CONFLICT,
        f"incident {incident.number} {why}",
        incident_id=incident.incident_id,
        status=incident.status.value,
    )


def _text(field: str, text: str, limit: int = MAX_TEXT_CHARACTERS) -> str:
    if len(text) > limit:
        raise invalid(f"{field} is longer than {limit} characters", field=field, limit=limit)
    return text.strip()
