"""Alerts over REST and as Prometheus shows them."""

from __future__ import annotations

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.model.facts import (
    AlertFiring,
    AlertResolved,
    DeliveryStarted,
    DeliverySucceeded,
    FactDraft,
    NotificationQueued,
    ObligationCreated,
)
from qvmon.services.alerting import ActiveAlert, RuleGroupStatus, RuleStatus

from .conftest import PREFIX, House


async def test_alerts_are_listed_filtered_and_linked_to_their_incident(house: House) -> None:
    client = await house.browser("ada", "viewer")
    firing = await house.alert(AlertFiring, service="order-router", workflow="trade-execution")
    await house.alert(AlertFiring, service="quotes", severity="warning", alertname="Slow")
    await house.clock.advance(1)
    over = await house.alert(AlertResolved, service="quotes", severity="warning", alertname="Slow")
    listed = (await client.get(f"{PREFIX}/alerts")).json()["alerts"]
    assert [(each["alert_id"], each["state"]) for each in listed] == [
        (over, "resolved"),
        (firing, "firing"),
    ]
    incident_id = (await house.ledger.rows("incidents", {"service": "order-router"}))[0]
    assert listed[1]["incident_id"] == incident_id["incident_id"]
    for query, count in (
        ("state=firing", 1),
        ("state=firing&state=resolved", 2),
        ("severity=warning", 1),
        ("service=quotes&state=firing", 0),
        ("workflow=trade-execution", 1),
        ("limit=1", 1),
    ):
        found = (await client.get(f"{PREFIX}/alerts?{query}")).json()["alerts"]
        assert len(found) == count, query


async def test_one_alert_shows_its_history_and_who_was_told(house: House) -> None:
    client = await house.browser("ada", "viewer")
    alert_id = await house.alert(AlertFiring, service="order-router")
    await tell(house, alert_id)
    shown = (await client.get(f"{PREFIX}/alerts/{alert_id}")).json()
    assert [entry["type"] for entry in shown["history"]] == ["alert.firing"]
    assert shown["labels"]["alertname"] == "LatencyHigh"
    assert [(each["receiver"], each["reason"]) for each in shown["obligations"]] == [
        ("oncall", "the default route")
    ]
    (delivery,) = shown["deliveries"]
    assert (delivery["sink"], delivery["state"]) == ("webhook:oncall", "succeeded")
    assert delivery["finished_at"] > delivery["started_at"]
    assert (await client.get(f"{PREFIX}/alerts/none")).status_code == 404


async def test_prometheus_clients_see_active_alerts(house: House) -> None:
    elsewhere = create_app(house.ports(rules=None), ApiConfig())
    client = await house.program("viewer", elsewhere)
    await house.alert(AlertFiring, service="order-router")
    await house.alert(AlertFiring, alertname="Over")
    await house.alert(AlertResolved, alertname="Over")
    (alert,) = (await client.get("/api/v1/alerts")).json()["data"]["alerts"]
    assert alert["state"] == "firing"
    assert alert["value"] == "7.5e-01"
    assert alert["activeAt"] == "2023-11-14T22:13:20.000000Z"


async def tell(house: House, alert_id: str) -> None:
    """Have the alert's change routed, told and received."""
    now = house.clock.now_ns() // 1000
    created = ObligationCreated(
        obligation_id="o1",
        transition="t",
        alert_id=alert_id,
        receiver="oncall",
        group_key="{}",
        reason="the default route",
    )
    queued = NotificationQueued(
        notification_id="n1",
        receiver="oncall",
        group_key="{}",
        group_labels={},
        status="firing",
        alerts=(),
        obligations=("o1",),
        reason="first",
    )
    started = DeliveryStarted(
        delivery_id="d1",
        sink="webhook:oncall",
        source_id="n1",
        source_type=queued.TYPE,
        source_subject="notification/n1",
        created_us=now,
    )
    succeeded = DeliverySucceeded(
        delivery_id="d1", sink="webhook:oncall", attempt=1, started_us=now, finished_us=now + 5000
    )
    for body, subject in (
        (created, "obligation/o1"),
        (queued, "notification/n1"),
        (started, "delivery/d1"),
        (succeeded, "delivery/d1"),
    ):
        await house.ledger.append([FactDraft(body, subject, "service:alerting", now)])


async def test_an_active_alert_shows_the_value_of_now_where_rules_are_evaluated(
    house: House,
) -> None:
    await house.alert(AlertFiring, service="order-router", workflow="trade-execution")
    (row,) = await house.ledger.rows("alerts")
    live = ActiveAlert(
        alert_id=row["alert_id"],
        labels={"alertname": "LatencyHigh"},
        annotations={"summary": "as of now"},
        state="firing",
        active_at_ms=row["active_at_ms"],
        value=42.5,
    )
    rule = RuleStatus("LatencyHigh", "alerting", "up", {}, "ok", "", 1, 0.0, {}, alerts=(live,))
    group = RuleGroupStatus("g", "f", 1.0, 0, 1, 0.0, (rule,))
    app = create_app(house.ports(rules=lambda: [group]), ApiConfig())
    client = await house.program("viewer", app)
    (shown,) = (await client.get(f"{PREFIX}/alerts")).json()["alerts"]
    assert (shown["value"], shown["annotations"]) == ("42.5", {"summary": "as of now"})
    (told,) = (await client.get("/api/v1/alerts")).json()["data"]["alerts"]
    assert (told["value"], told["annotations"]) == ("4.25e+01", {"summary": "as of now"})
