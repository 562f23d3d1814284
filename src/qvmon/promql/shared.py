"""What several plans have in common, computed once for a step: for rules that are due together.

Equal expressions are evaluated once. Beyond that, functions of one metric under different
matchers (``rate(x{a="1"}[5m])``, ``rate(x{a="2"}[5m])``, ...) are evaluated once for the series
that all of them read, the *cover*, and each takes its rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from qvmon.model.labels import METRIC_NAME, Matcher, MatchOp
from qvmon.model.series import Int64s, LabelFrame
from qvmon.promql.nodes import (
    Call,
    DurationExpression,
    MatrixSelector,
    Node,
    NumberLiteral,
    StringLiteral,
    Subquery,
    ValueType,
    VectorSelector,
)
from qvmon.promql.plan import Plan, unwrapped
from qvmon.promql.sheet import METADATA_LABELS, Sheet

_READS_SELECTORS = frozenset({"timestamp", "info", "absent_over_time"})
"""Functions that look at their selector itself, not only at its values."""

_MAY_FAIL = frozenset({"double_exponential_smoothing"})
"""Functions that refuse some numbers: each plan is to be told for itself."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A selector, or a function of one range selector: what becomes of each series by itself.

    Attributes:
        text: The expression as canonical PromQL.
        selector: What it reads.
        family: The expression with no matcher but that of the metric's name.
        bare: The same as a tree.
    """

    text: str
    selector: VectorSelector
    family: str
    bare: Node

    @property
    def matchers(self) -> frozenset[Matcher]:
        """What it asks of labels other than the metric's name."""
        return frozenset(m for m in self.selector.matchers if m.name != METRIC_NAME)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The parts of one plan that it may have in common with others.

    Attributes:
        plan: The plan.
        texts: Canonical PromQL of each part, by the identity of its node.
        leaves: Those parts that can have a cover, by the identity of their nodes.
    """

    plan: Plan
    texts: dict[int, str] = field(default_factory=dict)
    leaves: dict[int, Leaf] = field(default_factory=dict)

    def metrics(self) -> frozenset[str]:
        """Return the metrics that leaves read; plans without a common one share no reading."""
        return frozenset(
            m.value
            for leaf in self.leaves.values()
            for m in leaf.selector.matchers
            if m.name == METRIC_NAME
        )


def inventory(plan: Plan) -> Inventory:
    """Return the parts of a plan that it may have in common with others."""
    found = Inventory(plan)
    _collect(plan.root, found)
    return found


def _collect(node: Node, found: Inventory) -> None:
    node = unwrapped(node)
    if isinstance(node, Subquery | MatrixSelector | NumberLiteral | StringLiteral):
        return
    if node.type is ValueType.VECTOR:
        found.texts[id(node)] = str(node)
        leaf = _leaf(node)
        if leaf is not None:
            found.leaves[id(node)] = leaf
    if not (isinstance(node, Call) and node.function in _READS_SELECTORS):
        for child in node.children:
            _collect(child, found)


def _leaf(node: Node) -> Leaf | None:
    if isinstance(node, VectorSelector):
        bare = _bare(node)
        return Leaf(str(node), node, str(bare), bare) if bare is not None else None
    if not isinstance(node, Call) or node.function in _READS_SELECTORS | _MAY_FAIL:
        return None
    ranges = [each for each in node.arguments if each.type is ValueType.MATRIX]
    rest = [each for each in node.arguments if each.type is not ValueType.MATRIX]
    matrix = unwrapped(ranges[0]) if len(ranges) == 1 else None
    if not isinstance(matrix, MatrixSelector) or not all(
        isinstance(each, NumberLiteral) for each in rest
    ):
        return None
    return _leaf_of_call(node, ranges[0], matrix)


def _leaf_of_call(node: Call, argument: Node, matrix: MatrixSelector) -> Leaf | None:
    selector = _bare(matrix.selector)
    if selector is None or isinstance(matrix.range, DurationExpression):
        return None
    wide = replace(matrix, selector=selector)
    arguments = tuple(wide if each is argument else each for each in node.arguments)
    bare = replace(node, arguments=arguments)
    return Leaf(str(node), matrix.selector, str(bare), bare)


def _bare(selector: VectorSelector) -> VectorSelector | None:
    """Return a selector of the whole metric; None where it names none."""
    names = [m for m in selector.matchers if m.name == METRIC_NAME]
    about_metadata = any(
        m.name in METADATA_LABELS and m.name != METRIC_NAME for m in selector.matchers
    )
    if len(names) != 1 or names[0].op is not MatchOp.EQUAL or about_metadata:
        return None
    if selector.shift.mode or isinstance(selector.shift.offset, DurationExpression):
        return None
    return replace(selector, name=names[0].value, matchers=(names[0],))


@dataclass(frozen=True, slots=True)
class Cover:
    """An expression whose rows contain those of several leaves.

    Attributes:
        plan: Computes it.
        leaves: Those whose rows it contains.
        exists: Whether one of the plans has it anyway.
    """

    plan: Plan
    leaves: tuple[Leaf, ...]
    exists: bool


def covers(inventories: Iterable[Inventory]) -> Iterator[Cover]:
    """Yield a cover for each family of leaves with several members."""
    families: dict[str, dict[str, Leaf]] = {}
    for each in inventories:
        for leaf in each.leaves.values():
            families.setdefault(leaf.family, {})[leaf.text] = leaf
    for members in families.values():
        if len(members) > 1:
            yield _cover(list(members.values()))


def _cover(leaves: Sequence[Leaf]) -> Cover:
    shared = frozenset.intersection(*(leaf.matchers for leaf in leaves))
    node = _narrowed(leaves[0].bare, tuple(sorted(shared, key=str)))
    text = str(node)
    return Cover(Plan(text, node), tuple(leaves), any(leaf.text == text for leaf in leaves))


def _narrowed(bare: Node, matchers: tuple[Matcher, ...]) -> Node:
    """Return a leaf's bare expression with more matchers."""
    if isinstance(bare, VectorSelector):
        return replace(bare, matchers=(*matchers, *bare.matchers))
    if isinstance(bare, MatrixSelector):
        selector = bare.selector
        wide = replace(selector, matchers=(*matchers, *selector.matchers))
        return replace(bare, selector=wide)
    assert isinstance(bare, Call)  # noqa: S101 - a leaf is one of the three or a number
    ranges = (isinstance(each, MatrixSelector) for each in bare.arguments)
    return replace(
        bare,
        arguments=tuple(
            _narrowed(each, matchers) if is_range else each
            for each, is_range in zip(bare.arguments, ranges, strict=True)
        ),
    )


