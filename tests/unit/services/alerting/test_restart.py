"""A restart between any two ticks changes nothing that is decided or told."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.labels import Labels
from qvmon.services.alerting import AlertingConfig, RouteConfig

RULES = """\
groups:
  - name: g
    interval: 10s
    rules:
      - {alert: Now, expr: x > 1, labels: {service: orders}}
      - {alert: Later, expr: x > 1, for: 20s, annotations: {at: "{{ $value }}"}}
"""
ELEMENTS = [Labels(i="a"), Labels(i="b")]
# No timer may fall due together with a tick, for then either may come first.
ROUTE = RouteConfig(
    receivers=("desk",),
    group_wait_seconds=4,
    group_interval_seconds=27,
    repeat_interval_seconds=61,
)
histories = st.lists(st.sets(st.sampled_from(ELEMENTS)), min_size=1, max_size=12)


async def _story(
    make_world, history: list[set[Labels]], restarts: set[int]
) -> list[tuple[object, ...]]:
    world = make_world()
    world.rules = RULES
    world.config = AlertingConfig(external_labels={"site": "ldn"}, route=ROUTE)
    await world.start()
    await world.clock.advance(0.5)
    for tick, present in enumerate(history):
        world.queries.answers["x > 1"] = {
            each: float(tick + 2) for each in sorted(present, key=Labels.pairs)
        }
        if tick in restarts:
            await world.restart()
        await world.clock.advance(10)
    await world.clock.advance(30)
    await world.service.stop()
    return [_what(fact) for fact in world.ledger.facts]


def _what(fact) -> tuple[object, ...]:
    body = fact.body
    if fact.type.startswith("alert."):
        told = (fact.type, fact.occurred_at, body.alert_id, body.labels, body.active_at_ms)
        if fact.type in ("alert.resolved", "alert.cleared"):
            return told  # the value is the last one seen, and a restart has seen only the facts
        return (*told, body.annotations, body.value)
    if fact.type == "obligation.created":
        return (fact.type, body.obligation_id)
    alerts = sorted((each.alert_id, each.status, each.starts_at_ms) for each in body.alerts)
    return (fact.type, body.notification_id, body.reason, body.status, alerts)


@given(histories, st.sets(st.integers(0, 11), min_size=1))
@settings(max_examples=20, deadline=None)
def test_the_same_facts_whenever_it_is_restarted(
    make_world, history: list[set[Labels]], restarts: set[int]
) -> None:
    assert asyncio.run(_story(make_world, history, restarts)) == asyncio.run(
        _story(make_world, history, set())
    )
