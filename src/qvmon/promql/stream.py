"""Tokens one after another, for parsers: take, accept, expect, refuse."""

from __future__ import annotations

import math
import re
from typing import NoReturn

from qvmon.model.errors import QvmonError, invalid
from qvmon.model.floats import parse_float
from qvmon.promql import lexer
from qvmon.promql.durations import parse_duration
from qvmon.promql.lexer import Lexer, Token
from qvmon.promql.nodes import NumberLiteral
from qvmon.promql.position import Span, parse_error
from qvmon.promql.quoting import quote, unquote

_OCTAL = re.compile(r"0(?:_?[0-7])+\Z")
_LARGEST_INTEGER = 1 << 63


class TokenStream:
    """The tokens of a query, and what every part of its grammar shares."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = Lexer(text).tokens()
        self._at = 0
        self.aggregations = 0
        """How many aggregations are open; what is wrong inside is said to be so of them."""

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
            self.unexpected()

    def unexpected(self, context: str = "", expected: str = "") -> NoReturn:
        """Refuse the next token."""
        token = self.token
        if token.kind == lexer.BAD:
            self.fail(token.span, token.text)
        context = context or ("aggregation" if self.aggregations else "")
        where = f" in {context}" if context else ""
        wanted = f", expected {expected}" if expected else ""
        self.fail(token.span, f"unexpected {token.description()}{where}{wanted}")

    def take(self) -> Token:
        """Return the next token and move past it."""
        token = self.token
        if token.kind == lexer.BAD:
            self.fail(token.span, token.text)
        self._at += 1
        return token

    def accept(self, kind: str) -> Token | None:
        """Return the next token if it is of ``kind``, moving past it."""
        return self.take() if self.token.kind == kind else None

    def expect(self, kind: str, context: str, expected: str) -> Token:
        """Return the next token, which has to be of ``kind``."""
        if self.token.kind != kind:
            self.unexpected(context, expected)
        return self.take()

    def since(self, start: int) -> Span:
        """Return the span from ``start`` to the last token taken."""
        return Span(start, self._tokens[self._at - 1].span.end)

    def number(self) -> NumberLiteral:
        """Return the number or duration that is next."""
        token = self.take()
        try:
            if token.kind == lexer.DURATION:
                seconds = parse_duration(token.text) / 1000
                return NumberLiteral(seconds, is_duration=True, span=token.span)
            return NumberLiteral(_literal(token.text), span=token.span)
        except QvmonError as error:
            self.fail(token.span, error.message)

    def label_names(self) -> tuple[str, ...]:
        """Return label names between parentheses."""
        self.expect("(", "grouping opts", '"("')
        names: list[str] = []
        while not self.accept(")"):
            if names and not self.accept(","):
                self.unexpected("grouping opts", '"," or ")"')
            elif names and self.accept(")"):
                break
            names.append(self._label_name())
        return tuple(names)

    def _label_name(self) -> str:
        token = self.token
        if token.kind == lexer.STRING:
            self.take()
            name = unquote(token.text)
        elif token.is_word:
            name = self.take().text
            if ":" in name:
                self.fail(token.span, f"invalid label name for grouping: {quote(name)}")
        else:
            self.unexpected("grouping opts", "label")
        if not name:
            self.fail(token.span, f"invalid label name for grouping: {quote(name)}")
        return name


def _literal(text: str) -> float:
    """Return what Go's ``ParseInt``, which knows octal numbers, or else ``ParseFloat`` reads."""
    if _OCTAL.match(text) and (number := int(text.replace("_", ""), 8)) < _LARGEST_INTEGER:
        return float(number)
    try:
        value = parse_float(text)
    except QvmonError:
        raise _no_number(text, "invalid syntax") from None
    if text[:2] in ("0x", "0X") and int(text.replace("_", ""), 16) >= _LARGEST_INTEGER:
        raise _no_number(text, "invalid syntax")
    if math.isinf(value) and text[0] in "0123456789.":
        raise _no_number(text, "value out of range")
    return value


def _no_number(text: str, reason: str) -> QvmonError:
    return invalid(f"error parsing number: strconv.ParseFloat: parsing {quote(text)}: {reason}")
