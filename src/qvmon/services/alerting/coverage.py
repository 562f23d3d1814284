"""When the disappearance of an element means nothing: its targets are not known. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from qvmon.model.labels import METRIC_NAME, Labels, MatchOp
from qvmon.model.series import Bools
from qvmon.promql.nodes import Binary, ValueType
from qvmon.promql.plan import Plan, unwrapped
from qvmon.promql.results import Grid, Vector
from qvmon.wire.rule_file import RecordingRule, RuleGroup

UP = "up"

_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})


def dark(elements: Sequence[Labels], up: Vector) -> list[Labels]:
    """Return the elements all of whose targets are down.

    A target belongs to an element when both agree on every label that targets have; an element
    without any such label belongs to all targets.

    Args:
        elements: Labels of elements that vanished.
        up: The result of ``up``: 0 where a target could not be scraped.
    """
    if not len(up):
        return []
    names = [name for name in up.labels.names if name != METRIC_NAME]
    rows = {name: _rows_by_value(up, name) for name in names}
    nobody = np.zeros(len(up), np.bool_)
    down = up.values == 0
    return [each for each in elements if _all_down(each, names, rows, nobody, down)]


def _rows_by_value(up: Vector, name: str) -> dict[str, Bools]:
    column = up.labels.column(name)
    return {up.labels.symbols[int(code)]: column == code for code in np.unique(column)}


def _all_down(
    element: Labels,
    names: Iterable[str],
    rows: Mapping[str, Mapping[str, Bools]],
    nobody: Bools,
    down: Bools,
) -> bool:
    mine = ~nobody
    for name in names:
        if name in element:
            mine = mine & rows[name].get(element[name], nobody)
    return bool(mine.any() and down[mine].all())


def measured(plan: Plan) -> str:
    """Return what a condition compares with a number, empty when it is no such comparison.

    While that still yields an element, the element's disappearance is known to be real.
    """
    root = unwrapped(plan.root)
    if not isinstance(root, Binary) or root.operator not in _COMPARISONS or root.returns_bool:
        return ""
    sides = {side.type: side for side in (root.left, root.right)}
    if ValueType.SCALAR not in sides or ValueType.VECTOR not in sides:
        return ""
    return str(sides[ValueType.VECTOR])


def windows(groups: Sequence[RuleGroup]) -> list[list[int]]:
    """Return how far each rule of each group looks back, through what others record too.

    In milliseconds. For so long after a gap in the data, a rule may yield nothing though nothing
    got better.
    """
    plans = [[rule.plan for rule in group.rules] for group in groups]
    recorders: dict[str, list[tuple[int, int]]] = {}
    for g, group in enumerate(groups):
        for r, rule in enumerate(group.rules):
            if isinstance(rule, RecordingRule):
                recorders.setdefault(rule.name, []).append((g, r))
    reach = [[_reach(plan) for plan in row] for row in plans]
    for _ in range(len(recorders)):
        before = [row[:] for row in reach]
        for g, row in enumerate(plans):
            for r, plan in enumerate(row):
                through = {at for name in _metric_names(plan) for at in recorders.get(name, ())}
                behind = max((before[i][j] for i, j in through - {(g, r)}), default=0)
                reach[g][r] = _reach(plan) + behind
        if reach == before:
            break
    return reach


_INSTANT = Grid(0, 0, lookback_ms=0)


def _reach(plan: Plan) -> int:
    return max((1 - each.start_ms for each in plan.selections(_INSTANT)), default=0)


def _metric_names(plan: Plan) -> set[str]:
    return {
        matcher.value
        for selection in plan.selections(_INSTANT)
        for matcher in selection.matchers
        if matcher.name == METRIC_NAME and matcher.op is MatchOp.EQUAL
    }
