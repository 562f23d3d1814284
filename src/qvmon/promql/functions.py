"""Function calls: which array operation each name stands for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.floats import format_float
from qvmon.model.labels import METRIC_NAME
from qvmon.model.series import Bools, Float64s, LabelFrame, SeriesColumns
from qvmon.promql import histogram, info_function, labelling, starts, windows
from qvmon.promql.arithmetic import UNARY, clamp, elementwise, greatest, least, round_to
from qvmon.promql.binary import nameless
from qvmon.promql.dates import DATE_PARTS, date_part
from qvmon.promql.nodes import Call, Node, Subquery, ValueType, VectorSelector
from qvmon.promql.notes import NoteBook, short
from qvmon.promql.plan import Scope, unwrapped
from qvmon.promql.position import NOWHERE, Span
from qvmon.promql.sheet import (
    Sheet,
    at_every_step,
    merged,
    no_labels,
    sheet,
    stacked,
    strings,
    with_column,
)
from qvmon.promql.watch import Watch
from qvmon.promql.windows.kernels import instant_times
from qvmon.promql.windows.parts import by_parts

_DESTINATION = "invalid destination label name in {}():"


class Arguments(Protocol):
    """What evaluates the arguments of a call."""

    @property
    def sources(self) -> dict[Span, SeriesColumns]:
        """The samples of each selector."""
        ...

    @property
    def drop_late(self) -> bool:
        """Whether names are dropped only at the end."""
        ...

    @property
    def watch(self) -> Watch:
        """Who looks on."""
        ...

    @property
    def notes(self) -> NoteBook:
        """What the author of the query should know."""
        ...

    def vector(self, node: Node, scope: Scope) -> Sheet:
        """Return the instant vector of an expression at every step."""
        ...

    def scalar(self, node: Node, scope: Scope) -> Float64s:
        """Return the number an expression is at every step."""
        ...

    def windows(self, node: Node, scope: Scope) -> windows.Windows:
        """Return the range vector of an expression at every step."""
        ...

    def seen(self, found: Sheet, scope: Scope) -> Sheet:
        """Return what a selector found at every step, counted."""
        ...


def scalar_call(of: Arguments, node: Call, scope: Scope) -> Float64s:
    """Return float64[m]: a function that yields a number."""
    if node.function == "time":
        return scope.grid.times() / 1000.0
    if node.function == "scalar":
        return _only_value(of.vector(node.arguments[0], scope))
    if node.function in ("min_of", "max_of"):
        left, right = (of.scalar(argument, scope) for argument in node.arguments)
        return least(left, right) if node.function == "min_of" else greatest(left, right)
    query = scope.query
    constants = {
        "pi": np.pi,
        "start": query.start_ms / 1000,
        "end": query.end_ms / 1000,
        "step": query.step_ms / 1000 if query.start_ms != query.end_ms else 0.0,
        "range": (query.end_ms - query.start_ms) / 1000,
    }
    return np.full(scope.grid.steps, constants[node.function])


def _only_value(of: Sheet) -> Float64s:
    count = of.present.sum(axis=0)
    total = np.where(of.present, of.values, 0.0).sum(axis=0)
    result: Float64s = np.where(count == 1, total, np.nan)
    return result


def call(of: Arguments, node: Call, scope: Scope) -> Sheet:
    """Return a function that yields an instant vector."""
    if any(argument.type is ValueType.MATRIX for argument in node.arguments):
        return _over_windows(of, node, scope)
    if node.function in _SPECIAL:
        return _SPECIAL[node.function](of, node, scope)
    if node.function in DATE_PARTS:
        return _date(of, node, scope)
    vector = of.vector(node.arguments[0], scope)
    if node.function in UNARY:
        values = elementwise(node.function, vector.values)
        return nameless(vector.with_values(values), drop_late=of.drop_late)
    raise QvmonError(ErrorKind.UNSUPPORTED, f"function {node.function} is not supported")


def _over_windows(of: Arguments, node: Call, scope: Scope) -> Sheet:
    matrix = next(a for a in node.arguments if a.type is ValueType.MATRIX)
    scalars = [of.scalar(a, scope) for a in node.arguments if a is not matrix]
    ranged = of.windows(matrix, scope)
    if ranged.mode and node.function not in (safe := windows.SAFE[ranged.mode]):
        raise invalid(
            f"{ranged.mode} modifier can only be used with: {', '.join(safe)} "
            f"- not with {node.function}"
        )
    if node.function == "absent_over_time":
        present = windows.over_time(ranged, "present_over_time")[1]
        missing = ~np.any(present, axis=0)
        return _absent(node, np.broadcast_to(missing, scope.grid.steps))
    if node.function in starts.RATES and not ranged.mode and ranged.columns.starts is not None:
        out = _started_rate(of, node, ranged)
    else:
        ranged = ranged.everywhere() if scalars else ranged
        function = windows.function_over(node.function)

        def compute(columns: SeriesColumns, steps: slice) -> windows.Result:
            return function(ranged.part(columns, steps), *(each[steps] for each in scalars))

        out = ranged.sheet(
            by_parts(
                ranged.columns,
                len(ranged.starts),
                of.watch.check,
                compute,
                looked_at=ranged.samples_each(),
            )
        )
    _note(of.notes, node, out, scalars)
    if node.function in windows.KEEP_NAME:
        return out
    return nameless(out, drop_late=of.drop_late)


def _started_rate(of: Arguments, node: Call, ranged: windows.Windows) -> Sheet:
    per_second = node.function == "rate"
    values, present, overlaps = starts.rate(
        ranged.columns, ranged.starts, ranged.ends, per_second=per_second
    )
    rows = np.flatnonzero(overlaps)
    names = strings(ranged.columns.labels.take(rows), METRIC_NAME)
    times_looked = len(ranged.at) // len(ranged.starts)
    counts: dict[str, int] = {}
    for name, count in zip(names, overlaps[rows], strict=True):
        counts[name] = counts.get(name, 0) + int(count) * times_looked
    of.notes.overlapping_starts(_place(node.arguments[0]), counts)
    return ranged.sheet((values, present))


def _note(notes: NoteBook, node: Call, out: Sheet, scalars: list[Float64s]) -> None:
    if not out.present.any():
        return
    if node.function in ("rate", "increase"):
        names = strings(out.labels.take(np.any(out.present, axis=1)), METRIC_NAME)
        notes.check_counters(_windows_place(node.arguments[0]), dict.fromkeys(names))
    elif node.function == "quantile_over_time":
        notes.check_quantiles(_place(node.arguments[0]), scalars[0][np.any(out.present, axis=0)])
    elif node.function == "integral" and scalars:
        for rule in np.unique(scalars[0][~np.isin(scalars[0], (0, 1, 2))]):
            text = f"strategy should be 0, 1, or 2 (default), using 2, got {short(float(rule))}"
            notes.warn(_place(node.arguments[1]), text)


def _absent(node: Call, missing: Bools) -> Sheet:
    labels = LabelFrame.from_labels([labelling.labels_when_absent(node.arguments[0])])
    return sheet(labels, np.ones((1, len(missing))), missing[None, :].copy())


def _date(of: Arguments, node: Call, scope: Scope) -> Sheet:
    if node.arguments:
        vector = of.vector(node.arguments[0], scope)
    else:
        vector = _vector_of(scope.grid.times() / 1000.0)
    values = date_part(node.function, vector.values)
    return nameless(vector.with_values(values), drop_late=of.drop_late)


def _vector_of(values: Float64s) -> Sheet:
    return sheet(no_labels(1), values[None, :], np.ones((1, len(values)), np.bool_))


def _vector(of: Arguments, node: Call, scope: Scope) -> Sheet:
    return _vector_of(of.scalar(node.arguments[0], scope))


def _absence(of: Arguments, node: Call, scope: Scope) -> Sheet:
    return _absent(node, ~np.any(of.vector(node.arguments[0], scope).present, axis=0))


def _timestamp(of: Arguments, node: Call, scope: Scope) -> Sheet:
    argument = unwrapped(node.arguments[0])
    if not isinstance(argument, VectorSelector):
        vector = of.vector(argument, scope)
        times = np.zeros_like(vector.values) + scope.grid.times() / 1000.0
        return nameless(vector.with_values(times), drop_late=of.drop_late)
    columns, looked = of.sources[argument.span], scope.looked_at(argument.shift)
    found = instant_times(
        columns.offsets, columns.timestamps, columns.values, looked.times(), looked.lookback_ms
    )
    out = of.seen(sheet(columns.labels, *at_every_step(*found, scope.grid.steps)), scope)
    return nameless(out, drop_late=of.drop_late)


def _start_timestamp(of: Arguments, node: Call, scope: Scope) -> Sheet:
    argument = unwrapped(node.arguments[0])
    columns = of.sources.get(argument.span) if isinstance(argument, VectorSelector) else None
    if columns is None or columns.starts is None or not isinstance(argument, VectorSelector):
        return _no_float(of, node, scope)
    looked = scope.looked_at(argument.shift)
    rows, present = starts.instant_starts(columns, looked.times(), looked.lookback_ms)
    out = of.seen(sheet(columns.labels, *at_every_step(rows, present, scope.grid.steps)), scope)
    return nameless(out, drop_late=of.drop_late)


def _informed(of: Arguments, node: Call, scope: Scope) -> Sheet:
    base, selector = of.vector(node.arguments[0], scope), info_function.selector(node, scope)
    columns, looked = of.sources[selector.span], scope.looked_at(selector.shift)
    found = instant_times(
        columns.offsets, columns.timestamps, columns.values, looked.times(), looked.lookback_ms
    )
    seconds, present = at_every_step(*found, scope.grid.steps)
    return info_function.enriched(
        base, info_function.InfoSeries(columns.labels, seconds, present), node
    )


def _clamped(of: Arguments, node: Call, scope: Scope) -> Sheet:
    vector = of.vector(node.arguments[0], scope)
    bounds = [of.scalar(argument, scope) for argument in node.arguments[1:]]
    low = np.array(-np.inf) if node.function == "clamp_max" else bounds[0]
    high = np.array(np.inf) if node.function == "clamp_min" else bounds[-1]
    values = clamp(vector.values, low, high)
    present = vector.present & ~(low > high)
    return nameless(vector.with_values(values, present), drop_late=of.drop_late)


def _rounded(of: Arguments, node: Call, scope: Scope) -> Sheet:
    vector = of.vector(node.arguments[0], scope)
    nearest = of.scalar(node.arguments[1], scope) if len(node.arguments) > 1 else np.ones(1)
    values = round_to(vector.values, nearest)
    return nameless(vector.with_values(values), drop_late=of.drop_late)


def _label_replaced(of: Arguments, node: Call, scope: Scope) -> Sheet:
    target = labelling.label_name(node.arguments[1], _DESTINATION.format(node.function))
    rest = (labelling.literal(each) for each in node.arguments[2:])
    return labelling.label_replace(of.vector(node.arguments[0], scope), target, *rest)


def _label_joined(of: Arguments, node: Call, scope: Scope) -> Sheet:
    bad_source = "invalid source label name in label_join():"
    sources = [labelling.label_name(each, bad_source) for each in node.arguments[3:]]
    target = labelling.label_name(node.arguments[1], _DESTINATION.format(node.function))
    separator, vector = labelling.literal(node.arguments[2]), of.vector(node.arguments[0], scope)
    return labelling.label_join(vector, target, separator, sources)


def _place(argument: Node) -> Span:
    return unwrapped(argument).span


def _windows_place(argument: Node) -> Span:
    """Return where notes say a range vector stands: for a subquery, at the start of the query."""
    inner = unwrapped(argument)
    return NOWHERE if isinstance(inner, Subquery) else inner.span


def _unchanged(of: Arguments, node: Call, scope: Scope) -> Sheet:
    """Return the argument: sorting shows only in the result of an instant query."""
    unsorted = of.vector(node.arguments[0], scope)
    if scope.grid.start_ms != scope.grid.end_ms and scope.grid.steps:
        what = "sort is ineffective for range queries since results are always ordered by labels"
        of.notes.warn(node.span, what)
    return unsorted


def _quantile(of: Arguments, node: Call, scope: Scope) -> Sheet:
    quantiles, argument = of.scalar(node.arguments[0], scope), node.arguments[1]
    buckets = _buckets(of, argument, scope)
    of.notes.check_quantiles(_place(node.arguments[0]), quantiles)
    (out,), repairs = histogram.quantiles(quantiles[None], buckets, scope.grid.times())
    _note_repairs(of, argument, out, repairs)
    return nameless(out, drop_late=of.drop_late)


def _note_repairs(of: Arguments, argument: Node, found: Sheet, repairs: Float64s) -> None:
    labels = found.labels if of.drop_late else found.labels.drop((METRIC_NAME,))
    for name, each in histogram.repairs_by_name(labels, repairs):
        of.notes.repaired(_place(argument), each, name)


def _buckets(of: Arguments, argument: Node, scope: Scope) -> histogram.Buckets:
    vector = of.vector(argument, scope).without_empty_rows()
    for bound, name in histogram.unreadable(vector.labels):
        of.notes.bad_bucket(_place(argument), bound, name if of.drop_late else "")
    return histogram.buckets(vector)


def _quantiles(of: Arguments, node: Call, scope: Scope) -> Sheet:
    label = labelling.literal(node.arguments[1])
    buckets = _buckets(of, node.arguments[0], scope)
    wanted = np.array([of.scalar(argument, scope) for argument in node.arguments[2:]])
    for argument, asked in zip(node.arguments[2:], wanted, strict=True):
        of.notes.check_quantiles(_place(argument), asked)
    found, repairs = histogram.quantiles(wanted, buckets, scope.grid.times())
    _note_repairs(of, node.arguments[0], found[0], repairs)
    parts = []
    for asked, each in zip(wanted, found, strict=True):
        for q in np.unique(asked):
            here = (asked == q) | (np.isnan(asked) & np.isnan(q))
            labels = with_column(each.labels, label, [_open_metrics(q)] * len(each))
            parts.append(sheet(labels, each.values, each.present & here))
    return nameless(merged(stacked(parts)), drop_late=of.drop_late)


def _open_metrics(value: float) -> str:
    text = format_float(value)
    return text if any(mark in text for mark in ".eIN") else f"{text}.0"


def _no_float(of: Arguments, node: Call, scope: Scope) -> Sheet:
    """Return nothing: the function reads native histograms, and floats are none."""
    vector = of.vector(node.arguments[0], scope)
    return vector.take(np.zeros(0, np.int64))


def _fraction(of: Arguments, node: Call, scope: Scope) -> Sheet:
    low, high = (of.scalar(each, scope) for each in node.arguments[:2])
    out = histogram.fraction(low, high, _buckets(of, node.arguments[2], scope))
    return nameless(out, drop_late=of.drop_late)


_SPECIAL: dict[str, Callable[[Arguments, Call, Scope], Sheet]] = {
    "absent": _absence,
    "clamp": _clamped,
    "clamp_max": _clamped,
    "clamp_min": _clamped,
    "histogram_avg": _no_float,
    "histogram_count": _no_float,
    "histogram_fraction": _fraction,
    "histogram_quantile": _quantile,
    "histogram_quantiles": _quantiles,
    "histogram_stddev": _no_float,
    "histogram_stdvar": _no_float,
    "histogram_sum": _no_float,
    "info": _informed,
    "label_join": _label_joined,
    "label_replace": _label_replaced,
    "round": _rounded,
    "sort": _unchanged,
    "sort_by_label": _unchanged,
    "sort_by_label_desc": _unchanged,
    "sort_desc": _unchanged,
    "start_timestamp": _start_timestamp,
    "timestamp": _timestamp,
    "vector": _vector,
}


def ordered(node: Call, of: Sheet) -> Sheet:
    """Return the rows of an instant query in the order its outermost function asks for."""
    if node.function in ("sort", "sort_desc"):
        values = of.values[:, 0]
        key = -values if node.function == "sort_desc" else values
        return of.take(np.lexsort((key, np.isnan(values))))
    if node.function in ("sort_by_label", "sort_by_label_desc"):
        names = [labelling.literal(each) for each in node.arguments[1:]]
        descending = node.function.endswith("desc")
        return of.take(labelling.label_order(of, names, descending=descending))
    return of
