"""An incident as its facts tell it."""

from __future__ import annotations

import itertools

import pytest

from qvmon.model.facts import (
    FactBody,
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
from qvmon.model.incident import Incident, IncidentStatus, Severity, evolve, opened


@pytest.fixture
def incident() -> Incident:
    body = IncidentOpened(
        incident_id="i",
        number=1,
        title="t",
        severity="warning",
        service="s",
        workflow="w",
        alert_ids=("a",),
    )
    return opened(body, 10)


def lived(incident: Incident, *bodies: FactBody) -> Incident:
    for at, body in enumerate(bodies, start=11):
        incident = evolve(incident, body, at, "person:ada")
    return incident


@pytest.mark.parametrize(
    ("label", "severity"),
    [("critical", "critical"), ("warning", "warning"), ("info", "info"), ("page", "warning"),
     ("", "warning"), ("CRITICAL", "warning")],
)  # fmt: skip
def test_an_unknown_severity_is_a_warning(label: str, severity: str) -> None:
    assert Severity.of_label(label) == severity


def test_critical_is_worse_than_warning_is_worse_than_info() -> None:
    ordered = [Severity.INFO, Severity.WARNING, Severity.CRITICAL]
    for better, worse in itertools.pairwise(ordered):
        assert worse.is_worse_than(better)
        assert not better.is_worse_than(worse)
        assert not worse.is_worse_than(worse)


def test_reopening_takes_back_what_acknowledging_and_resolving_said(incident: Incident) -> None:
    over = lived(
        incident,
        IncidentAcknowledged(incident_id="i"),
        IncidentAssigned(incident_id="i", assignee="bob"),
        IncidentResolved(incident_id="i", automatic=False),
    )
    assert over.status is IncidentStatus.RESOLVED
    assert (over.acknowledged_at_us, over.acknowledged_by, over.resolved_at_us) == (
        11,
        "person:ada",
        13,
    )
    again = lived(over, IncidentReopened(incident_id="i", reason="not over"))
    assert again.status is IncidentStatus.OPEN
    assert (again.acknowledged_at_us, again.acknowledged_by, again.resolved_at_us) == (
        None,
        "",
        None,
    )
    assert again.assignee == "bob"


def test_it_is_quiet_since_its_last_firing_alert_resolved(incident: Incident) -> None:
    two = lived(
        incident,
        IncidentAlertAttached(incident_id="i", alert_id="b", rule="B", severity="critical"),
        IncidentAlertResolved(incident_id="i", alert_id="a", rule="A"),
    )
    assert (two.open_alert_ids, two.quiet_since_us) == (("b",), None)
    assert (two.alert_severity, two.severity) == (Severity.CRITICAL, Severity.WARNING)
    quiet = evolve(two, IncidentAlertResolved(incident_id="i", alert_id="b", rule="B"), 30, "x")
    assert (quiet.open_alert_ids, quiet.quiet_since_us) == ((), 30)
    assert quiet.alert_ids == ("a", "b")


def test_a_comment_changes_only_when_it_was_last_touched(incident: Incident) -> None:
    said = evolve(incident, IncidentCommented(incident_id="i", text="hm"), 99, "person:ada")
    assert said == Incident(**{**_fields(incident), "updated_at_us": 99})


def test_a_late_fact_does_not_set_the_clock_back(incident: Incident) -> None:
    changed = IncidentSeverityChanged(incident_id="i", severity="info", previous="warning")
    assert evolve(incident, changed, 5, "person:ada").updated_at_us == 10


def _fields(incident: Incident) -> dict[str, object]:
    return {name: getattr(incident, name) for name in Incident.__dataclass_fields__}
