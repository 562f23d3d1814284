"""When a group's receiver is told, and why."""

from __future__ import annotations

import pytest

from qvmon.services.alerting.config import RouteConfig
from qvmon.services.alerting.group import Group, Pending, due_us, notification, reason

S = 1_000_000
ROUTE = RouteConfig(group_wait_seconds=10, group_interval_seconds=60, repeat_interval_seconds=3600)


def _group(
    waits: list[tuple[str, int]], firing: tuple[str, ...] = (), notified: int | None = None
) -> Group:
    pending = tuple(Pending(f"o-{a}", a, f"fact-{a}", since * S) for a, since in waits)
    return Group('{}:{service="x"}', "desk", {"service": "x"}, pending, firing, notified)


def _row(alert: str, state: str = "firing") -> dict:
    return {
        "alert_id": alert,
        "state": state,
        "labels": {"alertname": alert},
        "annotations": {},
        "expr": "up == 0",
        "fired_at_us": 5 * S,
        "resolved_at_us": None if state == "firing" else 9 * S,
    }


@pytest.mark.parametrize(
    ("group", "due"),
    [
        (_group([("a", 100), ("b", 105)]), 110),  # the first waits for company
        (_group([("b", 200)], ("a",), 150 * S), 210),  # what is new waits the interval,
        (_group([("b", 230)], ("a",), 150 * S), 240),  # or for company
        (_group([("b", 155)], ("a",), 150 * S), 210),
        (_group([], ("a",), 150 * S), 3750),  # what goes on is repeated
        (_group([]), None),
    ],
)
def test_a_group_is_due_after_the_waits_of_its_route(group: Group, due: int | None) -> None:
    assert due_us(group, ROUTE) == (None if due is None else due * S)


@pytest.mark.parametrize(
    ("group", "firing", "why"),
    [
        (_group([("a", 1)]), {"a"}, "first"),
        (_group([("a", 1)]), set(), "first"),  # over before anybody was told: still told
        (_group([("b", 1)], ("a",), 0), {"a", "b"}, "new_alerts"),
        (_group([("a", 1)], ("a",), 0), {"a"}, "new_alerts"),  # resolved and fired again
        (_group([("a", 1)], ("a", "b"), 0), {"b"}, "resolved"),
        (_group([], ("a",), 0), {"a"}, "repeat"),
        (_group([], ("a",), 0), set(), None),  # its resolution is about to be routed
    ],
)
def test_the_reason_is_named(group: Group, firing: set[str], why: str | None) -> None:
    assert reason(group, frozenset(firing)) == why


def test_a_notification_lists_every_alert_of_the_group_and_settles_what_waits() -> None:
    group = _group([("a", 1), ("b", 2)], ("a", "c"), 0)
    draft = notification(group, [_row("a", "resolved"), _row("b"), _row("c")], 7 * S, "http://q/")
    assert draft is not None
    body = draft.body
    assert (body.status, body.reason, body.receiver) == ("firing", "new_alerts", "desk")
    assert body.obligations == ("o-a", "o-b")
    assert draft.causes == ("fact-a", "fact-b")
    assert [(a.alert_id, a.status, a.starts_at_ms, a.ends_at_ms) for a in body.alerts] == [
        ("a", "resolved", 5000, 9000),
        ("b", "firing", 5000, 0),
        ("c", "firing", 5000, 0),
    ]
    assert body.alerts[0].generator_url == "http://q/graph?g0.expr=up+%3D%3D+0&g0.tab=1"


def test_the_same_decision_has_the_same_id_and_a_repeat_has_another() -> None:
    group = _group([("a", 1)])
    again = [notification(group, [_row("a")], at, "").body.notification_id for at in (1, 2)]
    repeats = [
        notification(_group([], ("a",), at), [_row("a")], 9, "").body.notification_id
        for at in (1, 2)
    ]
    assert len({*again, *repeats}) == 3
