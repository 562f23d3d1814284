"""A Pratt parser of PromQL: tokens to tree."""

from __future__ import annotations

from dataclasses import replace

from qvmon.model.labels import Matcher
from qvmon.promql import lexer
from qvmon.promql.check import check
from qvmon.promql.lexer import AGGREGATORS
from qvmon.promql.nodes import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Matching,
    Node,
    NumberLiteral,
    Paren,
    StringLiteral,
    Unary,
)
from qvmon.promql.position import Span
from qvmon.promql.quoting import quote, unquoted_bytes
from qvmon.promql.selector_parser import NO_METRIC, SelectorParser
from qvmon.promql.signatures import SIGNATURES

_BINDING = {
    "or": 1,
    "and": 2,
    "unless": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "</", ">/"), 3),
    "+": 4,
    "-": 4,
    **dict.fromkeys(("*", "/", "%", "atan2"), 5),
    "^": 6,
}
_PREFIXES = frozenset({"+", "-", "(", "{", lexer.NUMBER, lexer.DURATION, lexer.STRING})
_FILLS = frozenset({"fill", "fill_left", "fill_right"})
_SIGN_BINDING = 6  # a sign binds as multiplication does, so its operand may only hold powers
_WITH_PARAMETER = frozenset(
    {"topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio"}
)
MAX_DEPTH = 100
"""How many expressions may stand inside one another."""

MAX_OPERATIONS = 300
"""How many operators of equal rank may follow one another."""

_TOO_DEEP = f"expressions are nested more than {MAX_DEPTH} deep"
_TOO_MANY = f"more than {MAX_OPERATIONS} operations build on one another"
_CALLED_KEYWORDS = frozenset({"start", "end", "step", "range", "max_of", "min_of"})


def parse(text: str) -> Node:
    """Return the type-checked tree of a query.

    Raises:
        QvmonError: INVALID, with ``line:column: parse error: ...`` in Prometheus' words.
    """
    parser = _Parser(text)
    if parser.token.kind == lexer.END:
        parser.fail(Span(0, 0), "no expression found in input")
    tree = parser.expression(0)
    parser.expect_end()
    _refuse_depth(tree, parser)
    return check(text, tree)


