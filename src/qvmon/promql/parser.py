"""A Pratt parser of PromQL: tokens to tree."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NoReturn

from qvmon.model.errors import QvmonError, invalid
from qvmon.model.floats import format_float, parse_float
from qvmon.model.labels import METRIC_NAME, Matcher, MatchOp
from qvmon.promql import lexer
from qvmon.promql.check import check
from qvmon.promql.durations import MAX_DURATION_MS, parse_duration
from qvmon.promql.lexer import AGGREGATORS, Lexer, Token
from qvmon.promql.nodes import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Duration,
    DurationExpression,
    Matching,
    MatrixSelector,
    Node,
    NumberLiteral,
    Paren,
    Shift,
    StringLiteral,
    Subquery,
    Unary,
    VectorSelector,
)
from qvmon.promql.position import Span, parse_error
from qvmon.promql.quoting import quote, unquote
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
_SIGN_BINDING = 6  # a sign binds as multiplication does, so its operand may only hold powers
_WITH_PARAMETER = frozenset(
    {"topk", "bottomk", "count_values", "quantile", "limitk", "limit_ratio"}
)
_CALLED_KEYWORDS = frozenset({"start", "end", "step", "range", "max_of", "min_of"})
_NO_METRIC = frozenset({"bool", "group_left", "group_right", "ignoring", "on", "atan2"})
_SHIFTED = "instant vector selector or range vector selector or a subquery"


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
    return check(text, tree)


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Return the matchers of a series selector such as ``up{job="a"}``.

    Raises:
        QvmonError: INVALID, when ``text`` is anything else.
    """
    parser = _Parser(text)
    selector = parser.vector_selector()
    parser.expect_end()
    check(text, selector)
    return selector.matchers


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = Lexer(text).tokens()
        self._at = 0

    @property
    def token(self) -> Token:
        """The next token."""
        return self._tokens[self._at]

    def fail(self, span: Span, message: str) -> NoReturn:
        """Refuse the query."""
        raise parse_error(self._text, span, message)

    def expect_end(self) -> None:
        """Refuse anything after the expression."""
        if self.token.kind != lexer.END:
            self._unexpected()

    def _unexpected(self, context: str = "", expected: str = "") -> NoReturn:
        token = self.token
        if token.kind == lexer.BAD:
            self.fail(token.span, token.text)
        where = f" in {context}" if context else ""
        wanted = f", expected {expected}" if expected else ""
        self.fail(token.span, f"unexpected {token.description()}{where}{wanted}")

    def _take(self) -> Token:
        token = self.token
        if token.kind == lexer.BAD:
            self.fail(token.span, token.text)
        self._at += 1
        return token

    def _accept(self, kind: str) -> Token | None:
        return self._take() if self.token.kind == kind else None

    def _expect(self, kind: str, context: str, expected: str) -> Token:
        if self.token.kind != kind:
            self._unexpected(context, expected)
        return self._take()

    def _since(self, start: int) -> Span:
        return Span(start, self._tokens[self._at - 1].span.end)

    # --- expressions -----------------------------------------------------------------------------

    def expression(self, least: int) -> Node:
        """Return the longest expression whose operators bind at least as tightly as ``least``."""
        left = self._postfix(self._prefix())
        while (binding := _BINDING.get(self.token.kind, -1)) >= max(least, 1):
            operator = self._take()
            returns_bool = self._accept("bool") is not None
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
                node = self._number()
            case lexer.STRING:
                node = self._string()
            case _:
                node = self._named()
        return node

    def _string(self) -> Node:
        token = self._take()
        return StringLiteral(unquote(token.text), span=token.span)

    def _signed(self) -> Node:
        sign = self._take()
        operand = self.expression(_SIGN_BINDING)
        span = Span(sign.start, operand.span.end)
        if isinstance(operand, NumberLiteral):
            value = -operand.value if sign.kind == "-" else operand.value
            return replace(operand, value=value, span=span)
        return Unary(sign.kind, operand, span=span)

    def _paren(self) -> Node:
        opening = self._take()
        inner = self.expression(0)
        self._expect(")", "", "")
        return Paren(inner, span=self._since(opening.start))

    def _number(self) -> NumberLiteral:
        token = self._take()
        try:
            if token.kind == lexer.DURATION:
                seconds = parse_duration(token.text) / 1000
                return NumberLiteral(seconds, is_duration=True, span=token.span)
            return NumberLiteral(_finite(token.text), span=token.span)
        except QvmonError as error:
            self.fail(token.span, error.message)

    def _named(self) -> Node:
        kind = self.token.kind
        following = self._tokens[self._at + 1].kind if self.token.is_word else ""
        if kind in AGGREGATORS and following in ("(", "by", "without"):
            return self._aggregate()
        if following == "(" and (kind == lexer.IDENTIFIER or kind in _CALLED_KEYWORDS):
            return self._call()
        return self.vector_selector()

    def _call(self) -> Node:
        name = self._take()
        function = name.text if name.kind == lexer.IDENTIFIER else name.kind
        if function not in SIGNATURES:
            self.fail(name.span, f"unknown function with name {quote(name.text)}")
        arguments = self._arguments()
        return Call(function, arguments, SIGNATURES[function].returns, span=self._since(name.start))

    def _arguments(self) -> tuple[Node, ...]:
        self._expect("(", "aggregation", "")
        arguments: list[Node] = []
        while not self._accept(")"):
            if arguments:
                comma = self._expect(",", "", "")
                if self.token.kind == ")":
                    self.fail(comma.span, "trailing commas not allowed in function call args")
            arguments.append(self.expression(0))
        return tuple(arguments)

    def _aggregate(self) -> Node:
        operator = self._take()
        grouping, without = self._grouping()
        arguments = self._arguments()
        if grouping is None:
            grouping, without = self._grouping()
        span = self._since(operator.start)
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
        without = self._take().kind == "without"
        return self._label_names(), without

    def _label_names(self) -> tuple[str, ...]:
        self._expect("(", "grouping opts", '"("')
        names: list[str] = []
        while not self._accept(")"):
            if names and not self._accept(","):
                self._unexpected("grouping opts", '"," or ")"')
            elif names and self._accept(")"):
                break
            names.append(self._label_name())
        return tuple(names)

    def _label_name(self) -> str:
        token = self.token
        if token.kind == lexer.STRING:
            self._take()
            name = unquote(token.text)
        elif token.is_word:
            name = self._take().text
        else:
            self._unexpected("grouping opts", "label")
        if not name:
            self.fail(token.span, f"invalid label name for grouping: {quote(name)}")
        return name

    # --- matching of binary operators ------------------------------------------------------------

    def _matching(self) -> Matching:
        matching = Matching()
        if self.token.kind in ("on", "ignoring"):
            on = self._take().kind == "on"
            matching = replace(matching, on=on, labels=self._label_names())
            if self.token.kind in ("group_left", "group_right"):
                left = self._take().kind == "group_left"
                matching = replace(
                    matching,
                    cardinality=Cardinality.MANY_TO_ONE if left else Cardinality.ONE_TO_MANY,
                    include=self._label_names() if self.token.kind == "(" else (),
                )
        return self._fill(matching)

    def _fill(self, matching: Matching) -> Matching:
        if self._accept("fill"):
            value = self._fill_value()
            return replace(matching, fill_left=value, fill_right=value)
        while True:
            if matching.fill_left is None and self._accept("fill_left"):
                matching = replace(matching, fill_left=self._fill_value())
            elif matching.fill_right is None and self._accept("fill_right"):
                matching = replace(matching, fill_right=self._fill_value())
            else:
                return matching

    def _fill_value(self) -> float:
        self._expect("(", "", "")
        sign = self._take().kind if self.token.kind in ("+", "-") else "+"
        if self.token.kind not in (lexer.NUMBER, lexer.DURATION):
            self._unexpected()
        value = self._number().value
        self._expect(")", "", "")
        return -value if sign == "-" else value

    # --- selectors -------------------------------------------------------------------------------

    def vector_selector(self) -> VectorSelector:
        """Return a selector without its modifiers."""
        start, name = self.token.start, ""
        matchers: tuple[Matcher, ...] = ()
        if self.token.is_word and self.token.kind not in _NO_METRIC:
            name = self._take().text
        elif self.token.kind != "{":
            self._unexpected()
        if self._accept("{"):
            matchers = self._matchers()
        if name:
            matchers += (Matcher(METRIC_NAME, MatchOp.EQUAL, name),)
        return VectorSelector(name, matchers, span=self._since(start))

    def _matchers(self) -> tuple[Matcher, ...]:
        matchers: list[Matcher] = []
        while not self._accept("}"):
            if matchers and not self._accept(","):
                self._unexpected("label matching", '"," or "}"')
            elif matchers and self._accept("}"):
                break
            matchers.append(self._matcher())
        return tuple(matchers)

    def _matcher(self) -> Matcher:
        token = self.token
        if token.kind not in (lexer.IDENTIFIER, lexer.STRING):
            self._unexpected("label matching", 'identifier or "}"')
        self._take()
        quoted = token.kind == lexer.STRING
        name = unquote(token.text) if quoted else token.text
        if self.token.kind not in ("=", "!=", "=~", "!~"):
            if quoted:
                return Matcher(METRIC_NAME, MatchOp.EQUAL, name)
            self._unexpected("label matching", "label matching operator")
        operator = MatchOp(self._take().kind)
        value = self._expect(lexer.STRING, "label matching", "string")
        try:
            return Matcher(name, operator, unquote(value.text))
        except QvmonError as error:
            self.fail(token.span.to(value.span), error.message)

    # --- what follows an expression --------------------------------------------------------------

    def _postfix(self, node: Node) -> Node:
        while True:
            if self._accept("offset"):
                node = self._with_offset(node)
            elif self._accept("@"):
                node = self._with_at(node)
            elif self.token.kind == "[":
                node = self._ranged(node)
            elif self.token.kind in ("anchored", "smoothed"):
                node = self._with_mode(node, self._take().kind)
            else:
                return node

    def _with_offset(self, node: Node) -> Node:
        offset = self._offset()
        shift = self._shift_of(node, "offset modifier must be preceded by an " + _SHIFTED)
        if shift.offset is not None and not _is_zero(shift.offset):
            self.fail(node.span, "offset may not be set multiple times")
        return self._shifted(node, replace(shift, offset=offset))

    def _with_at(self, node: Node) -> Node:
        at = self._at_time(node)
        shift = self._shift_of(node, "@ modifier must be preceded by an " + _SHIFTED)
        if shift.at is not None:
            self.fail(node.span, "@ <timestamp> may not be set multiple times")
        return self._shifted(node, replace(shift, at=at))

    def _at_time(self, node: Node) -> int | str:
        if self.token.kind in ("start", "end"):
            word = self._take().kind
            self._expect("(", "@", "timestamp")
            self._expect(")", "@", "timestamp")
            return word
        sign = self._take().kind if self.token.kind in ("+", "-") else "+"
        if self.token.kind not in (lexer.NUMBER, lexer.DURATION):
            self._unexpected("@", "timestamp")
        seconds = self._number().value * (-1 if sign == "-" else 1)
        if not math.isfinite(seconds) or abs(seconds) >= 2**63:
            shown = f"{seconds:f}" if math.isfinite(seconds) else format_float(seconds)
            self.fail(node.span, f"timestamp out of bounds for @ modifier: {shown}")
        return math.floor(abs(seconds) * 1000 + 0.5) * (-1 if seconds < 0 else 1)

    def _with_mode(self, node: Node, mode: str) -> Node:
        if isinstance(node, Subquery):
            self.fail(node.span, f"{mode} modifier is not supported for subqueries")
        shift = self._shift_of(node, f"{mode} modifier not implemented")
        if shift.mode not in ("", mode):
            self.fail(node.span, "anchored and smoothed modifiers cannot be used together")
        return self._shifted(node, replace(shift, mode=mode))

    def _shift_of(self, node: Node, complaint: str) -> Shift:
        if isinstance(node, VectorSelector | Subquery):
            return node.shift
        if not isinstance(node, MatrixSelector):
            self.fail(node.span, complaint)
        return node.selector.shift

    def _shifted(self, node: Node, shift: Shift) -> Node:
        span = self._since(node.span.start)
        if isinstance(node, MatrixSelector):
            return replace(node, selector=replace(node.selector, shift=shift), span=span)
        assert isinstance(node, VectorSelector | Subquery)  # noqa: S101 - _shift_of refused others
        return replace(node, shift=shift, span=span)

    def _ranged(self, node: Node) -> Node:
        opening = self._take()
        wanted = "number, duration, step(), or range()"
        length = self._positive("subquery or range selector", wanted)
        if self.token.kind == "]":
            return self._matrix(node, length, opening)
        self._expect(":", "subquery or range", '":" or "]"')
        step = None
        if not self._accept("]"):
            wanted = 'number, duration, step(), range(), or "]"'
            step = self._positive("subquery selector", wanted)
            self._expect("]", "subquery selector", '"]"')
        return Subquery(node, length, step, span=self._since(node.span.start))

    def _matrix(self, node: Node, length: Duration, opening: Token) -> Node:
        closing = self._take()
        span = opening.span.to(closing.span)
        if not isinstance(node, VectorSelector):
            self.fail(span, "ranges only allowed for vector selectors")
        if node.shift.offset is not None and not _is_zero(node.shift.offset):
            self.fail(span, "no offset modifiers allowed before range")
        if node.shift.at is not None:
            self.fail(span, "no @ modifiers allowed before range")
        return MatrixSelector(node, length, span=self._since(node.span.start))

    # --- durations -------------------------------------------------------------------------------

    def _positive(self, context: str, expected: str) -> Duration:
        duration = self._duration(0, context, expected)
        if isinstance(duration, NumberLiteral) and duration.value <= 0:
            self.fail(duration.span, "duration must be greater than 0")
        return duration

    def _offset(self) -> Duration:
        expected = "number, duration, step(), or range()"
        if self.token.kind in ("+", "-"):
            sign = self._take()
            return _signed_duration(sign, self._duration_operand("offset", expected))
        return self._duration_operand("offset", expected)

    def _duration(self, least: int, context: str, expected: str) -> Duration:
        if self.token.kind in ("+", "-"):
            sign = self._take()
            left = _signed_duration(sign, self._duration(_SIGN_BINDING, context, expected))
        else:
            left = self._duration_operand(context, expected)
        while (binding := _BINDING.get(self.token.kind, -1)) >= max(least, 4):
            operator = self._take()
            tighter = binding if operator.kind == "^" else binding + 1
            right = self._duration(tighter, context, expected)
            if operator.kind in "/%" and _is_zero(right):
                name = "division" if operator.kind == "/" else "modulo"
                self.fail(operator.span, f"{name} by zero")
            left = DurationExpression(operator.kind, left, right, span=left.span.to(right.span))
        return left

    def _duration_operand(self, context: str, expected: str) -> Duration:
        token = self.token
        if token.kind in (lexer.NUMBER, lexer.DURATION):
            number = self._number()
            if not abs(number.value) * 1000 < MAX_DURATION_MS:
                self.fail(number.span, "duration out of range")
            return number
        if token.kind == "(":
            return self._duration_paren(context, expected)
        if token.kind not in lexer.DURATION_WORDS:
            self._unexpected(context, expected)
        self._take()
        self._expect("(", context, expected)
        left = right = None
        if token.kind in ("min_of", "max_of"):
            left = self._duration(0, context, expected)
            self._expect(",", context, expected)
            right = self._duration(0, context, expected)
        self._expect(")", context, expected)
        return DurationExpression(token.kind, left, right, span=self._since(token.start))

    def _duration_paren(self, context: str, expected: str) -> Duration:
        opening = self._take()
        inner = self._duration(0, context, expected)
        self._expect(")", context, expected)
        if isinstance(inner, NumberLiteral):
            return inner
        return replace(inner, wrapped=True, span=self._since(opening.start))


def _finite(text: str) -> float:
    value = parse_float(text)
    if math.isinf(value) and text[0] in "0123456789.":
        reason = f"strconv.ParseFloat: parsing {quote(text)}: value out of range"
        raise invalid(f"error parsing number: {reason}")
    return value


def _signed_duration(sign: Token, operand: Duration) -> Duration:
    span = Span(sign.start, operand.span.end)
    if isinstance(operand, NumberLiteral):
        value = -operand.value if sign.kind == "-" else operand.value
        return replace(operand, value=value, span=span)
    return DurationExpression(sign.kind, None, operand, span=span)


def _is_zero(duration: Duration) -> bool:
    return isinstance(duration, NumberLiteral) and duration.value == 0