class Sharing:
    """The common parts of several plans at one grid; made for one batch, by one thread.

    Args:
        inventories: The plans' parts.
        used: The covers to take leaves from.
    """

    def __init__(self, inventories: Sequence[Inventory], used: Sequence[Cover]) -> None:
        self._texts: dict[int, str] = {}
        counts: Counter[str] = Counter()
        for each in inventories:
            self._texts |= each.texts
            counts.update(each.texts.values())
        self._repeated = frozenset(text for text, count in counts.items() if count > 1)
        self._cover_of = {leaf.text: (cover, leaf) for cover in used for leaf in cover.leaves}
        self._sheets: dict[str, Sheet] = {}
        self._by_label: dict[str, RowsByLabel] = {}
        self.hits = 0

    def put(self, text: str, sheet: Sheet) -> None:
        """Remember the result of an expression."""
        self._sheets[text] = sheet
        self._repeated |= {text}

    def vector(self, node: Node, compute: Callable[[], Sheet]) -> Sheet:
        """Return the result of a node outside subqueries; computed only if it has to be."""
        text = self._texts.get(id(node))
        if text is None:
            return compute()
        found = self._sheets.get(text)
        if found is None and text in self._cover_of:
            found = self._sheets[text] = self._cut(*self._cover_of[text])
        if found is not None:
            self.hits += 1
            return found
        found = compute()
        if text in self._repeated:
            self._sheets[text] = found
        return found

    def _cut(self, cover: Cover, leaf: Leaf) -> Sheet:
        whole = self._sheets[cover.plan.text]
        if cover.plan.text not in self._by_label:
            self._by_label[cover.plan.text] = RowsByLabel(whole.labels)
        rows = self._by_label[cover.plan.text].matching(leaf.matchers)
        return whole.take(rows)


class RowsByLabel:
    """The rows of a frame by the values of their labels."""

    def __init__(self, frame: LabelFrame) -> None:
        self._frame = frame
        self._rows: dict[str, dict[str, Int64s]] = {}

    def matching(self, matchers: Iterable[Matcher]) -> Int64s:
        """Return the rows that satisfy every matcher, ascending."""
        chosen: Int64s | None = None
        for matcher in matchers:
            rows = self._satisfying(matcher)
            chosen = rows if chosen is None else np.intersect1d(chosen, rows, assume_unique=True)
        return np.arange(len(self._frame)) if chosen is None else chosen

    def _satisfying(self, matcher: Matcher) -> Int64s:
        values = self._values(matcher.name)
        if matcher.op is MatchOp.EQUAL:
            return values.get(matcher.value, np.zeros(0, np.int64))
        found = [rows for value, rows in values.items() if matcher.matches(value)]
        return np.sort(np.concatenate(found)) if found else np.zeros(0, np.int64)

    def _values(self, name: str) -> dict[str, Int64s]:
        known = self._rows.get(name)
        if known is None:
            column = self._frame.column(name)
            order = np.argsort(column, kind="stable")
            codes, first = np.unique(column[order], return_index=True)
            parts = np.split(order, first)[1:]
            texts = (self._frame.symbols[int(code)] for code in codes)
            known = self._rows[name] = dict(zip(texts, parts, strict=True))
        return known
