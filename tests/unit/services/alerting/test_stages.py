"""Rules that need nothing from one another are evaluated at the same moment."""

from __future__ import annotations

import pytest

from qvmon.services.alerting.stages import stages
from qvmon.wire.rule_file import decode

from .conftest import World

GROUP = "groups: [{name: g, rules: [%s]}]"


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        (["{record: a, expr: x}", "{record: b, expr: y}", "{alert: C, expr: z}"], [[0, 1, 2]]),
        (["{record: a, expr: x}", "{record: b, expr: 'rate(a[5m])'}"], [[0], [1]]),
        (["{record: b, expr: 'rate(a[5m])'}", "{record: a, expr: x}"], [[0, 1]]),
        (["{record: a, expr: x}", "{record: a, expr: y, labels: {l: v}}"], [[0], [1]]),
        (["{record: a, expr: x}", "{record: b, expr: '{job=\"j\"}'}"], [[0], [1]]),
        (["{record: a, expr: x}", "{alert: B, expr: '{__name__=~\"[bc]\"}'}"], [[0, 1]]),
        (["{alert: A, expr: x}", "{record: b, expr: count(ALERTS)}"], [[0], [1]]),
        (
            [
                "{record: a, expr: x}",
                "{alert: B, expr: y, annotations: {t: '{{ query \"a\" }}'}}",
                "{record: c, expr: a}",
                "{record: d, expr: c}",
                "{record: e, expr: x}",
            ],
            [[0, 4], [1, 2], [3]],
        ),
    ],
)
def test_a_rule_comes_after_those_it_may_read(rules: list[str], expected: list[list[int]]) -> None:
    (group,) = decode(GROUP % ", ".join(rules), "rules.yml")
    assert stages(group.rules) == expected


async def test_rules_of_groups_that_meet_are_asked_at_once(world: World) -> None:
    """One request carries what all groups of the same instant ask."""
    asked = []
    many = world.queries.many

    def watched(principal, queries, **more):
        asked.append([text for text, _ in queries])
        return many(principal, queries, **more)

    world.queries.many = watched
    world.config = world.config.model_copy(update={"evaluation_interval_seconds": 1.0})
    world.rules = (
        "groups: [{name: g, rules: [{record: a, expr: x}, {record: b, expr: y},"
        "{record: c, expr: a}]},"
        "{name: h, rules: [{alert: D, expr: z}]}]"
    )
    await world.start()
    await world.clock.advance(1.0)
    assert sorted(map(sorted, asked)) == [["a"], ["x", "y", "z"]]
    await world.service.stop()
