"""Rules to facts, samples and status, with results as scripted."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.services.alerting import AlertingConfig
from qvmon.services.alerting.metrics import MISSED_TICKS
from qvmon.testing.clock import settle

RULES = """\
groups:
  - name: g
    interval: 10s
    rules:
      - record: job:x
        expr: sum(x)
        labels: {team: core}
      - alert: High
        expr: job:x > 5
        for: 20s
        labels: {severity: critical, zone: "{{ $labels.job }}-z"}
        annotations:
          summary: "{{ $labels.job }} is {{ $value }} in {{ $externalLabels.cluster }}"
"""
FIRING = Labels(alertname="High", job="a", severity="critical", zone="a-z")


@pytest.fixture
async def running(world):
    world.rules = RULES
    world.config = AlertingConfig(external_labels={"cluster": "ldn", "job": "never"})
    await world.start()
    yield world
    await world.service.stop()


async def _ticks(world, count: int) -> None:
    await world.clock.advance(10 * count)


async def test_an_alert_is_pending_then_fires_then_resolves(running) -> None:
    running.queries.answers["job:x > 5"] = {Labels(__name__="job:x", job="a"): 7.5}
    await _ticks(running, 3)
    running.queries.answers["job:x > 5"] = {}
    await _ticks(running, 1)
    assert running.types() == ["alert.pending", "alert.firing", "alert.resolved"]
    pending, firing, resolved = (fact.body for fact in running.facts())
    assert firing.labels == {**FIRING, "cluster": "ldn"}
    assert firing.external_labels == ("cluster",)
    assert firing.annotations == {"summary": "a is 7.5 in ldn"}
    assert (firing.value, firing.expr, firing.group) == ("7.5", "job:x > 5", "g")
    assert firing.event_ms - firing.active_at_ms == 20_000
    assert firing.alert_id == pending.alert_id == resolved.alert_id
    assert resolved.annotations == firing.annotations
    fact = running.facts()[1]
    assert (fact.actor, fact.subject) == ("rule:g/High", f"alert/{firing.alert_id}")
    assert fact.occurred_at == firing.event_ms * 1000


async def test_an_alert_that_never_fired_is_cleared(running) -> None:
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(running, 1)
    running.queries.answers["job:x > 5"] = {}
    await _ticks(running, 1)
    assert running.types() == ["alert.pending", "alert.cleared"]
    assert await running.ledger.rows("alerts") == []


async def test_series_of_rules_are_written_and_end_with_a_staleness_marker(running) -> None:
    running.queries.answers["sum(x)"] = {Labels(__name__="x", job="a", team="t"): 3.0}
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(running, 3)
    running.queries.answers = {}
    await _ticks(running, 1)
    recorded = running.sink.of("job:x")
    assert [value for _, _, value in recorded] == [3.0, 3.0, 3.0, "stale"]
    assert {labels for labels, _, _ in recorded} == {Labels(job="a", team="core")}
    alerts = [(labels["alertstate"], value) for labels, _, value in running.sink.of("ALERTS")]
    assert alerts == [
        ("pending", 1.0),
        ("pending", 1.0),
        ("firing", 1.0),
        ("pending", "stale"),
        ("firing", "stale"),
    ]
    began = running.facts()[0].body.active_at_ms // 1000
    since = running.sink.of("ALERTS_FOR_STATE")
    assert [value for _, _, value in since] == [began, began, began, "stale"]
    assert {labels for labels, _, _ in since} == {FIRING}


async def test_samples_are_durable_before_the_next_rule_asks_and_before_the_facts(running) -> None:
    seen = []

    def look(text: str) -> None:
        seen.append((text, len(running.sink.samples), len(running.ledger.facts)))

    running.queries.before = look
    running.queries.answers = {"sum(x)": {Labels(): 1.0}, "job:x > 5": {Labels(job="a"): 7.0}}
    await _ticks(running, 1)
    assert seen == [("sum(x)", 0, 0), ("job:x > 5", 1, 0)]


async def test_a_failed_query_never_closes_an_alert(running) -> None:
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(running, 3)
    running.queries.answers["job:x > 5"] = QvmonError(ErrorKind.TIMEOUT, "too slow")
    await _ticks(running, 200)
    (rule,) = [r for g in running.service.rule_groups() for r in g.rules if r.name == "High"]
    assert (rule.health, rule.last_error, rule.state) == ("err", "too slow", "firing")
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(running, 1)
    assert running.types() == ["alert.pending", "alert.firing"]


async def test_what_is_wrong_with_a_rule_is_logged_once_until_it_is_something_else(running) -> None:
    defect = ZeroDivisionError("a defect")

    def break_down(_: str) -> None:
        raise defect

    with capture_logs() as logs:
        running.queries.before = break_down
        await _ticks(running, 3)
        running.queries.before = lambda _: None
        running.queries.answers["job:x > 5"] = QvmonError(ErrorKind.TIMEOUT, "too slow")
        await _ticks(running, 3)
        running.queries.answers["job:x > 5"] = {}
        await _ticks(running, 1)
        running.queries.answers["job:x > 5"] = QvmonError(ErrorKind.TIMEOUT, "too slow")
        await _ticks(running, 1)
    of_rule = [each for each in logs if each["event"] == "rule failed" and each["rule"] == "High"]
    said = [(each["error"], each["exc_info"]) for each in of_rule]
    assert said == [("ZeroDivisionError: a defect", defect)] + 2 * [("too slow", None)]


async def test_an_alert_outlives_its_samples_while_its_targets_are_down(running) -> None:
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(running, 3)
    running.queries.answers = {
        "up": {Labels(job="a", instance="1"): 0.0, Labels(job="b", instance="2"): 1.0}
    }
    await _ticks(running, 80)
    assert running.types() == ["alert.pending", "alert.firing"]
    assert running.registry.collect()
    assert running.registry.value(_held()).current == 1
    await _ticks(running, 20)
    assert running.types()[2:] == ["alert.resolved"]


def _held():
    from qvmon.services.alerting.metrics import HELD

    return HELD


async def test_an_alert_resolves_when_some_of_its_targets_are_up(running) -> None:
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(running, 3)
    running.queries.answers = {
        "up": {Labels(job="a", instance="1"): 0.0, Labels(job="a", instance="2"): 1.0}
    }
    await _ticks(running, 1)
    assert running.types()[2:] == ["alert.resolved"]


async def test_a_restart_neither_loses_the_for_nor_fires_twice(running) -> None:
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(running, 2)
    await running.restart()
    await _ticks(running, 1)
    assert running.types() == ["alert.pending", "alert.firing"]
    await running.restart()
    await _ticks(running, 2)
    assert running.types() == ["alert.pending", "alert.firing"]
    running.queries.answers = {}
    await _ticks(running, 1)
    assert running.types() == ["alert.pending", "alert.firing", "alert.resolved"]
    bodies = [fact.body for fact in running.facts()]
    assert len({body.alert_id for body in bodies}) == 1
    assert bodies[2].annotations == bodies[1].annotations
    assert bodies[2].value == bodies[1].value == "7"
    assert running.sink.of("ALERTS")[-1][2] == "stale"


async def test_after_a_restart_a_rate_that_lacks_samples_resolves_nothing(world) -> None:
    """Until its window has passed, or what it measures is there again."""
    world.rules = RULES.replace("job:x > 5", "rate(y[1m]) > 5")
    await world.start()
    world.queries.answers["rate(y[1m]) > 5"] = {Labels(job="a"): 7.0, Labels(job="b"): 7.0}
    await _ticks(world, 3)
    world.queries.answers = {}
    await world.restart()
    await _ticks(world, 3)
    assert "alert.resolved" not in world.types()
    world.queries.answers["rate(y[1m])"] = {Labels(job="a"): 1.0}
    await _ticks(world, 1)
    resolved = [f.body.labels["job"] for f in world.facts() if f.type == "alert.resolved"]
    assert resolved == ["a"]
    await _ticks(world, 4)
    resolved = [f.body.labels["job"] for f in world.facts() if f.type == "alert.resolved"]
    assert resolved == ["a", "b"]
    await world.service.stop()


async def test_evaluation_waits_at_start_until_sources_have_reported(world) -> None:
    world.rules, world.ready = RULES, asyncio.Event()
    await world.start()
    await _ticks(world, 2)
    assert world.queries.asked == []
    world.ready.set()
    await _ticks(world, 2)
    assert world.queries.asked
    await world.service.stop()


async def test_the_wait_at_start_is_bounded_and_nothing_resolves_meanwhile(world) -> None:
    world.rules = RULES
    await world.start()
    world.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(world, 3)
    world.ready, world.queries.answers = asyncio.Event(), {}
    await world.restart()
    await _ticks(world, 10)
    assert world.queries.asked[-1][0] == "job:x > 5"
    assert world.types() == ["alert.pending", "alert.firing"]
    world.ready.set()
    await _ticks(world, 1)
    assert world.types()[2:] == ["alert.resolved"]
    await world.service.stop()


async def test_an_alert_whose_rule_is_gone_ends_at_start(running) -> None:
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(running, 3)
    running.rules = RULES.replace("High", "Higher")
    await running.restart()
    assert running.types()[2:] == ["alert.resolved"]


async def test_two_rows_with_the_same_alert_labels_are_an_error(running) -> None:
    running.queries.answers["job:x > 5"] = {
        Labels(__name__="a", job="a"): 7.0,
        Labels(__name__="b", job="a"): 7.0,
    }
    await _ticks(running, 1)
    rule = running.service.rule_groups()[0].rules[1]
    assert rule.last_error.startswith("vector contains metrics with the same labelset")
    assert running.types() == []


async def test_decisions_are_kept_while_the_ledger_is_away(running) -> None:
    running.ledger.away = QvmonError(ErrorKind.UNAVAILABLE, "gone")
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(running, 3)
    running.ledger.away = None
    await _ticks(running, 1)
    assert running.types() == ["alert.pending", "alert.firing"]


async def test_a_store_that_is_away_is_told_and_loses_no_alert(running) -> None:
    running.sink.away = QvmonError(ErrorKind.UNAVAILABLE, "no disk")
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(running, 3)
    assert running.types() == ["alert.pending", "alert.firing"]
    assert running.service.rule_groups()[0].rules[1].last_error == "no disk"


async def test_a_rule_that_exceeds_its_limit_says_so_and_changes_nothing(world) -> None:
    world.rules = RULES.replace("interval: 10s", "interval: 10s\n    limit: 1")
    await world.start()
    world.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0, Labels(job="b"): 7.0}
    await _ticks(world, 2)
    assert world.types() == []
    rule = world.service.rule_groups()[0].rules[1]
    assert rule.last_error == "exceeded limit of 1 with 2 alerts"
    await world.service.stop()


async def test_templates_may_ask_queries_and_their_failure_stays_in_the_text(world) -> None:
    world.rules = RULES.replace(
        "{{ $labels.job }} is {{ $value }} in {{ $externalLabels.cluster }}",
        "{{ query 'up' | first | value }}".replace("'", "`"),
    ).replace("for: 20s", "for: 0s")
    await world.start()
    world.queries.answers = {"job:x > 5": {Labels(job="a"): 7.0}, "up": {Labels(): 3.0}}
    await _ticks(world, 1)
    world.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0, Labels(job="b"): 7.0}
    world.queries.answers["up"] = QvmonError(ErrorKind.TIMEOUT, "too slow")
    await _ticks(world, 1)
    one, other = (fact.body.annotations["summary"] for fact in world.facts())
    assert one == "3"
    assert "error calling query: too slow>" in other
    await world.service.stop()


async def test_a_row_without_labels_is_an_alert_like_any_other(running) -> None:
    running.queries.answers["job:x > 5"] = {Labels(): 7.0}
    await _ticks(running, 3)
    firing = running.facts()[1].body
    assert firing.labels["zone"] == "-z"
    assert firing.annotations == {"summary": " is 7 in ldn"}


async def test_a_label_may_follow_the_value_from_tick_to_tick(world) -> None:
    world.rules = RULES.replace("for: 20s", "for: 0s").replace(
        "{{ $labels.job }}-z", "{{ if gt $value 10.0 }}high{{ else }}low{{ end }}"
    )
    await world.start()
    for value in (7.0, 20.0):
        world.queries.answers["job:x > 5"] = {Labels(job="a"): value}
        await _ticks(world, 1)
    changes = sorted((fact.type, fact.body.labels["zone"]) for fact in world.facts())
    assert changes == [
        ("alert.firing", "high"),
        ("alert.firing", "low"),
        ("alert.resolved", "low"),
    ]
    await world.service.stop()


async def test_status_shows_rules_and_their_active_alerts(running) -> None:
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    await _ticks(running, 1)
    running.queries.answers["job:x > 5"] = {Labels(job="a"): 8.0}
    await _ticks(running, 1)
    (group,) = running.service.rule_groups()
    recording, alerting = group.rules
    assert (group.name, group.file, group.interval_seconds) == ("g", "rules.yml", 10)
    assert (recording.type, recording.health, recording.labels) == (
        "recording",
        "ok",
        {"team": "core"},
    )
    (alert,) = alerting.alerts
    assert (recording.query, alerting.query) == ("sum(x)", "job:x > 5")
    assert (alerting.state, alerting.duration_seconds) == ("pending", 20)
    assert alerting.annotations["summary"].startswith("{{ $labels.job }}")
    assert (alert.labels, alert.value, alert.state) == (FIRING, 8.0, "pending")
    assert alert.annotations["summary"].startswith("a is 8 in")


async def test_a_defect_in_one_group_leaves_the_others_running(world, monkeypatch) -> None:
    world.rules = RULES + RULES.replace("groups:\n", "").replace("name: g", "name: h")
    await world.start()
    append = world.ledger.append

    async def fail_for_g(drafts, *, consumed=None):
        if any(getattr(draft.body, "group", "") == "g" for draft in drafts):
            raise ZeroDivisionError
        return await append(drafts, consumed=consumed)

    world.queries.answers["job:x > 5"] = {Labels(job="a"): 7.0}
    with monkeypatch.context() as broken, capture_logs() as logs:
        broken.setattr(world.ledger, "append", fail_for_g)
        await _ticks(world, 4)
    assert "a part of alerting failed" in {entry["event"] for entry in logs}
    assert {fact.body.group for fact in world.facts()} == {"h"}
    await _ticks(world, 2)
    assert {fact.body.group for fact in world.facts() if fact.type == "alert.firing"} == {"g", "h"}
    await world.service.stop()


async def test_many_facts_are_recorded_in_parts_and_in_order(running, monkeypatch) -> None:
    sizes = []
    append = running.ledger.append

    async def watched(drafts, *, consumed=None):
        sizes.append(len(drafts))
        return await append(drafts, consumed=consumed)

    monkeypatch.setattr(running.ledger, "append", watched)
    running.queries.answers["job:x > 5"] = {Labels(job=f"{i:04}"): 7.0 for i in range(1200)}
    await _ticks(running, 1)
    for _ in range(10):
        await settle()
    assert sizes[:3] == [500, 500, 200]
    jobs = [fact.body.labels["job"] for fact in running.facts()]
    assert jobs == sorted(jobs)
    assert len(jobs) == 1200


async def test_rules_follow_a_clock_that_is_set_back_and_one_that_is_set_forward(running) -> None:
    await _ticks(running, 3)
    for jump in (-3600, 7200):
        running.clock.jump_wall(jump)
        running.queries.asked.clear()
        await _ticks(running, 3)
        now = running.clock.now_ns() // 1_000_000
        times = sorted({time_ms for _, time_ms in running.queries.asked})
        assert len(times) >= 2
        assert now - 40_000 < times[-1] <= now
    assert running.registry.value(MISSED_TICKS, "rules.yml", "g").current == 719
