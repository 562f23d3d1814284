"""The syntax tree of a query: frozen nodes that print themselves as canonical PromQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from qvmon.model.floats import format_decimal
from qvmon.model.labels import METRIC_NAME, Matcher, MatchOp
from qvmon.promql.durations import format_duration
from qvmon.promql.position import NOWHERE, Span
from qvmon.promql.quoting import label_name, quote


class ValueType(StrEnum):
    """What an expression yields, in the words of Prometheus' errors."""

    NONE = "none"
    SCALAR = "scalar"
    VECTOR = "instant vector"
    MATRIX = "range vector"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Node:
    """Any expression; ``span`` says where it stands and takes no part in equality."""

    span: Span = field(default=NOWHERE, compare=False, kw_only=True, repr=False)

    @property
    def type(self) -> ValueType:
        """Return what the expression yields."""
        return ValueType.VECTOR

    @property
    def children(self) -> tuple[Node, ...]:
        """Return the expressions directly inside this one."""
        return ()


@dataclass(frozen=True, slots=True)
class NumberLiteral(Node):
    """A number, or a duration in seconds."""

    value: float
    is_duration: bool = False

    @property
    def type(self) -> ValueType:
        """Return what the expression yields."""
        return ValueType.SCALAR

    def __str__(self) -> str:
        if self.is_duration:
            return format_duration(round(self.value * 1000))
        return format_decimal(self.value)


@dataclass(frozen=True, slots=True)
class StringLiteral(Node):
    """A string.

    Attributes:
        value: Its characters; bytes that are no UTF-8 are U+FFFD.
        is_utf8: Whether there are no such bytes; a label name may hold none.
    """

    value: str
    is_utf8: bool = True

    @property
    def type(self) -> ValueType:
        """Return what the expression yields."""
        return ValueType.STRING

    def __str__(self) -> str:
        return quote(self.value)


@dataclass(frozen=True, slots=True)
class DurationExpression(Node):
    """Arithmetic on durations; evaluated once a query's step and range are known.

    Attributes:
        operator: ``+ - * / % ^``, or ``step``, ``range``, ``min_of``, ``max_of``.
        left: Absent for a sign, ``step`` and ``range``.
        right: Absent for ``step`` and ``range``.
        wrapped: Whether it stands in parentheses.
    """

    operator: str
    left: Duration | None = None
    right: Duration | None = None
    wrapped: bool = False

    @property
    def type(self) -> ValueType:
        """Return what the expression yields."""
        return ValueType.SCALAR

    def __str__(self) -> str:
        text = self._bare()
        return f"({text})" if self.wrapped else text

    def _bare(self) -> str:
        if self.operator in ("step", "range"):
            return f"{self.operator}()"
        if self.operator in ("min_of", "max_of"):
            return f"{self.operator}({self.left}, {self.right})"
        if self.left is None:
            return f"{'-' if self.operator == '-' else ''}{self.right}"
        return f"{self.left} {self.operator} {self.right}"


Duration = NumberLiteral | DurationExpression


@dataclass(frozen=True, slots=True)
class Shift:
    """Where in time a selector looks.

    Attributes:
        at: Milliseconds, ``"start"`` or ``"end"`` of the query; none where each step looks itself.
        offset: How far back.
        mode: ``anchored`` or ``smoothed``: how a range treats its edges; empty for the usual way.
    """

    at: int | str | None = None
    offset: Duration | None = None
    mode: str = ""

    def __str__(self) -> str:
        return self.at_text() + self.mode_text() + self.offset_text()

    def at_text(self) -> str:
        """Return the ``@`` modifier with a space before it."""
        if self.at is None:
            return ""
        return f" @ {self.at}()" if isinstance(self.at, str) else f" @ {self.at / 1000:.3f}"

    def mode_text(self) -> str:
        """Return the ``anchored`` or ``smoothed`` modifier with a space before it."""
        return f" {self.mode}" if self.mode else ""

    def offset_text(self) -> str:
        """Return the ``offset`` modifier with a space before it; one of zero is not printed."""
        if self.offset is None:
            return ""
        if isinstance(self.offset, DurationExpression):
            return f" offset {self.offset}"
        milliseconds = round(self.offset.value * 1000)
        return f" offset {format_duration(milliseconds)}" if milliseconds else ""


NO_SHIFT = Shift()


@dataclass(frozen=True, slots=True)
class VectorSelector(Node):
    """Series by name and matchers.

    Attributes:
        name: The name written before the braces, or empty.
        matchers: All matchers, that of ``name`` last.
        shift: Where in time it looks.
    """

    name: str
    matchers: tuple[Matcher, ...]
    shift: Shift = NO_SHIFT

    def __str__(self) -> str:
        return self.series_text() + str(self.shift)

    def series_text(self) -> str:
        """Return the selector without its modifiers."""
        shown = sorted(_matcher_text(m) for m in self.matchers if not self._is_name(m))
        return self.name + (f"{{{','.join(shown)}}}" if shown else "")

    def _is_name(self, matcher: Matcher) -> bool:
        is_name = matcher.name == METRIC_NAME and matcher.op is MatchOp.EQUAL
        return is_name and matcher.value == self.name and matcher.value != ""


def _matcher_text(matcher: Matcher) -> str:
    return f"{label_name(matcher.name)}{matcher.op.value}{quote(matcher.value)}"


