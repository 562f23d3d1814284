"""Alertmanager's webhook body, version 4."""

from __future__ import annotations

import json

import pytest

from qvmon.model.facts import NotificationQueued, NotifiedAlert
from qvmon.wire.alertmanager_webhook import common, encode, fingerprint


def alert(**changes: object) -> NotifiedAlert:
    fields = {
        "alert_id": "a",
        "status": "firing",
        "labels": {"service": "router", "alertname": "A"},
        "annotations": {"summary": "slow"},
        "starts_at_ms": 1_700_000_000_120,
        "generator_url": "http://q/graph",
    }
    return NotifiedAlert(**{**fields, **changes})


def body(*alerts: NotifiedAlert, max_alerts: int = 0) -> dict:
    notification = NotificationQueued(
        notification_id="n",
        receiver="oncall",
        group_key='{}:{service="router"}',
        group_labels={"service": "router"},
        status="firing",
        alerts=alerts,
        obligations=(),
        reason="first",
    )
    return json.loads(encode(notification, "http://q", max_alerts))


def test_the_body_has_alertmanagers_members() -> None:
    assert body(alert()) == {
        "receiver": "oncall",
        "status": "firing",
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "A", "service": "router"},
                "annotations": {"summary": "slow"},
                "startsAt": "2023-11-14T22:13:20.12Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": "http://q/graph",
                "fingerprint": fingerprint({"alertname": "A", "service": "router"}),
            }
        ],
        "groupLabels": {"service": "router"},
        "commonLabels": {"alertname": "A", "service": "router"},
        "commonAnnotations": {"summary": "slow"},
        "externalURL": "http://q",
        "version": "4",
        "groupKey": '{}:{service="router"}',
        "truncatedAlerts": 0,
    }


@pytest.mark.parametrize(
    ("labels", "expected"),
    [  # prometheus/common model/signature_test.go
        ({}, 14695981039346656037),
        ({"name": "garland, briggs", "fear": "love is not enough"}, 5799056148416392346),
    ],
)
def test_the_fingerprint_is_prometheus_own(labels: dict[str, str], expected: int) -> None:
    assert fingerprint(labels) == f"{expected:016x}"


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (1_700_000_000_000, "2023-11-14T22:13:20Z"),
        (1_700_000_000_500, "2023-11-14T22:13:20.5Z"),
        (1_700_000_000_005, "2023-11-14T22:13:20.005Z"),
    ],
)
def test_times_look_as_go_writes_them(time_ms: int, text: str) -> None:
    resolved = alert(status="resolved", ends_at_ms=time_ms)
    assert body(resolved)["alerts"][0]["endsAt"] == text


def test_common_labels_are_those_every_alert_has_with_one_value() -> None:
    assert common([{"a": "1", "b": "2"}, {"a": "1", "b": "3"}, {"a": "1"}]) == {"a": "1"}
    assert common([]) == {}


def test_alerts_beyond_the_limit_are_left_out_and_counted_but_still_say_what_is_common() -> None:
    other = alert(labels={"alertname": "B", "service": "router"})
    limited = body(alert(), other, max_alerts=1)
    assert len(limited["alerts"]) == 1
    assert limited["truncatedAlerts"] == 1
    assert limited["commonLabels"] == {"service": "router"}
