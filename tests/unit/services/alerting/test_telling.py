"""Transitions to notifications and settled obligations, through crashes and outages."""

from __future__ import annotations

import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import (
    DeliveryDead,
    DeliveryStarted,
    DeliverySucceeded,
    FactDraft,
)
from qvmon.model.labels import Labels
from qvmon.services.alerting import AlertingConfig, RouteConfig
from qvmon.services.alerting.metrics import OBLIGATIONS, UNACCOUNTED

RULES = """\
groups:
  - name: g
    interval: 1s
    rules:
      - {alert: High, expr: x}
"""
A = Labels(service="orders", workflow="trade-execution", instance="a")
B = Labels(service="orders", workflow="trade-execution", instance="b")
C = Labels(service="quotes", instance="c")


@pytest.fixture
async def running(world):
    world.rules = RULES
    world.config = AlertingConfig(
        route=RouteConfig(receivers=("desk",), repeat_interval_seconds=600)
    )
    await world.start()
    yield world
    await world.service.stop()


def _fire(world, *elements: Labels) -> None:
    world.queries.answers["x"] = dict.fromkeys(elements, 1.0)


def _told(world) -> list[tuple[str, str, list[str]]]:
    return [
        (n.reason, n.status, sorted(f"{a.labels['instance']}:{a.status}" for a in n.alerts))
        for n in (fact.body for fact in world.facts("notification"))
    ]


async def _states(world) -> list[str]:
    return sorted(row["state"] for row in await world.ledger.rows("obligations"))


async def test_alerts_of_one_group_are_told_together_and_groups_apart(running) -> None:
    _fire(running, A, C)
    await running.clock.advance(5)
    _fire(running, A, B, C)
    await running.clock.advance(10)
    bodies = [fact.body for fact in running.facts("notification")]
    assert sorted((b.group_key, len(b.alerts), b.reason, b.receiver) for b in bodies) == [
        ('{}:{service="orders", workflow="trade-execution"}', 2, "first", "desk"),
        ('{}:{service="quotes"}', 1, "first", "desk"),
    ]
    assert await _states(running) == ["grouped_into"] * 3


async def test_a_group_is_told_of_new_alerts_of_resolution_and_again_after_a_while(
    running,
) -> None:
    _fire(running, A)
    await running.clock.advance(12)
    _fire(running, A, B)
    await running.clock.advance(70)
    await running.clock.advance(600)
    _fire(running, B)
    await running.clock.advance(70)
    _fire(running)
    await running.clock.advance(70)
    assert _told(running) == [
        ("first", "firing", ["a:firing"]),
        ("new_alerts", "firing", ["a:firing", "b:firing"]),
        ("repeat", "firing", ["a:firing", "b:firing"]),
        ("resolved", "firing", ["a:resolved", "b:firing"]),
        ("resolved", "resolved", ["b:resolved"]),
    ]
    await running.clock.advance(1200)
    assert len(_told(running)) == 5
    _fire(running, A)
    await running.clock.advance(12)
    assert _told(running)[5:] == [("first", "firing", ["a:firing"])]


async def test_an_alert_that_was_over_before_anybody_was_told_is_told(running) -> None:
    _fire(running, A)
    await running.clock.advance(3)
    _fire(running)
    await running.clock.advance(30)
    assert _told(running) == [("first", "resolved", ["a:resolved"])]
    assert await _states(running) == ["grouped_into", "grouped_into"]


async def test_a_restart_repeats_no_first_notification_and_forgets_no_timer(running) -> None:
    _fire(running, A)
    await running.clock.advance(5)
    await running.restart()
    await running.clock.advance(10)
    assert _told(running) == [("first", "firing", ["a:firing"])]
    await running.restart()
    await running.clock.advance(100)
    assert len(_told(running)) == 1
    _fire(running)
    await running.clock.advance(2)
    await running.restart()
    await running.clock.advance(70)
    assert _told(running)[1:] == [("resolved", "resolved", ["a:resolved"])]


async def test_a_ledger_that_is_away_delays_and_loses_nothing(running) -> None:
    _fire(running, A)
    await running.clock.advance(3)
    running.ledger.away = QvmonError(ErrorKind.UNAVAILABLE, "gone")
    await running.clock.advance(120)
    running.ledger.away = None
    await running.clock.advance(5)
    assert _told(running) == [("first", "firing", ["a:firing"])]


async def test_a_transition_nobody_is_to_be_told_of_is_accounted_for(world) -> None:
    world.rules = RULES
    await world.start()
    _fire(world, A)
    await world.clock.advance(61)
    assert await _states(world) == ["no_receiver"]
    assert _told(world) == []
    assert world.registry.value(OBLIGATIONS, "no_receiver").current == 1
    await world.service.stop()


async def _receive(world, kind: type, notification: str, delivery: str) -> None:
    started = DeliveryStarted(
        delivery_id=delivery,
        sink="webhook:desk",
        source_id=notification,
        source_type="notification.queued",
        source_subject="",
        created_us=0,
    )
    receipt = kind(
        delivery_id=delivery, sink="webhook:desk", attempt=1, started_us=0, finished_us=0
    )
    subject = f"delivery/{delivery}"
    drafts = [FactDraft(body, subject, "service:distribution", 0) for body in (started, receipt)]
    await world.ledger.append(drafts)
    await world.clock.advance(1)


async def test_receipts_settle_obligations_and_one_sink_is_enough(running) -> None:
    _fire(running, A, B)
    await running.clock.advance(12)
    (queued,) = (fact.body for fact in running.facts("notification"))
    await _receive(running, DeliveryDead, queued.notification_id, "d1")
    assert await _states(running) == ["dead", "dead"]
    await _receive(running, DeliverySucceeded, queued.notification_id, "d2")
    assert await _states(running) == ["delivered", "delivered"]
    await _receive(running, DeliveryDead, queued.notification_id, "d1")
    assert await _states(running) == ["delivered", "delivered"]


async def test_every_obligation_is_counted_in_one_state_each_minute(running) -> None:
    _fire(running, A)
    await running.clock.advance(12)
    (queued,) = (fact.body for fact in running.facts("notification"))
    await _receive(running, DeliverySucceeded, queued.notification_id, "d1")
    _fire(running, A, C)
    await running.clock.advance(15)
    _fire(running, A, B, C)
    await running.clock.advance(33)
    counts = {
        state: running.registry.value(OBLIGATIONS, state).current
        for state in ("queued", "grouped_into", "delivered", "dead", "no_receiver")
    }
    assert counts == {"queued": 1, "grouped_into": 1, "delivered": 1, "dead": 0, "no_receiver": 0}
    assert running.registry.value(UNACCOUNTED).current == 0


async def test_tables_are_what_the_facts_say(running) -> None:
    """Delete the projections and the facts rebuild them."""
    _fire(running, A, B)
    await running.clock.advance(12)
    _fire(running, A)
    await running.clock.advance(90)
    names = ("alerts", "obligations", "notification_groups")
    before = [await running.ledger.rows(name) for name in names]
    running.ledger.rebuild()
    assert [await running.ledger.rows(name) for name in names] == before
    assert all(before)
