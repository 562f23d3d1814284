"""``/alerts``: every alert that is or was, and one with all that became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from qvmon.api.http.access import AlertReader, rest_router
from qvmon.api.http.facts import TimelineEntry, timeline_entry
from qvmon.api.http.prometheus.alerts import Groups, live_alerts
from qvmon.api.http.telling import (
    DeliveryStatus,
    Obligation,
    deliveries_of,
    obligations_of,
)
from qvmon.api.http.times import Time, rfc3339_or_none
from qvmon.model.errors import not_found
from qvmon.model.floats import format_decimal
from qvmon.model.ledger import Descending, Ledger, Row

_HISTORY = 500


class Alert(BaseModel):
    """One alert as of now; ``incident_id`` is the latest incident it belongs to."""

    alert_id: str
    rule: str
    group: str
    state: str
    severity: str
    service: str
    workflow: str
    labels: dict[str, str]
    annotations: dict[str, str]
    value: str
    expr: str
    active_at: Time | None
    fired_at: Time | None
    resolved_at: Time | None
    updated_at: Time | None
    incident_id: str | None


class AlertList(BaseModel):
    """Alerts, latest change first."""

    alerts: list[Alert]


class AlertDetail(Alert):
    """One alert with its history, latest first, and who was told of it."""

    history: list[TimelineEntry]
    obligations: list[Obligation]
    deliveries: list[DeliveryStatus]


def alert_routes(ledger: Ledger, groups: Groups | None = None) -> APIRouter:
    """Return the routes that read alerts.

    Args:
        ledger: What was decided and told.
        groups: Live rule state, where rules are evaluated in this process: active alerts then
            show the value and the annotations of the latest evaluation.
    """
    router = rest_router("alerts")

    @router.get("/alerts", operation_id="listAlerts")
    async def list_alerts(
        _: AlertReader,
        state: Annotated[list[str] | None, Query()] = None,
        severity: Annotated[list[str] | None, Query()] = None,
        service: Annotated[list[str] | None, Query()] = None,
        workflow: Annotated[list[str] | None, Query()] = None,
        limit: Annotated[int, Query(ge=1, le=5000)] = 500,
    ) -> AlertList:
        """List alerts, latest change first; a filter given twice means either."""
        asked = {"state": state, "severity": severity, "service": service, "workflow": workflow}
        where = {name: values for name, values in asked.items() if values}
        found = await _alerts(ledger, where, limit)
        return AlertList(alerts=_as_of_now(found, groups))

    @router.get("/alerts/{alert_id}", operation_id="getAlert")
    async def get_alert(_: AlertReader, alert_id: str) -> AlertDetail:
        """Show one alert and what became of it."""
        found = _as_of_now(await alerts_by_id(ledger, [alert_id]), groups)
        if not found:
            raise not_found(f"no alert {alert_id!r}", alert_id=alert_id)
        facts = await ledger.read(subject=f"alert/{alert_id}", newest_first=True, limit=_HISTORY)
        obligations = await obligations_of(ledger, alert_id)
        return AlertDetail(
            **found[0].model_dump(),
            history=[timeline_entry(fact) for fact in facts],
            obligations=obligations,
            deliveries=await deliveries_of(ledger, alert_id, obligations),
        )

    return router


def _as_of_now(alerts: Sequence[Alert], groups: Groups | None) -> list[Alert]:
    live = live_alerts(groups) if groups is not None else {}
    return [
        alert.model_copy(
            update={
                "value": format_decimal(live[alert.alert_id].value),
                "annotations": dict(live[alert.alert_id].annotations),
            }
        )
        if alert.alert_id in live
        else alert
        for alert in alerts
    ]


async def alerts_by_id(ledger: Ledger, alert_ids: Sequence[str]) -> list[Alert]:
    """Return those of ``alert_ids`` that there are, latest change first."""
    return await _alerts(ledger, {"alert_id": list(alert_ids)}, None) if alert_ids else []


async def _alerts(ledger: Ledger, where: Mapping[str, Any], limit: int | None) -> list[Alert]:
    rows = await ledger.rows("alerts", where, order=Descending("updated_at_us"), limit=limit)
    incident_of = await incidents_of(ledger, [row["alert_id"] for row in rows])
    return [Alert(**_fields(row), incident_id=incident_of.get(row["alert_id"])) for row in rows]


async def incidents_of(ledger: Ledger, alert_ids: Sequence[str]) -> dict[str, str]:
    """Return alert id to the id of the latest incident the alert belongs to."""
    rows = await ledger.rows("incident_alerts", {"alert_id": list(alert_ids)})
    latest = sorted(rows, key=lambda row: int(row["attached_at_us"]))
    return {row["alert_id"]: row["incident_id"] for row in latest}


def _fields(row: Row) -> Mapping[str, Any]:
    return {
        **row,
        "active_at": rfc3339_or_none(row["active_at_ms"] * 1000),
        "fired_at": rfc3339_or_none(row["fired_at_us"]),
        "resolved_at": rfc3339_or_none(row["resolved_at_us"]),
        "updated_at": rfc3339_or_none(row["updated_at_us"]),
    }