@dataclass(frozen=True, slots=True)
class MatrixSelector(Node):
    """Samples of a range before each step."""

    selector: VectorSelector
    range: Duration

    @property
    def type(self) -> ValueType:
        """Return what the expression yields."""
        return ValueType.MATRIX

    @property
    def children(self) -> tuple[Node, ...]:
        """Return the expressions directly inside this one."""
        return (self.selector,)

    def __str__(self) -> str:
        shift = self.selector.shift
        after = shift.mode_text() + shift.at_text() + shift.offset_text()
        return f"{self.selector.series_text()}[{_range_text(self.range)}]{after}"


@dataclass(frozen=True, slots=True)
class Subquery(Node):
    """An expression evaluated at regular steps over a range before each step."""

    expression: Node
    range: Duration
    step: Duration | None = None
    shift: Shift = NO_SHIFT

    @property
    def type(self) -> ValueType:
        """Return what the expression yields."""
        return ValueType.MATRIX

    @property
    def children(self) -> tuple[Node, ...]:
        """Return the expressions directly inside this one."""
        return (self.expression,)

    def __str__(self) -> str:
        step = "" if self.step is None else _range_text(self.step)
        return f"{self.expression}[{_range_text(self.range)}:{step}]{self.shift}"


def _range_text(duration: Duration) -> str:
    if isinstance(duration, DurationExpression):
        return str(duration)
    return format_duration(round(duration.value * 1000))


@dataclass(frozen=True, slots=True)
class Paren(Node):
    """An expression in parentheses."""

    inner: Node

    @property
    def type(self) -> ValueType:
        """Return what the expression yields."""
        return self.inner.type

    @property
    def children(self) -> tuple[Node, ...]:
        """Return the expressions directly inside this one."""
        return (self.inner,)

    def __str__(self) -> str:
        return f"({self.inner})"


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """A sign before an expression."""

    operator: str
    operand: Node

    @property
    def type(self) -> ValueType:
        """Return what the expression yields."""
        return self.operand.type

    @property
    def children(self) -> tuple[Node, ...]:
        """Return the expressions directly inside this one."""
        return (self.operand,)

    def __str__(self) -> str:
        return f"{self.operator}{self.operand}"


class Cardinality(StrEnum):
    """How many series of one side may meet how many of the other."""

    ONE_TO_ONE = "one-to-one"
    MANY_TO_ONE = "many-to-one"
    ONE_TO_MANY = "one-to-many"
    MANY_TO_MANY = "many-to-many"


@dataclass(frozen=True, slots=True)
class Matching:
    """How the series of two vectors find each other.

    Attributes:
        cardinality: How many may meet.
        on: Whether ``labels`` are those compared, rather than those ignored.
        labels: The labels of ``on`` or ``ignoring``.
        include: Labels of the "one" side that ``group_left``/``group_right`` copy.
        fill_left: What stands for a missing series on the left; likewise ``fill_right``.
    """

    cardinality: Cardinality = Cardinality.ONE_TO_ONE
    on: bool = False
    labels: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None

    def __str__(self) -> str:
        grouped = self.cardinality in (Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY)
        text = ""
        if self.labels or self.on or grouped:
            text = f" {'on' if self.on else 'ignoring'} ({label_list(self.labels)})"
        if grouped:
            side = "left" if self.cardinality is Cardinality.MANY_TO_ONE else "right"
            text += f" group_{side} ({label_list(self.include)})"
        return text + self._fill_text()

    def _fill_text(self) -> str:
        left, right = self.fill_left, self.fill_right
        if left is not None and left == right:
            return f" fill ({format_decimal(left)})"
        text = "" if left is None else f" fill_left ({format_decimal(left)})"
        return text + ("" if right is None else f" fill_right ({format_decimal(right)})")


def label_list(names: tuple[str, ...]) -> str:
    """Return label names as they stand between parentheses."""
    return ", ".join(map(label_name, names))


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Two expressions and an operator; ``matching`` only between two vectors."""

    operator: str
    left: Node
    right: Node
    returns_bool: bool = False
    matching: Matching | None = None

    @property
    def type(self) -> ValueType:
        """Return what the expression yields."""
        both_scalar = self.left.type is ValueType.SCALAR and self.right.type is ValueType.SCALAR
        return ValueType.SCALAR if both_scalar else ValueType.VECTOR

    @property
    def children(self) -> tuple[Node, ...]:
        """Return the expressions directly inside this one."""
        return (self.left, self.right)

    def __str__(self) -> str:
        returns_bool = " bool" if self.returns_bool else ""
        matching = "" if self.matching is None else str(self.matching)
        return f"{self.left} {self.operator}{returns_bool}{matching} {self.right}"


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """Series of one group into one, or some of them."""

    operator: str
    operand: Node
    parameter: Node | None = None
    grouping: tuple[str, ...] = ()
    without: bool = False

    @property
    def children(self) -> tuple[Node, ...]:
        """Return the expressions directly inside this one."""
        return (self.operand,) if self.parameter is None else (self.parameter, self.operand)

    def __str__(self) -> str:
        head = self.operator
        if self.without or self.grouping:
            head += f" {'without' if self.without else 'by'} ({label_list(self.grouping)}) "
        return f"{head}({', '.join(map(str, self.children))})"


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function call; ``returns`` comes from the function's signature."""

    function: str
    arguments: tuple[Node, ...]
    returns: ValueType = ValueType.VECTOR

    @property
    def type(self) -> ValueType:
        """Return what the expression yields."""
        return self.returns

    @property
    def children(self) -> tuple[Node, ...]:
        """Return the expressions directly inside this one."""
        return self.arguments

    def __str__(self) -> str:
        return f"{self.function}({', '.join(map(str, self.arguments))})"
