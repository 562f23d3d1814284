"""Facts about alerts, and the table ``alerts`` that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qvmon.model.facts import (
    AlertCleared,
    AlertFiring,
    AlertPending,
    AlertResolved,
    AlertTransition,
    Fact,
    FactDraft,
)
from qvmon.model.floats import format_float, parse_float
from qvmon.model.labels import Labels
from qvmon.model.ledger import Column, Key, Projection, Row
from qvmon.services.alerting.identity import RuleKey, alert_id, with_external
from qvmon.services.alerting.state import Change, Elements, Phase

_BODIES: dict[Change, type[AlertTransition]] = {
    Change.PENDING: AlertPending,
    Change.FIRING: AlertFiring,
    Change.RESOLVED: AlertResolved,
    Change.CLEARED: AlertCleared,
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a fact says about an element that changed; times as in ``AlertTransition``."""

    change: Change
    labels: Labels
    annotations: Mapping[str, str]
    value: float
    active_at_ms: int
    event_ms: int
    decided_us: int
    late_ms: int


def alert_draft(rule: RuleKey, expr: str, external: Mapping[str, str], told: Told) -> FactDraft:
    """Return the fact about one change."""
    labels, added = with_external(told.labels, external)
    body = _BODIES[told.change](
        alert_id=alert_id(rule, told.labels),
        rule=rule.name,
        group=rule.group,
        file=rule.file,
        labels=dict(labels),
        annotations=dict(told.annotations),
        value=format_float(told.value),
        expr=expr,
        active_at_ms=told.active_at_ms,
        event_ms=told.event_ms,
        decided_us=told.decided_us,
        late_ms=told.late_ms,
        external_labels=added,
    )
    actor = f"rule:{rule.group}/{rule.name}"
    return FactDraft(body, f"alert/{body.alert_id}", actor, told.event_ms * 1000)


def restored(rule: RuleKey, rows: Sequence[Row]) -> tuple[Elements, dict[Labels, Row]]:
    """Return the active elements that ``rows`` of the table remember of a rule, and their rows."""
    found: dict[Labels, Row] = {}
    for row in rows:
        labels = Labels(row["labels"]).without(*row["external_labels"])
        if alert_id(rule, labels) == row["alert_id"]:
            found[labels] = row
    phases = [Phase[str(row["state"]).upper()] for row in found.values()]
    began = [int(row["active_at_ms"]) for row in found.values()]
    values = [parse_float(row["value"]) for row in found.values()]
    return Elements.restored(list(found), phases, began, values), found


def orphan_draft(row: Row, now_us: int) -> FactDraft:
    """Return the fact that ends an active alert whose rule is no more."""
    kind = AlertResolved if row["state"] == "firing" else AlertCleared
    body = kind(
        alert_id=row["alert_id"],
        rule=row["rule"],
        group=row["group"],
        file=row["file"],
        labels=row["labels"],
        annotations=row["annotations"],
        value=row["value"],
        expr=row["expr"],
        active_at_ms=row["active_at_ms"],
        event_ms=now_us // 1000,
        decided_us=now_us,
        external_labels=tuple(row["external_labels"]),
    )
    return FactDraft(body, f"alert/{body.alert_id}", "service:alerting", now_us)


# --- the table ------------------------------------------------------------------------------------


def _keys(fact: Fact) -> Sequence[Key]:
    assert isinstance(fact.body, AlertTransition)  # noqa: S101 - by the projection's types
    return ((fact.body.alert_id,),)


def _fold(row: Row | None, fact: Fact, key: Key) -> Row | None:
    del key
    body = fact.body
    assert isinstance(body, AlertTransition)  # noqa: S101 - by the projection's types
    fired_at = row["fired_at_us"] if row else None
    resolved_at = row["resolved_at_us"] if row else None
    state = body.TYPE.removeprefix("alert.")
    match body:
        case AlertFiring():
            fired_at, resolved_at = fact.occurred_at, None
        case AlertResolved():
            resolved_at = fact.occurred_at
        case AlertCleared():
            if fired_at is None:
                return None
            state = "resolved"
    return {
        "alert_id": body.alert_id,
        "rule": body.rule,
        "group": body.group,
        "file": body.file,
        "state": state,
        "labels": body.labels,
        "external_labels": body.external_labels,
        "annotations": body.annotations,
        "value": body.value,
        "expr": body.expr,
        "severity": body.labels.get("severity", ""),
        "service": body.labels.get("service", ""),
        "workflow": body.labels.get("workflow", ""),
        "active_at_ms": body.active_at_ms,
        "fired_at_us": fired_at,
        "resolved_at_us": resolved_at,
        "updated_at_us": fact.recorded_at,
    }


ALERTS = Projection(
    name="alerts",
    version=1,
    key=("alert_id",),
    columns=(
        Column("alert_id", "text"),
        Column("rule", "text", indexed=True),
        Column("group", "text"),
        Column("file", "text"),
        Column("state", "text", indexed=True),
        Column("labels", "json"),
        Column("external_labels", "json"),
        Column("annotations", "json"),
        Column("value", "text"),
        Column("expr", "text"),
        Column("severity", "text", indexed=True),
        Column("service", "text", indexed=True),
        Column("workflow", "text", indexed=True),
        Column("active_at_ms", "integer"),
        Column("fired_at_us", "integer"),
        Column("resolved_at_us", "integer"),
        Column("updated_at_us", "integer", indexed=True),
    ),
    types=frozenset(body.TYPE for body in _BODIES.values()),
    keys=_keys,
    fold=_fold,
)
"""Alerts that are active, and those that have ever fired."""
