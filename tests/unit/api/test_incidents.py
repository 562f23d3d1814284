"""Incidents over REST: what alerting decides is seen, and what people do is done."""

from __future__ import annotations

from qvmon.model.facts import AlertFiring, AlertResolved, DeliveryStarted, FactDraft
from qvmon.model.ledger import Row

from .conftest import PREFIX, House


async def open_incident(house: House, **labels: str) -> str:
    await house.alert(AlertFiring, service="order-router", workflow="trade-execution", **labels)
    rows = await house.ledger.rows("incidents")
    return str(rows[-1]["incident_id"])


async def test_an_alert_is_seen_as_an_incident_with_its_timeline(house: House) -> None:
    client = await house.browser("ada", "viewer")
    incident_id = await open_incident(house)
    listed = (await client.get(f"{PREFIX}/incidents")).json()["incidents"]
    assert [each["incident_id"] for each in listed] == [incident_id]
    shown = (await client.get(f"{PREFIX}/incidents/{incident_id}")).json()
    assert (shown["status"], shown["severity"]) == ("open", "critical")
    assert (shown["service"], shown["workflow"]) == ("order-router", "trade-execution")
    assert shown["opened_at"].endswith("Z")
    assert shown["resolved_at"] is None
    entries = (await client.get(f"{PREFIX}/incidents/{incident_id}/timeline")).json()["entries"]
    assert [entry["type"] for entry in entries] == ["alert.firing", "incident.opened"]
    assert entries[0]["text"] == "LatencyHigh (order-router) is firing: p99 above 500 ms"


async def test_people_work_an_incident_to_its_end_and_back(house: House) -> None:
    commander = await house.browser("carol", "incident_commander")
    incident_id = await open_incident(house)
    acts = [
        ("acknowledge", {"note": "looking"}, "acknowledged"),
        ("assign", {"assignee": "bob"}, "acknowledged"),
        ("comment", {"text": "the gateway is slow"}, "acknowledged"),
        ("severity", {"severity": "warning", "reason": "one venue only"}, "acknowledged"),
        ("resolve", {"note": "restarted"}, "resolved"),
        ("reopen", {"reason": "it is back"}, "open"),
    ]
    for act, body, status in acts:
        answer = await commander.post(f"{PREFIX}/incidents/{incident_id}/{act}", json=body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["status"] == status
    timeline = (await commander.get(f"{PREFIX}/incidents/{incident_id}/timeline")).json()
    texts = [entry["text"] for entry in timeline["entries"]]
    assert texts[2:] == [
        "carol acknowledged: looking",
        "carol assigned it to bob",
        "carol: the gateway is slow",
        "carol changed severity critical to warning: one venue only",
        "carol resolved it: restarted",
        "re-opened by carol: it is back",
    ]
    assert timeline["entries"][2]["actor"] == "person:carol"


async def test_what_does_not_fit_is_told_apart(house: House) -> None:
    responder = await house.browser("ada", "responder")
    incident_id = await open_incident(house)
    url = f"{PREFIX}/incidents/{incident_id}"
    assert (await responder.post(f"{url}/acknowledge", json={})).status_code == 200
    again = await responder.post(f"{url}/acknowledge", json={})
    assert (again.status_code, again.json()["error"]["kind"]) == (409, "conflict")
    assert (await responder.post(f"{url}/resolve", json={})).status_code == 403
    assert (await responder.post(f"{url}/comment", json={"text": ""})).status_code == 400
    assert (await responder.post(f"{url}/comment", json={})).status_code == 400
    assert (await responder.get(f"{PREFIX}/incidents/none")).status_code == 404
    assert (await responder.get(f"{PREFIX}/incidents?limit=0")).status_code == 400
    wrong = (await responder.get(f"{PREFIX}/incidents?limit=x")).json()["error"]
    assert wrong["field"] == "limit"


async def test_incidents_are_filtered_by_status_and_severity(house: House) -> None:
    client = await house.browser("ada", "viewer")
    await open_incident(house)
    await house.alert(AlertFiring, service="quotes", severity="warning", alertname="Slow")
    await house.alert(AlertResolved, service="quotes", severity="warning", alertname="Slow")
    for query, count in (
        ("", 2),
        ("?status=open", 1),
        ("?status=open&status=resolved", 2),
        ("?severity=warning", 1),
        ("?status=open&severity=warning", 0),
        ("?limit=1", 1),
    ):
        found = (await client.get(f"{PREFIX}/incidents{query}")).json()["incidents"]
        assert len(found) == count, query


async def test_the_audit_trail_hides_secrets_and_is_the_auditors(house: House) -> None:
    auditor = await house.program("auditor")
    facts = (await auditor.get(f"{PREFIX}/facts?type=user.created")).json()["facts"]
    assert facts[0]["body"]["password_hash"] == "***"
    assert len(facts[0]["hash"]) == 64
    subject = facts[0]["subject"]
    of_one = (await auditor.get(f"{PREFIX}/facts", params={"subject": subject})).json()["facts"]
    assert {fact["subject"] for fact in of_one} == {subject}
    assert len((await auditor.get(f"{PREFIX}/facts?limit=1")).json()["facts"]) == 1


async def test_the_timeline_tells_who_was_told_and_not_of_spells_before(house: House) -> None:
    labels = {"service": "order-router", "workflow": "trade-execution"}
    await house.alert(AlertFiring, **labels)
    await house.alert(AlertResolved, **labels)
    house.clock.jump_wall(7200)
    await house.alert(AlertFiring, **labels)
    first, second = sorted(await house.ledger.rows("incidents"), key=lambda row: row["number"])
    started = DeliveryStarted(
        delivery_id="d-1",
        sink="pulsar:incidents",
        source_id="fact",
        source_type="incident.opened",
        source_subject=f"incident/{second['incident_id']}",
        created_us=1,
    )
    now = house.clock.now_ns() // 1000
    await house.ledger.append([FactDraft(started, "delivery/d-1", "service:distribution", now)])
    client = await house.program("viewer")

    async def types(incident: Row) -> list[str]:
        path = f"{PREFIX}/incidents/{incident['incident_id']}/timeline"
        return [entry["type"] for entry in (await client.get(path)).json()["entries"]]

    assert await types(second) == ["alert.firing", "incident.opened", "delivery.started"]
    assert await types(first) == [
        "alert.firing",
        "incident.opened",
        "alert.resolved",
        "incident.alert_resolved",
        "incident.resolved",
    ]
