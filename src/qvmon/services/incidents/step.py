"""What alert transitions mean for incidents: the pure step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID, uuid5

from qvmon.model.facts import (
    AlertFiring,
    AlertResolved,
    AlertTransition,
    Fact,
    FactBody,
    FactDraft,
    IncidentAlertAttached,
    IncidentAlertResolved,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
)
from qvmon.model.incident import Incident, IncidentStatus, Severity, evolve, opened
from qvmon.model.labels import Labels

ACTOR = "service:incidents"
_NAMESPACE = UUID("6d2f2f54-3a5e-5f0e-9d5f-0b6f3c1f7a11")


class Group(NamedTuple):
    """What alerts of one incident share; a missing label counts as empty."""

    service: str
    workflow: str

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> Group:
        """Return the group an alert with ``labels`` belongs to."""
        return cls(labels.get("service", ""), labels.get("workflow", ""))


@dataclass(frozen=True, slots=True)
class Book:
    """What the step must know: each group's latest incident, and the next free number.

    Only the latest incident of a group can be open or hold a firing alert.
    """

    latest: Mapping[Group, Incident]
    next_number: int


def step(book: Book, facts: Iterable[Fact], reopen_within_us: int) -> tuple[Book, list[FactDraft]]:
    """Return the book and the facts that follow from alert transitions.

    Args:
        book: The latest incidents of at least the groups that ``facts`` touch.
        facts: ``alert.firing`` and ``alert.resolved``, in replay order; a repeat changes nothing.
        reopen_within_us: How long after a group went quiet a firing alert re-opens its incident.
    """
    latest, number = dict(book.latest), book.next_number
    drafts: list[FactDraft] = []
    for fact in facts:
        if not isinstance(fact.body, AlertTransition):
            continue
        group = Group.of(fact.body.labels)
        incident = latest.get(group)
        for body in _consequences(incident, number, group, fact, reopen_within_us):
            if isinstance(body, IncidentOpened):
                incident, number = opened(body, fact.occurred_at), number + 1
            elif incident is not None:
                incident = evolve(incident, body, fact.occurred_at, ACTOR)
            if incident is not None:
                latest[group] = incident
                drafts.append(_draft(body, incident, fact))
    return Book(latest, number), drafts


def _draft(body: FactBody, incident: Incident, fact: Fact) -> FactDraft:
    return FactDraft(
        body=body,
        subject=incident.subject,
        actor=ACTOR,
        occurred_at=fact.occurred_at,
        causes=(fact.id,),
        traceparent=fact.traceparent,
    )


def _consequences(
    incident: Incident | None, number: int, group: Group, fact: Fact, reopen_within_us: int
) -> Iterator[FactBody]:
    match fact.body:
        case AlertFiring() as alert:
            if incident is None or not _goes_on(incident, fact.occurred_at, reopen_within_us):
                yield _opening(number, group, alert, fact)
            else:
                yield from _after_firing(incident, alert, fact.occurred_at)
        case AlertResolved() as alert if incident and alert.alert_id in incident.open_alert_ids:
            yield from _after_resolved(incident, alert)


def _goes_on(incident: Incident, at_us: int, reopen_within_us: int) -> bool:
    """Return whether an alert that fires now belongs to the group's latest incident."""
    if incident.status is not IncidentStatus.RESOLVED or incident.open_alert_ids:
        return True
    quiet_since = max(incident.resolved_at_us or 0, incident.quiet_since_us or 0)
    return at_us - quiet_since <= reopen_within_us


def _opening(number: int, group: Group, alert: AlertFiring, fact: Fact) -> IncidentOpened:
    return IncidentOpened(
        incident_id=str(uuid5(_NAMESPACE, f"{Labels(group._asdict()).encode().hex()} {fact.id}")),
        number=number,
        title=_title(group, alert.rule),
        severity=_severity(alert),
        service=group.service,
        workflow=group.workflow,
        alert_ids=(alert.alert_id,),
        rules=(alert.rule,),
        detected_us=alert.decided_us,
    )


def _title(group: Group, rule: str) -> str:
    place = f"{group.workflow}/{group.service}".strip("/")
    return f"{rule} on {place}" if place else rule


def _after_firing(incident: Incident, alert: AlertFiring, at_us: int) -> Iterator[FactBody]:
    severity = _severity(alert)
    is_over = incident.status is IncidentStatus.RESOLVED
    if is_over:
        yield IncidentReopened(
            incident_id=incident.incident_id,
            reason=_why_reopened(incident, alert, at_us),
            alert_id=alert.alert_id,
        )
    if alert.alert_id not in incident.open_alert_ids:
        yield IncidentAlertAttached(
            incident_id=incident.incident_id,
            alert_id=alert.alert_id,
            rule=alert.rule,
            severity=severity,
        )
    if severity.is_worse_than(incident.alert_severity) and severity.is_worse_than(
        incident.severity
    ):
        yield IncidentSeverityChanged(
            incident_id=incident.incident_id,
            severity=severity,
            previous=incident.severity,
            reason=f"{alert.rule} is {severity}",
        )


def _why_reopened(incident: Incident, alert: AlertFiring, at_us: int) -> str:
    verb = "fired again" if alert.alert_id in incident.alert_ids else "fired"
    seconds = max(0, at_us - (incident.resolved_at_us or at_us)) // 1_000_000
    return f"{alert.rule} {verb} {seconds} s after the incident was resolved"


def _after_resolved(incident: Incident, alert: AlertResolved) -> Iterator[FactBody]:
    yield IncidentAlertResolved(
        incident_id=incident.incident_id, alert_id=alert.alert_id, rule=alert.rule
    )
    is_last = incident.open_alert_ids == (alert.alert_id,)
    if is_last and incident.status is not IncidentStatus.RESOLVED:
        yield IncidentResolved(
            incident_id=incident.incident_id, automatic=True, note="all its alerts resolved"
        )


def _severity(alert: AlertTransition) -> Severity:
    return Severity.of_label(alert.labels.get("severity", ""))
