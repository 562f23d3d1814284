"""What facts say to webhooks, people and programs."""

from __future__ import annotations

import msgspec

from qvmon.model.events import AlertFiredEvent, AlertResolvedEvent, IncidentUpdatedEvent
from qvmon.model.facts import (
    AlertFiring,
    AlertResolved,
    Fact,
    FactBody,
    IncidentAlertAttached,
    IncidentCommented,
    IncidentOpened,
    IncidentResolved,
    NotificationQueued,
    NotifiedAlert,
)
from qvmon.services.distribution import (
    AlertEvents,
    IncidentEvents,
    MailNotifications,
    WebhookNotifications,
)
from qvmon.services.distribution.rendering import INCIDENT_TYPES
from qvmon.wire import cloudevents


def fact(body: FactBody, subject: str, seq: int = 1) -> Fact:
    return Fact("main", seq, body.TYPE, 1, subject, 5_000_000, 6_000_000, "person:ada", (), "",
                body, b"", b"")  # fmt: skip


def alert(name: str, status: str = "firing", **labels: str) -> NotifiedAlert:
    return NotifiedAlert(
        alert_id=name,
        status=status,
        labels={"alertname": name, **labels},
        annotations={"summary": f"{name} is <b>bad</b>\nvery"},
        starts_at_ms=1_700_000_000_000,
        ends_at_ms=1_700_000_060_000 if status == "resolved" else 0,
        generator_url="http://q/graph?g0.expr=up",
    )


def notification(*alerts: NotifiedAlert, receiver: str = "oncall") -> Fact:
    firing = any(each.status == "firing" for each in alerts)
    body = NotificationQueued(
        notification_id="n1",
        receiver=receiver,
        group_key="{}:{}",
        group_labels={"service": "router", "workflow": "trade-execution"},
        status="firing" if firing else "resolved",
        alerts=alerts,
        obligations=(),
        reason="first",
    )
    return fact(body, "notification/n1")


MAIL = MailNotifications("oncall", "http://qvmon.example/?a=1&b=2")


def test_a_mails_title_counts_what_fires_and_says_where() -> None:
    content = MAIL.content(notification(alert("A"), alert("B"), alert("C", "resolved")), None)
    assert content
    assert content.title == "[FIRING:2] A, B, C (router trade-execution)"
    over = MAIL.content(notification(alert("A", "resolved")), None)
    assert over
    assert over.title == "[RESOLVED] A (router trade-execution)"


def test_a_title_is_one_line_of_bounded_length_whatever_the_labels_say() -> None:
    content = MAIL.content(notification(*(alert(f"A{i}\r\nBcc: x{i}") for i in range(99))), None)
    assert content
    assert "\n" not in content.title
    assert len(content.title) == 200


def test_a_mail_shows_firing_alerts_first_as_text_and_as_escaped_html() -> None:
    content = MAIL.content(notification(alert("Done", "resolved"), alert("Now", pod="p<1>")), None)
    assert content
    text, html = (part.body.decode() for part in content.parts)
    assert [part.media_type for part in content.parts] == ["text/plain", "text/html"]
    assert text.index("FIRING: Now") < text.index("RESOLVED: Done")
    assert "until: 2023-11-14 22:14:20 UTC" in text
    assert "Now is <b>bad</b>" in text
    assert "Now is &lt;b&gt;bad&lt;/b&gt;" in html
    assert "p&lt;1&gt;" in html
    assert "a=1&amp;b=2" in html
    assert "<script" not in html


def test_a_receiver_gets_only_its_own_notifications() -> None:
    theirs = notification(alert("A"), receiver="other")
    assert MAIL.content(theirs, None) is None
    assert WebhookNotifications("oncall", "").content(theirs, None) is None


def test_a_notification_is_keyed_by_its_group_and_named_by_its_id() -> None:
    content = WebhookNotifications("oncall", "").content(notification(alert("A")), None)
    assert content
    assert (content.source_id, content.key) == ("n1", "{}:{}")


def transition(kind: type[AlertFiring | AlertResolved]) -> Fact:
    body = kind(
        alert_id="a",
        rule="HighLatency",
        group="g",
        file="f",
        labels={"service": "router", "severity": "critical"},
        annotations={"summary": "slow"},
        value="1.2",
        expr="up",
        active_at_ms=7,
        event_ms=8,
        decided_us=9,
    )
    return fact(body, "alert/a")


def test_alert_transitions_are_events_with_the_labels_that_mean_something() -> None:
    rendering = AlertEvents("/q")
    for kind, event in ((AlertFiring, AlertFiredEvent), (AlertResolved, AlertResolvedEvent)):
        content = rendering.content(transition(kind), None)
        assert content
        envelope = cloudevents.decode(content.body.body)
        assert envelope.type == f"quantivista.monitoring.v1.{event.__name__}"
        assert (envelope.id, envelope.source, envelope.subject) == ("main:1", "/q", "alert/a")
        assert envelope.time_us == 5_000_000
        told = msgspec.json.decode(envelope.data, type=event)
        assert (told.severity, told.service, told.workflow) == ("critical", "router", "")
        assert (told.active_at_ms, told.decided_us, told.value) == (7, 9, "1.2")


OPENED = fact(
    IncidentOpened(
        incident_id="i",
        number=3,
        title="t",
        severity="warning",
        service="s",
        workflow="w",
        alert_ids=("a",),
    ),
    "incident/i",
)


def test_an_incident_event_shows_the_incident_as_it_was_right_after_the_fact() -> None:
    attached = fact(
        IncidentAlertAttached(incident_id="i", alert_id="b", rule="B", severity="info"),
        "incident/i",
        2,
    )
    rendering = IncidentEvents("/q")
    state = rendering.fold(rendering.fold(None, OPENED), attached)
    content = rendering.content(attached, state)
    assert content
    assert content.key == "incident/i"
    event = msgspec.json.decode(
        cloudevents.decode(content.body.body).data, type=IncidentUpdatedEvent
    )
    assert event.change == "alert_attached"
    assert (event.alert_id, event.alert_count, event.open_alert_count) == ("b", 2, 2)
    assert (event.status, event.number, event.actor) == ("open", 3, "person:ada")


def test_what_people_write_is_not_published() -> None:
    said = fact(IncidentCommented(incident_id="i", text="call Bob at home"), "incident/i", 2)
    over = fact(IncidentResolved(incident_id="i", automatic=False, note="at home"), "incident/i", 3)
    rendering = IncidentEvents("/q")
    state = rendering.fold(None, OPENED)
    for each in (said, over):
        state = rendering.fold(state, each)
        content = rendering.content(each, state)
        assert content
        assert b"at home" not in content.body.body


def test_every_incident_fact_is_published() -> None:
    assert IncidentEvents("/q").types == INCIDENT_TYPES
    assert len(INCIDENT_TYPES) == 9
