"""A query ready to run: its tree, and which samples it needs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Selection
from qvmon.promql import info_function
from qvmon.promql.arithmetic import calculated
from qvmon.promql.nodes import (
    Aggregate,
    Call,
    Duration,
    DurationExpression,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    Shift,
    Subquery,
    ValueType,
    VectorSelector,
)
from qvmon.promql.parser import parse
from qvmon.promql.results import Grid


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a part of a query is evaluated: its own steps within those of the whole query.

    Attributes:
        grid: Its own steps.
        query: The steps of the whole query.
        text: The query, where complaints have to tell a place in it.
    """

    grid: Grid
    query: Grid
    text: str = ""

    def milliseconds(self, duration: Duration | None, *, positive: bool = False) -> int:
        """Return the length of a duration, 0 for none.

        Raises:
            QvmonError: INVALID, when arithmetic on durations leaves no usable one.
        """
        if duration is None:
            return 0
        if isinstance(duration, NumberLiteral):
            return round(duration.value * 1000)
        seconds = self._seconds(duration)
        if not math.isfinite(seconds):
            raise self._bad(duration, "duration is NaN or infinite")
        if positive and seconds <= 0:
            raise self._bad(duration, "duration must be greater than 0")
        if abs(seconds) > 2**63 / 1e9:
            raise self._bad(duration, "duration is out of range")
        return int(seconds * 1000)

    def _seconds(self, duration: Duration | None) -> float:
        if duration is None:
            return 0.0
        if isinstance(duration, NumberLiteral):
            return duration.value
        if duration.operator == "step":
            return self.query.step_ms / 1000
        if duration.operator == "range":
            return (self.query.end_ms - self.query.start_ms) / 1000
        return self._arithmetic(duration)

    def _bad(self, duration: DurationExpression, complaint: str) -> QvmonError:
        """Return the error for a duration, which tells its place in bytes."""
        span = duration.span
        start, end = (len(self.text[:at].encode()) for at in (span.start, span.end))
        return QvmonError(ErrorKind.INVALID, f"{start}:{end}: {complaint}", span=f"{start}:{end}")

    def _arithmetic(self, duration: DurationExpression) -> float:
        left, right = self._seconds(duration.left), self._seconds(duration.right)
        if duration.operator in "/%" and right == 0:
            name = "division" if duration.operator == "/" else "modulo"
            raise self._bad(duration, f"{name} by zero")
        return calculated(duration.operator, left, right)

    def fixed(self, shift: Shift) -> int | None:
        """Return the time the ``@`` modifier names, if there is one."""
        if shift.at == "start":
            return self.query.start_ms
        if shift.at == "end":
            return self.query.end_ms
        return shift.at if isinstance(shift.at, int) else None

    def looked_at(self, shift: Shift) -> Grid:
        """Return the steps a selector looks at: moved, or a single one under ``@``."""
        offset, fixed = self.milliseconds(shift.offset), self.fixed(shift)
        grid = self.grid
        start, end = (grid.start_ms, grid.end_ms) if fixed is None else (fixed, fixed)
        return Grid(
            start - offset, end - offset, grid.step_ms, grid.lookback_ms, grid.subquery_step_ms
        )

    def inside(self, subquery: Subquery) -> Scope:
        """Return where the expression of a subquery is evaluated: at multiples of its step."""
        looked = self.looked_at(subquery.shift)
        step = self.milliseconds(subquery.step, positive=True) or looked.subquery_step_ms
        length = self.milliseconds(subquery.range, positive=True)
        start = ((looked.start_ms - length) // step + 1) * step
        end = looked.start_ms + (looked.steps - 1) * looked.step_ms
        grid = Grid(start, end, step, looked.lookback_ms, looked.subquery_step_ms)
        return Scope(grid, self.query, self.text)


@dataclass(frozen=True, slots=True)
class Need:
    """What one selector of a query reads.

    Attributes:
        selector: Where it stands.
        selection: The samples.
        steps: At how many steps it is looked at, those of subqueries included.
    """

    selector: VectorSelector
    selection: Selection
    steps: int


@dataclass(frozen=True, slots=True)
class Plan:
    """A parsed and type-checked query.

    Attributes:
        text: The query as it came.
        root: Its tree; ``str(plan.root)`` is canonical PromQL.
    """

    text: str
    root: Node

    @property
    def type(self) -> ValueType:
        """What the query yields."""
        return self.root.type

    def selections(self, grid: Grid) -> list[Selection]:
        """Return the samples that ``evaluate`` needs over ``grid``, in a fixed order.

        Raises:
            QvmonError: INVALID, when arithmetic on durations leaves no usable one.
        """
        return [need.selection for need in self.needs(grid)]

    def needs(self, grid: Grid) -> Iterator[Need]:
        """Yield what each selector reads over ``grid``, in the order of ``selections``."""
        return _needs(self.root, Scope(grid, grid, self.text))


def plan(text: str) -> Plan:
    """Return the plan of a query.

    Raises:
        QvmonError: INVALID, with position and reason in Prometheus' words.
    """
    return Plan(text, parse(text))


def _needs(node: Node, scope: Scope) -> Iterator[Need]:
    match node:
        case VectorSelector():
            yield _need(node, scope, scope.grid.lookback_ms)
        case MatrixSelector():
            length = scope.milliseconds(node.range, positive=True)
            if node.selector.shift.mode:
                length += scope.grid.lookback_ms
            yield _need(node.selector, scope, length)
        case Call(function="info"):
            yield from _needs(node.arguments[0], scope)
            yield _need(info_function.selector(node, scope), scope, scope.grid.lookback_ms)
        case Subquery():
            yield from _needs(node.expression, scope.inside(node))
        case _:
            for child in node.children:
                yield from _needs(child, scope)


def _need(node: VectorSelector, scope: Scope, before_ms: int) -> Need:
    """Return what a selector reads; windows are open on the left."""
    looked = scope.looked_at(node.shift)
    last = looked.start_ms + max(0, looked.steps - 1) * looked.step_ms
    if node.shift.mode == "smoothed":
        last += looked.lookback_ms
    selection = Selection(node.matchers, looked.start_ms - before_ms + 1, last)
    return Need(node, selection, scope.grid.steps)


def unwrapped(node: Node) -> Node:
    """Return what stands inside any parentheses."""
    while isinstance(node, Paren):
        node = node.inner
    return node


_TIME_DEPENDENT = frozenset(
    {
        *("days_in_month", "day_of_month", "day_of_week", "day_of_year", "hour", "minute"),
        *("month", "year", "predict_linear", "time"),
    }
)


def is_fixed(node: Node, scope: Scope) -> bool:
    """Return whether an expression is the same at every step, as Prometheus tells it.

    It then is evaluated at the first step alone. Of an aggregation only the operand counts.
    """
    match node:
        case VectorSelector() | Subquery():
            return node.shift.at is not None
        case MatrixSelector():
            return node.selector.shift.at is not None
        case Aggregate():
            return is_fixed(node.operand, scope)
        case Call():
            return _is_fixed_call(node, scope)
        case _:
            return all(is_fixed(child, scope) for child in node.children)


def _is_fixed_call(node: Call, scope: Scope) -> bool:
    argument = unwrapped(node.arguments[0]) if node.arguments else None
    if node.function == "info" and argument is not None:
        return is_fixed(argument, scope) and info_function.reference(node, scope) is not None
    if node.function == "timestamp":
        return isinstance(argument, VectorSelector) and is_fixed(argument, scope)
    return node.function not in _TIME_DEPENDENT and all(
        is_fixed(each, scope) for each in node.arguments
    )
