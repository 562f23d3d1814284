"""Which rules of a group may be evaluated at the same moment. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from qvmon.model.labels import METRIC_NAME, Matcher
from qvmon.promql.plan import Plan
from qvmon.promql.results import Grid
from qvmon.wire.rule_file import AlertingRule, RecordingRule

_INSTANT = Grid(0, 0, lookback_ms=0)
_OF_ALERTS = ("ALERTS", "ALERTS_FOR_STATE")
_ASKS = "query"


def stages(rules: Sequence[RecordingRule | AlertingRule]) -> list[list[int]]:
    """Return the rules' places in stages, each to be evaluated once the one before is recorded.

    A rule is in a later stage than every earlier rule whose series it may read or writes too, so
    that the outcome is that of one rule after the other.
    """
    stage_of: list[int] = []
    for at, rule in enumerate(rules):
        after = [stage_of[before] for before in range(at) if _follows(rule, rules[before])]
        stage_of.append(max(after, default=-1) + 1)
    found: list[list[int]] = [[] for _ in range(max(stage_of, default=-1) + 1)]
    for at, stage in enumerate(stage_of):
        found[stage].append(at)
    return found


def _follows(rule: RecordingRule | AlertingRule, earlier: RecordingRule | AlertingRule) -> bool:
    written = (earlier.name,) if isinstance(earlier, RecordingRule) else _OF_ALERTS
    if isinstance(rule, RecordingRule) and rule.name in written:
        return True
    return _asks_more(rule) or any(_may_read(each, written) for each in _matchers(rule.plan))


def _asks_more(rule: RecordingRule | AlertingRule) -> bool:
    """Return whether a rule's texts make queries of their own."""
    if isinstance(rule, RecordingRule):
        return False
    return any(_ASKS in each.text for each in (*rule.labels.values(), *rule.annotations.values()))


def _matchers(plan: Plan) -> list[tuple[Matcher, ...]]:
    return [selection.matchers for selection in plan.selections(_INSTANT)]


def _may_read(matchers: Sequence[Matcher], names: Sequence[str]) -> bool:
    about_name = [m for m in matchers if m.name == METRIC_NAME]
    return any(all(m.matches(name) for m in about_name) for name in names)
