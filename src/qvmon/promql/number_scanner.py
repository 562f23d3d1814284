"""How far Prometheus reads what begins like a number, but as numbers are seldom written.

Source: Prometheus promql/parser/lex.go. Some of these words it takes for numbers at first
(``1e-``), some for durations; its complaint about others quotes what it has read until then.
"""

from __future__ import annotations

import re
from enum import Enum

_WORD_CHARACTER = re.compile(r"[0-9a-zA-Z_]")
_DECIMAL = "0123456789"
_HEXADECIMAL = "0123456789abcdefABCDEF"


class Passes(Enum):
    """What a word passes for."""

    NUMBER = "number"
    DURATION = "duration"
    NOTHING = "nothing"


class NumberScanner:
    """Reads one word.

    Args:
        text: The query.
        at: Where the word begins.
    """

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._start = self._at = at

    def read(self) -> tuple[str, Passes]:
        """Return what is read of a word, and what it passes for."""
        passes = Passes.NUMBER
        if not self._number():
            passes = Passes.DURATION if self._duration() else Passes.NOTHING
        return self._text[self._start : self._at], passes

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _accept(self, characters: str) -> bool:
        char = self._peek()
        found = char != "" and char in characters
        self._at += found
        return found

    def _number(self) -> bool:
        digits = _DECIMAL
        if self._accept("0") and self._accept("xX"):
            self._accept("_")
            digits = _HEXADECIMAL
        self._accept(".")
        self._accept(digits)
        had_dot = had_exponent = False
        while (char := self._peek()) and char in digits + "._eE":
            if (char == "." and had_dot) or (char in "eE" and had_exponent):
                self._at += 1
                return False
            had_dot, had_exponent = had_dot or char == ".", had_exponent or char in "eE"
            if char in "._eE":
                self._at += 1
                if not self._goes_on(char, digits):
                    return False
            while self._accept(digits):
                pass
        return self._at > self._start and _WORD_CHARACTER.match(self._peek()) is None

    def _goes_on(self, mark: str, digits: str) -> bool:
        """Return whether a number may go on after a dot, an underscore or an exponent."""
        if mark == ".":
            return not self._accept("_.") and digits is _DECIMAL
        if mark in "eE":
            self._accept("+-")
        return not self._accept("._eE") and self._peek() != ""

    def _duration(self) -> bool:
        if not self._accept("smhdwy"):
            return False
        self._accept("s")
        while self._accept(_DECIMAL):
            while self._accept(_DECIMAL):
                pass
            if not self._accept("smhdw"):
                return False
            self._accept("s")
        if _WORD_CHARACTER.match(self._peek()) is None:
            return True
        self._at += 1
        return False
