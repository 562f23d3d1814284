"""Selectors: names, matchers, and the modifiers that say where in time they look."""

from __future__ import annotations

import math
from dataclasses import replace

from qvmon.model.errors import QvmonError
from qvmon.model.floats import format_float
from qvmon.model.labels import METRIC_NAME, Matcher, MatchOp
from qvmon.promql import lexer
from qvmon.promql.duration_parser import DurationParser, is_zero
from qvmon.promql.lexer import Token
from qvmon.promql.nodes import Duration, MatrixSelector, Node, Shift, Subquery, VectorSelector
from qvmon.promql.quoting import unquote
from qvmon.promql.regexp_complaints import go_complaint

NO_METRIC = frozenset({"bool", "group_left", "group_right", "ignoring", "on", "atan2"})
_SHIFTED = "instant vector selector or range vector selector or a subquery"
_FARTHEST_MS = 1 << 60  # no sample is that far, and sums of such times are still integers


class SelectorParser(DurationParser):
    """Reads selectors and what follows an expression."""

    def vector_selector(self) -> VectorSelector:
        """Return a selector without its modifiers."""
        start, name = self.token.start, ""
        matchers: tuple[Matcher, ...] = ()
        if self.token.is_word and self.token.kind not in NO_METRIC:
            name = self.take().text
        elif self.token.kind != "{":
            self.unexpected()
        if self.accept("{"):
            matchers = self._matchers()
        if name:
            matchers += (Matcher(METRIC_NAME, MatchOp.EQUAL, name),)
        return VectorSelector(name, matchers, span=self.since(start))

    def _matchers(self) -> tuple[Matcher, ...]:
        matchers: list[Matcher] = []
        while not self.accept("}"):
            if matchers and not self.accept(","):
                self.unexpected("label matching", '"," or "}"')
            elif matchers and self.accept("}"):
                break
            matchers.append(self._matcher())
        return tuple(matchers)

    def _matcher(self) -> Matcher:
        token = self.token
        if token.kind not in (lexer.IDENTIFIER, lexer.STRING):
            self.unexpected("label matching", 'identifier or "}"')
        self.take()
        quoted = token.kind == lexer.STRING
        name = unquote(token.text) if quoted else token.text
        if self.token.kind not in ("=", "!=", "=~", "!~"):
            if quoted:
                return Matcher(METRIC_NAME, MatchOp.EQUAL, name)
            self.unexpected("label matching", "label matching operator")
        operator = MatchOp(self.take().kind)
        value = self.expect(lexer.STRING, "label matching", "string")
        try:
            return Matcher(name, operator, unquote(value.text))
        except QvmonError as error:
            self.fail(token.span.to(value.span), go_complaint(str(error.context["reason"])))

    def postfix(self, node: Node) -> Node:
        """Return ``node`` with the ranges and modifiers that follow it."""
        while True:
            if self.accept("offset"):
                node = self._with_offset(node)
            elif self.accept("@"):
                node = self._with_at(node)
            elif self.token.kind == "[":
                node = self._ranged(node)
            elif self.token.kind in ("anchored", "smoothed"):
                node = self._with_mode(node, self.take().kind)
            else:
                return node

    def _with_offset(self, node: Node) -> Node:
        offset = self.offset_duration()
        shift = self._shift_of(node, "offset modifier must be preceded by an " + _SHIFTED)
        if shift.offset is not None and not is_zero(shift.offset):
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
            word = self.take().kind
            self.expect("(", "@", "timestamp")
            self.expect(")", "@", "timestamp")
            return word
        sign = self.take().kind if self.token.kind in ("+", "-") else "+"
        if self.token.kind not in (lexer.NUMBER, lexer.DURATION):
            self.unexpected("@", "timestamp")
        seconds = self.number().value * (-1 if sign == "-" else 1)
        if not math.isfinite(seconds) or abs(seconds) >= 2**63:
            shown = f"{seconds:f}" if math.isfinite(seconds) else format_float(seconds)
            self.fail(node.span, f"timestamp out of bounds for @ modifier: {shown}")
        milliseconds = min(math.floor(abs(seconds) * 1000 + 0.5), _FARTHEST_MS)
        return -milliseconds if seconds < 0 else milliseconds

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
        span = self.since(node.span.start)
        if isinstance(node, MatrixSelector):
            return replace(node, selector=replace(node.selector, shift=shift), span=span)
        assert isinstance(node, VectorSelector | Subquery)  # noqa: S101 - _shift_of refused others
        return replace(node, shift=shift, span=span)

    def _ranged(self, node: Node) -> Node:
        opening = self.take()
        wanted = "number, duration, step(), or range()"
        length = self.duration("subquery or range selector", wanted)
        if self._tokens[self._at - 1].kind != ")":
            self.refuse_nothing(length)
        if self.token.kind not in (":", "]"):
            self.unexpected("subquery or range", '":" or "]"')
        self.refuse_nothing(length)
        if self.token.kind == "]":
            return self._matrix(node, length, opening)
        self.take()
        step = None
        if not self.accept("]"):
            wanted = 'number, duration, step(), range(), or "]"'
            step = self.duration("subquery selector", wanted)
            self.refuse_nothing(step)
            self.expect("]", "subquery selector", '"]"')
        return Subquery(node, length, step, span=self.since(node.span.start))

    def _matrix(self, node: Node, length: Duration, opening: Token) -> Node:
        closing = self.take()
        span = opening.span.to(closing.span)
        if not isinstance(node, VectorSelector):
            self.fail(span, "ranges only allowed for vector selectors")
        if node.shift.offset is not None and not is_zero(node.shift.offset):
            self.fail(span, "no offset modifiers allowed before range")
        if node.shift.at is not None:
            self.fail(span, "no @ modifiers allowed before range")
        return MatrixSelector(node, length, span=self.since(node.span.start))
