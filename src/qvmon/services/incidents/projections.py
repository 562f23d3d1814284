"""The tables ``incidents`` and ``incident_alerts``: folds of the facts, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from qvmon.model.facts import (
    Fact,
    IncidentAcknowledged,
    IncidentAlertAttached,
    IncidentAlertResolved,
    IncidentAssigned,
    IncidentCommented,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    IncidentSeverityChanged,
)
from qvmon.model.incident import Incident, IncidentStatus, Severity, after
from qvmon.model.ledger import Column, Key, Projection, Row

INCIDENT_TYPES = frozenset(
    body.TYPE
    for body in (
        IncidentOpened,
        IncidentAlertAttached,
        IncidentAlertResolved,
        IncidentSeverityChanged,
        IncidentAcknowledged,
        IncidentAssigned,
        IncidentCommented,
        IncidentResolved,
        IncidentReopened,
    )
)
ATTACHING_TYPES = frozenset(
    body.TYPE for body in (IncidentOpened, IncidentAlertAttached, IncidentAlertResolved)
)


def row_of(incident: Incident) -> Row:
    """Return the row that keeps ``incident``."""
    return {each.name: getattr(incident, each.name) for each in fields(Incident)}


def incident_of(row: Row) -> Incident:
    """Return the incident that ``row`` keeps."""
    values: dict[str, Any] = {each.name: row[each.name] for each in fields(Incident)}
    values["status"] = IncidentStatus(row["status"])
    values["severity"] = Severity(row["severity"])
    values["alert_severity"] = Severity(row["alert_severity"])
    values["alert_ids"] = tuple(row["alert_ids"])
    values["open_alert_ids"] = tuple(row["open_alert_ids"])
    return Incident(**values)


def _fold_incident(row: Row | None, fact: Fact, key: Key) -> Row | None:
    del key
    incident = after(incident_of(row) if row else None, fact)
    return row_of(incident) if incident else None


def _group_keys(fact: Fact) -> Sequence[Key]:
    body = fact.body
    return ((body.service, body.workflow),) if isinstance(body, IncidentOpened) else ()


def _fold_group(row: Row | None, fact: Fact, key: Key) -> Row | None:
    if not isinstance(fact.body, IncidentOpened):
        return row
    service, workflow = key
    return {"service": service, "workflow": workflow, "incident_id": fact.body.incident_id}


def _incident_keys(fact: Fact) -> Sequence[Key]:
    return ((fact.subject.removeprefix("incident/"),),)


def _alert_keys(fact: Fact) -> Sequence[Key]:
    match fact.body:
        case IncidentOpened(incident_id=incident_id, alert_ids=alert_ids):
            return [(incident_id, alert_id) for alert_id in alert_ids]
        case (
            IncidentAlertAttached(incident_id=incident_id, alert_id=alert_id)
            | IncidentAlertResolved(incident_id=incident_id, alert_id=alert_id)
        ):
            return [(incident_id, alert_id)]
        case _:
            return []


def _fold_alert(row: Row | None, fact: Fact, key: Key) -> Row | None:
    incident_id, alert_id = key
    match fact.body:
        case IncidentOpened(alert_ids=alert_ids, rules=rules, severity=severity):
            rule = dict(zip(alert_ids, rules, strict=False)).get(str(alert_id), "")
        case IncidentAlertAttached(rule=rule, severity=severity):
            pass
        case _:
            return row and {**row, "firing": False, "resolved_at_us": fact.occurred_at}
    return {
        "incident_id": incident_id,
        "alert_id": alert_id,
        "rule": rule,
        "severity": severity,
        "firing": True,
        "transition": fact.causes[0] if fact.causes else "",
        "attached_at_us": row["attached_at_us"] if row else fact.occurred_at,
        "resolved_at_us": None,
    }


INCIDENTS = Projection(
    name="incidents",
    version=1,
    key=("incident_id",),
    columns=(
        Column("incident_id", "text"),
        Column("number", "integer", indexed=True),
        Column("title", "text"),
        Column("status", "text", indexed=True),
        Column("severity", "text"),
        Column("alert_severity", "text"),
        Column("service", "text", indexed=True),
        Column("workflow", "text"),
        Column("opened_at_us", "integer"),
        Column("updated_at_us", "integer", indexed=True),
        Column("assignee", "text"),
        Column("acknowledged_at_us", "integer"),
        Column("acknowledged_by", "text"),
        Column("resolved_at_us", "integer"),
        Column("quiet_since_us", "integer"),
        Column("alert_ids", "json"),
        Column("open_alert_ids", "json"),
    ),
    types=INCIDENT_TYPES,
    keys=_incident_keys,
    fold=_fold_incident,
)
"""One row an incident, as ``model.incident.Incident`` names its columns."""

INCIDENT_ALERTS = Projection(
    name="incident_alerts",
    version=1,
    key=("incident_id", "alert_id"),
    columns=(
        Column("incident_id", "text"),
        Column("alert_id", "text", indexed=True),
        Column("rule", "text"),
        Column("severity", "text"),
        Column("firing", "boolean"),
        Column("transition", "text"),
        Column("attached_at_us", "integer"),
        Column("resolved_at_us", "integer"),
    ),
    types=ATTACHING_TYPES,
    keys=_alert_keys,
    fold=_fold_alert,
)
"""One row an alert of an incident; ``transition`` is the alert fact that put it there last."""

INCIDENT_GROUPS = Projection(
    name="incident_groups",
    version=1,
    key=("service", "workflow"),
    columns=(
        Column("service", "text"),
        Column("workflow", "text"),
        Column("incident_id", "text"),
    ),
    types=frozenset({IncidentOpened.TYPE}),
    keys=_group_keys,
    fold=_fold_group,
)
"""The latest incident of each service and workflow."""

PROJECTIONS = (INCIDENTS, INCIDENT_ALERTS, INCIDENT_GROUPS)
