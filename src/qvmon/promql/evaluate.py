"""Plans to results: the walk over the tree, each node on whole arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.series import Bools, Float64s, SeriesColumns
from qvmon.promql import binary, functions, groups, labelling, windows
from qvmon.promql.arithmetic import apply
from qvmon.promql.edges.kernels import smoothed_values
from qvmon.promql.nodes import (
    Aggregate,
    Binary,
    Call,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    StringLiteral,
    Subquery,
    Unary,
    ValueType,
    VectorSelector,
)
from qvmon.promql.notes import NoteBook
from qvmon.promql.plan import Plan, Scope, is_fixed, unwrapped
from qvmon.promql.position import Span
from qvmon.promql.quoting import quote
from qvmon.promql.results import Grid, Matrix, Result, Samples, Scalar, Text, Vector
from qvmon.promql.sheet import Sheet, at_every_step, label_order, merged, no_series, sheet, unnamed
from qvmon.promql.watch import Watch, at_steps, in_last_window, in_windows
from qvmon.promql.windows.kernels import instant_values
from qvmon.promql.windows.parts import by_parts

_UNWATCHED = Watch()

_COMPUTED = (Aggregate, Binary, Call)
_TRIMS = ("</", ">/")


def evaluate(
    plan: Plan,
    columns: Sequence[SeriesColumns],
    grid: Grid,
    *,
    as_matrix: bool | None = None,
    drop_names_late: bool = False,
    watch: Watch = _UNWATCHED,
) -> Result:
    """Return the result of a plan.

    Args:
        plan: What to compute.
        columns: The samples of each of ``plan.selections(grid)``, in that order.
        grid: The steps; start and end are equal for an instant query.
        as_matrix: Whether an instant vector comes back as a matrix, as range queries want even
            for a single step; by default when there is more than one step.
        drop_names_late: Whether a metric name is dropped when the query ends rather than by the
            function that drops it (Prometheus' ``promql-delayed-name-removal``).
        watch: May stop the evaluation and counts what it looks at.

    Raises:
        QvmonError: INVALID, when the samples do not fit the query (many-to-many matching,
            repeated label sets).
    """
    evaluation = _evaluation(plan, columns, grid, drop_names_late, watch)
    scope = Scope(grid, grid)
    root = unwrapped(plan.root)
    if isinstance(root, StringLiteral):
        return Text(root.value, grid.start_ms)
    if root.type is ValueType.MATRIX:
        if watch.tally is not None:
            watch.tally.subquery_is_all = isinstance(root, Subquery)
        found = windows.in_label_order(windows.samples(evaluation.windows(root, scope, last=True)))
        notes = evaluation.notes.notes()
        return Samples(
            found.labels, found.offsets, found.timestamps, found.values, found.starts, notes
        )
    if root.type is ValueType.SCALAR:
        values = evaluation.scalar(root, scope)
        if watch.tally is not None:
            watch.tally.holds(0, len(values))
        return Scalar(grid.times(), values, evaluation.notes.notes())
    if as_matrix is None:
        as_matrix = grid.start_ms != grid.end_ms
    return _vector_or_matrix(evaluation, root, grid, as_matrix)


def evaluate_sheet(
    plan: Plan, columns: Sequence[SeriesColumns], grid: Grid, *, drop_names_late: bool, watch: Watch
) -> Sheet:
    """Return the instant vector of a plan at every step as other plans compute with it.

    Arguments and errors are those of ``evaluate``.
    """
    evaluation = _evaluation(plan, columns, grid, drop_names_late, watch)
    return evaluation.vector(plan.root, Scope(grid, grid))


def _evaluation(
    plan: Plan, columns: Sequence[SeriesColumns], grid: Grid, drop_late: bool, watch: Watch
) -> Evaluation:
    sources = {
        need.selector.span: found.then(_contiguous)
        for need, found in zip(plan.needs(grid), columns, strict=True)
    }
    return Evaluation(sources, drop_late, NoteBook(plan.text), watch)


def _vector_or_matrix(
    evaluation: Evaluation, root: Node, grid: Grid, as_matrix: bool
) -> Vector | Matrix:
    out = evaluation.vector(root, Scope(grid, grid))
    if not as_matrix:
        out = _in_order(root, out.take(out.present[:, 0]))
    if evaluation.drop_late:
        out = merged(unnamed(out, out.unnamed))
    if not as_matrix:
        values = np.ascontiguousarray(out.values[:, 0])
        return Vector(out.labels, values, grid.start_ms, evaluation.notes.notes())
    out = out.without_empty_rows()
    order = label_order(out.labels)
    if (np.diff(order) < 0).any():
        out = out.take(order)
    return Matrix(out.labels, grid.times(), out.values, out.present, evaluation.notes.notes())


def _contiguous(columns: SeriesColumns) -> SeriesColumns:
    """Return the same samples in the memory layout that kernels are compiled for."""
    return SeriesColumns(
        columns.labels,
        np.ascontiguousarray(columns.offsets, np.int64),
        np.ascontiguousarray(columns.timestamps, np.int64),
        np.ascontiguousarray(columns.values, np.float64),
        None if columns.starts is None else np.ascontiguousarray(columns.starts, np.int64),
    )


def _in_order(root: Node, out: Sheet) -> Sheet:
    """Return an instant result as its query ranks or sorts it, names that go late included."""
    if isinstance(root, Aggregate) and root.operator in ("topk", "bottomk"):
        return groups.ranked(root, out)
    return functions.ordered(root, out) if isinstance(root, Call) else out


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """One run of a plan over its samples.

    Attributes:
        sources: The samples of each selector, by the place where it stands in the query.
        drop_late: Whether names are dropped only at the end.
        notes: What the author of the query should know.
        watch: Who looks on.
    """

    sources: dict[Span, SeriesColumns]
    drop_late: bool
    notes: NoteBook
    watch: Watch = _UNWATCHED

    def vector(self, node: Node, scope: Scope) -> Sheet:
        """Return the instant vector of an expression at every step."""
        self.watch.check()
        node, shared, tally = unwrapped(node), self.watch.shared, self.watch.tally
        if shared is not None and scope.grid is scope.query:
            return shared.vector(node, lambda: self._vector(node, scope))
        if tally is None:
            return self._vector(node, scope)
        before = tally.held
        found = self._vector(node, scope)
        tally.holds(before, int(found.present.sum()))
        return found

    def _once(self, node: Node, scope: Scope) -> Sheet:
        """Return an expression that is the same at every step, computed for the first."""
        grid = replace(scope.grid, end_ms=scope.grid.start_ms, step_ms=0)
        found = self._vector(node, replace(scope, grid=grid))
        return found.with_values(*at_every_step(found.values, found.present, scope.grid.steps))

    def _vector(self, node: Node, scope: Scope) -> Sheet:
        can_repeat = scope.grid.start_ms != scope.grid.end_ms and self.watch.tally is None
        if can_repeat and isinstance(node, _COMPUTED) and is_fixed(node, scope):
            return self._once(node, scope)
        match node:
            case VectorSelector():
                return self._selector(node, scope)
            case Aggregate():
                return self._aggregate(node, scope)
            case Binary():
                return self._binary(node, scope)
            case Unary():
                return self._negated(node, scope)
            case Call():
                return functions.call(self, node, scope)
        raise QvmonError(ErrorKind.INTERNAL, f"{node} is no instant vector")

    def scalar(self, node: Node, scope: Scope) -> Float64s:
        """Return float64[m]: the number an expression is at every step."""
        match node:
            case Paren():
                return self.scalar(node.inner, scope)
            case NumberLiteral():
                return np.full(scope.grid.steps, node.value)
            case Unary():
                value = self.scalar(node.operand, scope)
                return -value if node.operator == "-" else value
            case Binary():
                if node.operator in _TRIMS:
                    what = f"operator {quote(node.operator)} not allowed for Scalar operations"
                    raise invalid(what)
                left, right = self.scalar(node.left, scope), self.scalar(node.right, scope)
                values, kept = apply(node.operator, left, right)
                return kept.astype(np.float64) if node.returns_bool else values
            case Call():
                return functions.scalar_call(self, node, scope)
        raise QvmonError(ErrorKind.INTERNAL, f"{node} is no scalar")

    def _counted(self, found: windows.Windows, scope: Scope) -> windows.Windows:
        if self.watch.tally is not None:
            samples = in_windows(found.columns, found.starts, found.ends)
            before = np.concatenate((found.starts[:1], found.ends[:-1]))
            read = in_windows(found.columns, np.maximum(found.starts, before), found.ends)
            once = np.zeros(found.at.shape, np.int64)
            once[: len(read)] = read
            every = np.broadcast_to(samples, found.at.shape)
            self.watch.tally.looked_at(scope.grid, every, len(found.columns), once)
            self.watch.tally.window(in_last_window(found.columns, found.starts, found.ends))
        return found

    def windows(self, node: Node, scope: Scope, *, last: bool = False) -> windows.Windows:
        """Return the range vector of an expression at every step.

        Args:
            node: The expression.
            scope: Where it stands.
            last: Whether it is all of the query: names that are dropped late are dropped then.
        """
        node = unwrapped(node)
        at = scope.grid.times()
        if isinstance(node, MatrixSelector):
            looked = scope.looked_at(node.selector.shift)
            columns = self.sources[node.selector.span]
            length = scope.milliseconds(node.range, positive=True)
            mode = node.selector.shift.mode
            found = windows.windows(columns, looked, length, at, mode=mode)
            return self._counted(found, scope)
        if not isinstance(node, Subquery):
            raise QvmonError(ErrorKind.INTERNAL, f"{node} is no range vector")
        inner = scope.inside(node)
        is_all = self.watch.tally is not None and self.watch.tally.enter(inner.grid)
        values = self.vector(node.expression, inner) if inner.grid.steps else no_series()
        if last and self.drop_late:
            values = merged(unnamed(values, values.unnamed))
        columns = windows.columns_of(values, inner.grid.times())
        length = scope.milliseconds(node.range, positive=True)
        looked = scope.looked_at(node.shift)
        found = windows.windows(columns, looked, length, at, unnamed=values.unnamed)
        return found if is_all else self._counted(found, scope)

    def _selector(self, node: VectorSelector, scope: Scope) -> Sheet:
        columns, looked = self.sources[node.span], scope.looked_at(node.shift)
        at = looked.times()
        if node.shift.mode == "smoothed":
            columns, found = columns.then(windows.without_stale), smoothed_values
        else:
            found = instant_values
        values, present = by_parts(
            columns,
            len(at),
            self.watch.check,
            lambda of, steps: found(
                of.offsets, of.timestamps, of.values, at[steps], looked.lookback_ms
            ),
        )
        return self.seen(
            sheet(columns.labels, *at_every_step(values, present, scope.grid.steps)), scope
        )

    def seen(self, found: Sheet, scope: Scope) -> Sheet:
        """Return what a selector found at every step, counted."""
        if self.watch.tally is not None:
            self.watch.tally.looked_at(scope.grid, at_steps(found.present), len(found.present))
        return found

    def _aggregate(self, node: Aggregate, scope: Scope) -> Sheet:
        if node.operator == "count_values" and node.parameter is not None:
            label = labelling.label_name(node.parameter, "invalid label name", quoted=True)
            return groups.count_values(node, self.vector(node.operand, scope), label)
        of = self.vector(node.operand, scope)
        if node.parameter is None:
            return groups.aggregate(node, of, None)
        parameter, place = self.scalar(node.parameter, scope), unwrapped(node.parameter).span
        if node.operator == "quantile":
            self.notes.check_extreme_quantiles(place, parameter)
        elif node.operator == "limit_ratio":
            self.notes.check_ratios(place, parameter)
        if node.operator in groups.CHOOSING:
            return groups.choose(node, of, parameter)
        return groups.aggregate(node, of, parameter)

    def _negated(self, node: Unary, scope: Scope) -> Sheet:
        of = self.vector(node.operand, scope)
        if node.operator == "+":
            return of
        return binary.nameless(of.with_values(-of.values), drop_late=self.drop_late)

    def _binary(self, node: Binary, scope: Scope) -> Sheet:
        if node.left.type is ValueType.SCALAR:
            vector, scalar = self.vector(node.right, scope), self.scalar(node.left, scope)
            self._note_trim(node, vector.present)
            return binary.with_scalar(
                node, vector, scalar, scalar_is_left=True, drop_late=self.drop_late
            )
        left = self.vector(node.left, scope)
        if node.right.type is ValueType.SCALAR:
            scalar = self.scalar(node.right, scope)
            self._note_trim(node, left.present)
            return binary.with_scalar(
                node, left, scalar, scalar_is_left=False, drop_late=self.drop_late
            )
        right = self.vector(node.right, scope)
        if node.matching is not None and node.operator in ("and", "or", "unless"):
            return binary.combine_sets(node.operator, node.matching, left, right)
        if node.operator in _TRIMS:
            paired = binary.combine(replace(node, operator="+"), left, right, drop_late=False)
            self._note_trim(node, paired.present)
        return binary.combine(node, left, right, drop_late=self.drop_late)

    def _note_trim(self, node: Binary, met: Bools) -> None:
        """Note a histogram's operator where it has met a float."""
        if node.operator in _TRIMS and met.any():
            what = "incompatible sample types encountered for binary operator"
            self.notes.inform(node.span, f'{what} "{node.operator}": float {node.operator} float')
