"""``info()``: series with the labels of the info series of their target.

Source: Prometheus' ``promql/info.go`` (experimental there).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qvmon.model.errors import QvmonError, invalid
from qvmon.model.labels import METRIC_NAME, Labels, Matcher, MatchOp
from qvmon.model.series import Bools, Float64s, Int32s, Int64s, LabelFrame
from qvmon.promql.nodes import (
    NO_SHIFT,
    Call,
    Node,
    NumberLiteral,
    Shift,
    Subquery,
    ValueType,
    VectorSelector,
)
from qvmon.promql.quoting import series_text
from qvmon.promql.sheet import METADATA_LABELS, Sheet, joined, merged, row_groups, strings

if TYPE_CHECKING:
    from qvmon.promql.plan import Scope

IDENTIFYING = ("instance", "job")
_POSITIVE = (MatchOp.EQUAL, MatchOp.REGEX)


def _given(node: Call) -> tuple[Matcher, ...]:
    second = node.arguments[1] if len(node.arguments) > 1 else None
    return second.matchers if isinstance(second, VectorSelector) else ()


def data_matchers(node: Call) -> list[Matcher]:
    """Return the matchers of the labels that are to be added; none stands for all labels."""
    return [m for m in _given(node) if m.name != METRIC_NAME]


def name_matchers(node: Call) -> list[Matcher]:
    """Return the matchers of the names of info metrics, ``target_info`` when none is asked for."""
    names = [m for m in _given(node) if m.name == METRIC_NAME]
    if not names:
        return [Matcher(METRIC_NAME, MatchOp.EQUAL, "target_info")]
    if any(m.op in _POSITIVE for m in names):
        return names
    return [Matcher(METRIC_NAME, MatchOp.REGEX, ".+_info"), *names]


def selector(node: Call, scope: Scope) -> VectorSelector:
    """Return what selects the info series: at ``reference``, else at the evaluation time."""
    matchers = (*data_matchers(node), *name_matchers(node))
    return VectorSelector("", matchers, reference(node, scope) or NO_SHIFT, span=node.span)


def reference(node: Call, scope: Scope) -> Shift | None:
    """Return the time that all selectors of the first argument look at, if there is one."""
    looked = set(_references(node.arguments[0], scope, ()))
    return looked.pop() if len(looked) == 1 else None


def _references(node: Node, scope: Scope, around: tuple[Shift, ...]) -> Iterator[Shift | None]:
    """Yield where in time each selector looks; none for a vector made without a selector."""
    if isinstance(node, VectorSelector):
        yield _reference((node.shift, *around), scope)
    elif node.type in (ValueType.VECTOR, ValueType.MATRIX):
        inside = (node.shift, *around) if isinstance(node, Subquery) else around
        is_info = isinstance(node, Call) and node.function == "info"
        children = node.children[:1] if is_info else node.children
        found = [each for child in children for each in _references(child, scope, inside)]
        yield from found or [None]


def _reference(shifts: Sequence[Shift], scope: Scope) -> Shift:
    """Return what the modifiers of a selector, and of subqueries around it, come to."""
    at, offset = None, 0
    for shift in shifts:
        if at is None:
            offset += scope.milliseconds(shift.offset)
            at = scope.fixed(shift)
    if at is not None:
        return Shift(at - offset)
    return Shift(offset=NumberLiteral(offset / 1000))


@dataclass(frozen=True, slots=True, eq=False)
class InfoSeries:
    """Info series at every step.

    Attributes:
        labels: The n series.
        seconds: float64[n, m]; when the sample at each step was taken.
        present: bool[n, m]; where there is one.
    """

    labels: LabelFrame
    seconds: Float64s
    present: Bools


def enriched(base: Sheet, info: InfoSeries, node: Call) -> Sheet:
    """Return ``base`` with the labels of the newest info series of the same target.

    Raises:
        QvmonError: INVALID, when info series contradict one another.
    """
    wanted = data_matchers(node)
    names, base = name_matchers(node), base.without_empty_rows()
    is_info = [all(m.matches(name) for m in names) for name in strings(base.labels, METRIC_NAME)]
    chosen, targets = _chosen(base, is_info, info)
    info_labels = info.labels.all_labels()
    out: list[tuple[int, Labels, Bools]] = []
    for row in range(len(base)):
        labels = base.labels.labels(row)
        if is_info[row]:
            out.append((row, labels, base.present[row]))
            continue
        for rows, steps in _combinations(chosen[:, targets[row]], base.present[row]):
            found = [info_labels[each] for each in rows if each >= 0]
            if found or all(m.matches("") for m in wanted):
                out.append((row, _with_labels(labels, found, wanted), steps))
    origin = np.array([row for row, _, _ in out], np.int64)
    steps_of = np.array([steps for _, _, steps in out], np.bool_)
    frame = LabelFrame.from_labels([labels for _, labels, _ in out])
    values = base.values[origin]
    return merged(Sheet(frame, values, steps_of.reshape(values.shape), base.unnamed[origin]))


def _contradiction(info: InfoSeries, chosen: Int64s, row: int) -> QvmonError:
    """Return the error for two info series whose samples are of one time."""
    same = [
        (step, int(other))
        for step, other in enumerate(chosen)
        if other >= 0
        and info.present[row, step]
        and info.seconds[row, step] == info.seconds[other, step]
    ]
    step, other = same[0]
    at = round(info.seconds[row, step] * 1000)
    texts = [f"{series_text(info.labels.labels(each))} @ {at}" for each in (other, row)]
    return invalid(f"found duplicate series for info metric: existing {texts[0]}, new {texts[1]}")


def _asked(base: Int32s, base_is_info: Sequence[bool], info: Int32s) -> Bools:
    """Return bool[info rows]: which info series are looked at for some base series.

    They have the same identifying labels as some base series, and of each one of the values that
    base series with these labels have.
    """
    out = np.zeros(len(info), np.bool_)
    base = base[~np.array(base_is_info, np.bool_)]
    for kind in np.unique(base > 0, axis=0):
        of_kind = base[((base > 0) == kind).all(axis=1)]
        if kind.any():
            fits = [np.isin(info[:, at], of_kind[:, at]) for at in range(base.shape[1])]
            out |= np.logical_and.reduce(fits)
    return out


def _chosen(base: Sheet, base_is_info: Sequence[bool], info: InfoSeries) -> tuple[Int64s, Int64s]:
    """Return which info series stands for each target at each step.

    Returns:
        int64[metrics, targets, m]: the info row, -1 for none; and int64[base rows]: the target
        of each base series.
    """
    frame = joined((base.labels, info.labels)).keep(IDENTIFYING)
    targets, first = row_groups(frame.codes)
    metrics, kinds = row_groups(info.labels.keep((METRIC_NAME,)).codes)
    shape = (len(kinds), len(first), base.values.shape[1])
    anybody = np.any(base.present, axis=0)
    asked = _asked(frame.codes[: len(base)], base_is_info, frame.codes[len(base) :])
    chosen = np.full(shape, -1, np.int64)
    newest = np.full(shape, -np.inf)
    for row, (metric, target) in enumerate(zip(metrics, targets[len(base) :], strict=True)):
        if not asked[row]:
            continue
        taken = info.seconds[row]
        here = info.present[row] & (taken >= newest[metric, target]) & anybody
        if (here & (taken == newest[metric, target])).any():
            raise _contradiction(info, chosen[metric, target], row)
        chosen[metric, target, here] = row
        newest[metric, target, here] = taken[here]
    return chosen, targets[: len(base)]


def _combinations(chosen: Int64s, present: Bools) -> Iterator[tuple[list[int], Bools]]:
    """Yield each combination of info rows (int64[metrics, m]) with the steps where it holds."""
    kinds, which = np.unique(chosen, axis=1, return_inverse=True)
    for kind in range(kinds.shape[1]):
        steps = present & (which.ravel() == kind)
        if steps.any():
            yield kinds[:, kind].tolist(), steps


def _with_labels(base: Labels, found: Sequence[Labels], wanted: Sequence[Matcher]) -> Labels:
    names = {m.name for m in wanted}
    added: dict[str, str] = {}
    for labels in found:
        for name, value in labels.pairs():
            if name in METADATA_LABELS or (names and name not in names):
                continue
            if added.get(name, value) != value:
                raise invalid(f"conflicting label: {name}")
            if name not in base:
                added[name] = value
    return base.merged(added)
