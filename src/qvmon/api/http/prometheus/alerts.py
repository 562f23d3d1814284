"""``alerts``: what is pending or firing now.

Where rules are evaluated in this process their live state answers; elsewhere the ledger's
projection does, with the value and the annotations of the last transition.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from qvmon.api.http.access import AlertReader
from qvmon.api.http.prometheus.answers import success_of
from qvmon.api.http.times import rfc3339
from qvmon.model.floats import format_exponent, parse_float
from qvmon.model.ledger import Ascending, Ledger, Row
from qvmon.services.alerting import ActiveAlert, RuleGroupStatus

Groups = Callable[[], Sequence[RuleGroupStatus]]


def active_alert_routes(ledger: Ledger, groups: Groups | None) -> APIRouter:
    """Return the route that lists active alerts."""
    router = APIRouter(prefix="/api/v1", include_in_schema=False)

    @router.get("/alerts")
    async def alerts(_: AlertReader, request: Request) -> Response:
        """List pending and firing alerts."""
        if groups is not None:
            live = [shown_alert(each) for each in live_alerts(groups).values()]
            return await success_of(request, {"alerts": live})
        where = {"state": ["pending", "firing"]}
        rows = await ledger.rows("alerts", where, order=Ascending("active_at_ms"))
        return await success_of(request, {"alerts": [_alert(row) for row in rows]})

    return router


def _alert(row: Row) -> dict[str, Any]:
    return {
        "labels": {k: v for k, v in row["labels"].items() if k not in row["external_labels"]},
        "annotations": row["annotations"],
        "state": row["state"],
        "activeAt": rfc3339(row["active_at_ms"] * 1000),
        "value": format_exponent(parse_float(row["value"])),
    }


def live_alerts(groups: Groups) -> dict[str, ActiveAlert]:
    """Return every active element by its alert id, in the order of files, groups and rules."""
    return {
        alert.alert_id: alert for group in groups() for rule in group.rules for alert in rule.alerts
    }


def shown_alert(alert: ActiveAlert) -> dict[str, Any]:
    """Return an active element as Prometheus tells it."""
    shown: dict[str, Any] = {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "state": alert.state,
        "activeAt": rfc3339(alert.active_at_ms * 1000),
        "value": format_exponent(alert.value),
    }
    if alert.keep_firing_since_ms is not None:
        shown["keepFiringSince"] = rfc3339(alert.keep_firing_since_ms * 1000)
    return shown
