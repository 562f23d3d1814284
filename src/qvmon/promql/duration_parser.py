"""Durations in a query: literals, ``step()``, ``range()`` and arithmetic on them."""

from __future__ import annotations

from dataclasses import replace

from qvmon.promql import lexer
from qvmon.promql.durations import MAX_DURATION_MS
from qvmon.promql.lexer import Token
from qvmon.promql.nodes import Duration, DurationExpression, NumberLiteral
from qvmon.promql.position import Span
from qvmon.promql.stream import TokenStream

_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3}
_SIGN_BINDING = 3


class DurationParser(TokenStream):
    """Reads what stands between brackets and after ``offset``."""

    def duration(self, context: str, expected: str) -> Duration:
        """Return the duration of a range or step."""
        return self._duration(0, context, expected)

    def refuse_nothing(self, duration: Duration) -> None:
        """Refuse a literal duration that is not positive."""
        if isinstance(duration, NumberLiteral) and duration.value <= 0:
            self.fail(duration.span, "duration must be greater than 0")

    def offset_duration(self) -> Duration:
        """Return the duration of an ``offset``; arithmetic needs parentheses there.

        It may begin with them: then all operators that follow are of the duration.
        """
        expected = "number, duration, step(), or range()"
        if self.token.kind in ("+", "-"):
            sign = self.take()
            return _signed_duration(sign, self._duration_operand("offset", expected))
        if self.token.kind == "(":
            return self._duration(0, "offset", expected)
        return self._duration_operand("offset", expected)

    def _duration(self, least: int, context: str, expected: str) -> Duration:
        if self.token.kind in ("+", "-"):
            sign = self.take()
            left = _signed_duration(sign, self._duration(_SIGN_BINDING, context, expected))
        else:
            left = self._duration_operand(context, expected)
        while (binding := _BINDING.get(self.token.kind, -1)) >= max(least, 1):
            operator = self.take()
            tighter = binding if operator.kind == "^" else binding + 1
            right = self._duration(tighter, context, expected)
            if operator.kind in "/%" and is_zero(right):
                name = "division" if operator.kind == "/" else "modulo"
                self.fail(operator.span, f"{name} by zero")
            left = DurationExpression(operator.kind, left, right, span=left.span.to(right.span))
        return left

    def _duration_operand(self, context: str, expected: str) -> Duration:
        token = self.token
        if token.kind in (lexer.NUMBER, lexer.DURATION):
            number = self.number()
            if not abs(number.value) * 1000 < MAX_DURATION_MS:
                self.fail(number.span, "duration out of range")
            return number
        if token.kind == "(":
            return self._duration_paren(context, expected)
        if token.kind not in lexer.DURATION_WORDS:
            self.unexpected(context, expected)
        self.take()
        self.expect("(", context, expected)
        left = right = None
        if token.kind in ("min_of", "max_of"):
            left = self._duration(0, context, expected)
            self.expect(",", context, expected)
            right = self._duration(0, context, expected)
        self.expect(")", context, expected)
        return DurationExpression(token.kind, left, right, span=self.since(token.start))

    def _duration_paren(self, context: str, expected: str) -> Duration:
        opening = self.take()
        inner = self._duration(0, context, expected)
        self.expect(")", context, expected)
        if isinstance(inner, NumberLiteral):
            return inner
        return replace(inner, wrapped=True, span=self.since(opening.start))


def _signed_duration(sign: Token, operand: Duration) -> Duration:
    span = Span(sign.start, operand.span.end)
    if isinstance(operand, NumberLiteral):
        value = -operand.value if sign.kind == "-" else operand.value
        return replace(operand, value=value, span=span)
    return DurationExpression(sign.kind, None, operand, span=span)


def is_zero(duration: Duration) -> bool:
    """Return whether a duration is the literal 0."""
    return isinstance(duration, NumberLiteral) and duration.value == 0
