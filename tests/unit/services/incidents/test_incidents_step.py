"""The rules of incidents, as stories of alert transitions."""

from __future__ import annotations

from itertools import count

from qvmon.model.facts import AlertFiring, AlertResolved, AlertTransition, Fact, IncidentOpened
from qvmon.model.incident import Incident, IncidentStatus, Severity
from qvmon.services.incidents.step import Book, Group, step

MINUTE_US = 60_000_000
WINDOW_US = 30 * MINUTE_US


class Story:
    """Feeds alert transitions to the step one by one and remembers what came of it."""

    def __init__(self) -> None:
        self.book = Book({}, 1)
        self.types: list[str] = []
        self.bodies = []
        self._numbers = count(1)

    def fire(self, alert: str, minute: float = 0, **labels: str) -> list[str]:
        return self._feed([self.fact(AlertFiring, alert, minute, labels)])

    def resolve(self, alert: str, minute: float = 0, **labels: str) -> list[str]:
        return self._feed([self.fact(AlertResolved, alert, minute, labels)])

    def fact(self, kind: type[AlertTransition], alert: str, minute: float, labels: dict) -> Fact:
        at = int(minute * MINUTE_US)
        body = kind(
            alert_id=alert,
            rule=alert.split("@", maxsplit=1)[0],
            group="g",
            file="f",
            labels={"service": "router", "workflow": "trade-execution"} | labels,
            annotations={},
            value="1",
            expr="up",
            active_at_ms=at // 1000,
            event_ms=at // 1000,
            decided_us=at + 7,
        )
        seq = next(self._numbers)
        return Fact(
            "a", seq, body.TYPE, 1, f"alert/{alert}", at, at, "service:alerting", (), "tp", body,
            b"", b"",
        )  # fmt: skip

    def _feed(self, facts: list[Fact]) -> list[str]:
        self.book, drafts = step(self.book, facts, WINDOW_US)
        self.drafts = drafts
        return [draft.body.TYPE.removeprefix("incident.") for draft in drafts]

    @property
    def incident(self) -> Incident:
        return self.book.latest[Group("router", "trade-execution")]


def test_the_first_alert_opens_an_incident_that_names_it() -> None:
    story = Story()
    assert story.fire("HighLatency", 2, severity="critical") == ["opened"]
    body = story.drafts[0].body
    assert isinstance(body, IncidentOpened)
    assert (body.number, body.severity, body.alert_ids, body.rules) == (
        1, "critical", ("HighLatency",), ("HighLatency",),
    )  # fmt: skip
    assert body.title == "HighLatency on trade-execution/router"
    assert body.detected_us == 2 * MINUTE_US + 7
    draft = story.drafts[0]
    assert draft.causes == ("a:1",)
    assert draft.traceparent == "tp"
    assert draft.occurred_at == 2 * MINUTE_US


def test_a_later_alert_of_the_same_service_and_workflow_is_attached() -> None:
    story = Story()
    story.fire("A")
    assert story.fire("B", 1) == ["alert_attached"]
    assert story.incident.alert_ids == ("A", "B")


def test_alerts_of_other_services_open_incidents_numbered_without_gaps() -> None:
    story = Story()
    for service in ("a", "b", "", "c"):
        story.fire(f"A@{service}", service=service)
    story.fire("A@nothing", service="", workflow="")
    assert sorted(each.number for each in story.book.latest.values()) == [1, 2, 3, 4, 5]
    assert story.book.next_number == 6


def test_missing_labels_count_as_empty() -> None:
    assert Group.of({}) == Group.of({"service": "", "workflow": ""}) == Group("", "")


def test_an_alert_without_a_known_severity_is_a_warning() -> None:
    story = Story()
    story.fire("A", severity="page")
    assert story.incident.severity is Severity.WARNING


def test_a_worse_alert_raises_the_severity_and_a_milder_one_does_not() -> None:
    story = Story()
    story.fire("A", severity="info")
    assert story.fire("B", severity="critical") == ["alert_attached", "severity_changed"]
    assert story.fire("C", severity="warning") == ["alert_attached"]
    assert story.incident.severity is Severity.CRITICAL


def test_the_incident_resolves_with_its_last_alert_only() -> None:
    story = Story()
    story.fire("A")
    story.fire("B")
    assert story.resolve("A", 1) == ["alert_resolved"]
    assert story.resolve("B", 2) == ["alert_resolved", "resolved"]
    assert story.incident.status is IncidentStatus.RESOLVED
    assert story.incident.resolved_at_us == 2 * MINUTE_US


def test_a_repeated_transition_changes_nothing() -> None:
    story = Story()
    story.fire("A")
    assert story.fire("A") == []
    story.resolve("A")
    assert story.resolve("A") == []


def test_a_resolution_of_an_alert_nobody_saw_fire_changes_nothing() -> None:
    assert Story().resolve("A") == []


def test_firing_again_within_the_window_reopens_the_same_incident() -> None:
    story = Story()
    story.fire("A")
    story.resolve("A", 10)
    assert story.fire("A", 40) == ["reopened", "alert_attached"]
    assert story.incident.number == 1
    assert story.incident.status is IncidentStatus.OPEN
    assert story.drafts[0].body.reason == "A fired again 1800 s after the incident was resolved"


def test_firing_again_after_the_window_opens_the_next_incident() -> None:
    story = Story()
    story.fire("A")
    story.resolve("A", 10)
    assert story.fire("A", 40.1) == ["opened"]
    assert story.incident.number == 2


def test_a_flap_within_one_page_is_told_in_full() -> None:
    story = Story()
    facts = [
        story.fact(AlertFiring, "A", 0, {}),
        story.fact(AlertResolved, "A", 1, {}),
        story.fact(AlertFiring, "A", 2, {}),
    ]
    assert story._feed(facts) == [
        "opened", "alert_resolved", "resolved", "reopened", "alert_attached",
    ]  # fmt: skip


def test_one_page_and_many_pages_decide_the_same() -> None:
    script = [(AlertFiring, "A"), (AlertFiring, "B"), (AlertResolved, "A"), (AlertResolved, "B")]
    whole, parts = Story(), Story()
    whole._feed([whole.fact(kind, name, i, {}) for i, (kind, name) in enumerate(script)])
    for i, (kind, name) in enumerate(script):
        parts._feed([parts.fact(kind, name, i, {})])
    assert whole.book == parts.book