def _refuse_depth(tree: Node, parser: _Parser) -> None:
    """Refuse a tree so deep that walking it could exhaust the interpreter's stack."""
    level = [tree]
    for _ in range(MAX_OPERATIONS):
        level = [child for node in level for child in node.children]
        if not level:
            return
    parser.fail(tree.span, _TOO_MANY)


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Return the matchers of a series selector such as ``up{job="a"}``; ``{}`` has none.

    Raises:
        QvmonError: INVALID, when ``text`` is anything else.
    """
    parser = _Parser(text)
    selector = parser.vector_selector()
    parser.expect_end()
    return selector.matchers


class _Parser(SelectorParser):
    """Reads expressions."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def expression(self, least: int) -> Node:
        """Return the longest expression whose operators bind at least as tightly as ``least``."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self.fail(self.token.span, _TOO_DEEP)
        found = self._operations(least)
        self._depth -= 1
        return found

    def _operations(self, least: int) -> Node:
        left = self.postfix(self._prefix())
        while (binding := _BINDING.get(self.token.kind, -1)) >= max(least, 1):
            operator = self.take()
            returns_bool = self.accept("bool") is not None
            matching = self._matching()
            right = self.expression(binding if operator.kind == "^" else binding + 1)
            left = Binary(
                operator.kind,
                left,
                right,
                returns_bool,
                matching,
                span=left.span.to(right.span),
            )
        return left

    def _prefix(self) -> Node:
        match self.token.kind:
            case "+" | "-":
                node = self._signed()
            case "(":
                node = self._paren()
            case lexer.NUMBER | lexer.DURATION:
                node = self.number()
            case lexer.STRING:
                node = self._string()
            case _:
                node = self._named()
        return node

    def _string(self) -> Node:
        token = self.take()
        written = unquoted_bytes(token.text)
        value = written.decode(errors="replace")
        return StringLiteral(value, value.encode() == written, span=token.span)

    def _signed(self) -> Node:
        sign = self.take()
        operand = self.expression(_SIGN_BINDING)
        span = Span(sign.start, operand.span.end)
        if isinstance(operand, NumberLiteral):
            value = -operand.value if sign.kind == "-" else operand.value
            return replace(operand, value=value, span=span)
        return Unary(sign.kind, operand, span=span)

    def _paren(self) -> Node:
        opening = self.take()
        inner = self.expression(0)
        self.expect(")", "", "")
        return Paren(inner, span=self.since(opening.start))

    def _named(self) -> Node:
        kind = self.token.kind
        following = self._tokens[self._at + 1].kind if self.token.is_word else ""
        if kind in AGGREGATORS and following in ("(", "by", "without"):
            return self._aggregate()
        if following == "(" and (kind == lexer.IDENTIFIER or kind in _CALLED_KEYWORDS):
            return self._call()
        return self.vector_selector()

    def _call(self) -> Node:
        name = self.take()
        arguments = self._arguments()
        signature = SIGNATURES.get(name.text)
        if signature is None:
            self.fail(name.span, f"unknown function with name {quote(name.text)}")
        return Call(name.text, arguments, signature.returns, span=self.since(name.start))

    def _arguments(self) -> tuple[Node, ...]:
        self.expect("(", "", "")
        arguments: list[Node] = []
        while not self.accept(")"):
            if arguments:
                comma = self.expect(",", "", "")
                if not self._begins_expression():
                    self.fail(comma.span, "trailing commas not allowed in function call args")
            arguments.append(self.expression(0))
        return tuple(arguments)

    def _aggregate(self) -> Node:
        operator = self.take()
        self.aggregations += 1
        grouping, without = self._grouping()
        arguments = self._arguments()
        self.aggregations -= 1
        if grouping is None:  # only then what follows is looked at
            grouping, without = self._grouping()
            if self.token.kind == lexer.BAD:
                self.unexpected()
        span = self.since(operator.start)
        wanted = 2 if operator.kind in _WITH_PARAMETER else 1
        if not arguments:
            self.fail(span, "no arguments for aggregate expression provided")
        if len(arguments) != wanted:
            self.fail(
                span,
                "wrong number of arguments for aggregate expression provided, "
                f"expected {wanted}, got {len(arguments)}",
            )
        parameter = arguments[0] if wanted == 2 else None
        return Aggregate(
            operator.kind, arguments[-1], parameter, grouping or (), without, span=span
        )

    def _grouping(self) -> tuple[tuple[str, ...] | None, bool]:
        if self.token.kind not in ("by", "without"):
            return None, False
        without = self.take().kind == "without"
        return self.label_names(), without

    def _matching(self) -> Matching:
        matching = Matching()
        if self.token.kind in ("on", "ignoring"):
            on = self.take().kind == "on"
            matching = replace(matching, on=on, labels=self.label_names())
            if self.token.kind in ("group_left", "group_right"):
                left = self.take().kind == "group_left"
                matching = replace(
                    matching,
                    cardinality=Cardinality.MANY_TO_ONE if left else Cardinality.ONE_TO_MANY,
                    include=self._included(),
                )
        return self._fill(matching)

    def _included(self) -> tuple[str, ...]:
        if self._begins_expression() and self.token.kind != "(":
            return ()
        return () if self.token.kind in _FILLS else self.label_names()

    def _begins_expression(self) -> bool:
        token = self.token
        if token.kind == lexer.BAD or token.kind in _PREFIXES:
            return True
        return token.is_word and token.kind not in NO_METRIC

    def _fill(self, matching: Matching) -> Matching:
        if self.accept("fill"):
            value = self._fill_value()
            return replace(matching, fill_left=value, fill_right=value)
        while True:
            if matching.fill_left is None and self.accept("fill_left"):
                matching = replace(matching, fill_left=self._fill_value())
            elif matching.fill_right is None and self.accept("fill_right"):
                matching = replace(matching, fill_right=self._fill_value())
            else:
                return matching

    def _fill_value(self) -> float:
        self.expect("(", "", "")
        sign = self.take().kind if self.token.kind in ("+", "-") else "+"
        if self.token.kind not in (lexer.NUMBER, lexer.DURATION):
            self.unexpected()
        value = self.number().value
        self.expect(")", "", "")
        return -value if sign == "-" else value
