"""Query text to tokens; what a character means depends on the bracket it stands in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qvmon.promql.number_scanner import NumberScanner, Passes
from qvmon.promql.position import Span
from qvmon.promql.quoting import quote, quote_character

AGGREGATORS = frozenset(
    {
        "sum",
        "avg",
        "count",
        "min",
        "max",
        "group",
        "stddev",
        "stdvar",
        "topk",
        "bottomk",
        "count_values",
        "quantile",
        "limitk",
        "limit_ratio",
    }
)
KEYWORDS = frozenset(
    {
        "offset",
        "smoothed",
        "anchored",
        "by",
        "without",
        "on",
        "ignoring",
        "group_left",
        "group_right",
        "fill",
        "fill_left",
        "fill_right",
        "bool",
        "start",
        "end",
        "step",
        "range",
        "max_of",
        "min_of",
    }
)
WORD_OPERATORS = frozenset({"and", "or", "unless", "atan2"})
_PREPROCESSED = frozenset({"start", "end", "step", "range", "max_of", "min_of"})
DURATION_WORDS = frozenset({"step", "range", "max_of", "min_of"})
_RESERVED = AGGREGATORS | KEYWORDS | WORD_OPERATORS
_SYMBOLS = frozenset({"+", "-", "*", "/", "%", "^", "==", "!=", "<=", "<", ">=", ">", "=~", "!~"})
_SYMBOLS |= {"@", "</", ">/"}

NUMBER, DURATION, STRING = "number", "duration", "string"
IDENTIFIER, METRIC, END, BAD = "identifier", "metric identifier", "end of input", "error"
_NAMED = frozenset({NUMBER, DURATION, STRING, IDENTIFIER, METRIC})


@dataclass(frozen=True, slots=True)
class Token:
    """One word of a query.

    Attributes:
        kind: A symbol or reserved word itself, else ``number``, ``string``, ``identifier``, …
        text: The text as written; for ``error`` the complaint.
        start: Offset of the first character.
    """

    kind: str
    text: str
    start: int

    @property
    def span(self) -> Span:
        """Return where the token stands."""
        return Span(self.start, self.start + (0 if self.kind == BAD else len(self.text)))

    @property
    def is_word(self) -> bool:
        """Return whether the token could be a name where names are wanted."""
        return self.kind in (IDENTIFIER, METRIC) or self.kind in _RESERVED

    def description(self) -> str:
        """Return how Prometheus names the token in errors."""
        if self.kind == END:
            return "end of input"
        if self.kind in _NAMED:
            return f"{self.kind} {self._quoted()}"
        if self.kind in AGGREGATORS:
            return f"<aggr:{self.text}>"
        if self.kind in _SYMBOLS or self.kind in WORD_OPERATORS:
            return f"<op:{self.text}>"
        if self.kind in KEYWORDS and self.kind not in _PREPROCESSED:
            return f"<{self.text}>"
        return self._quoted()

    def _quoted(self) -> str:
        if self.kind not in (IDENTIFIER, METRIC) and len(self.text.encode()) > 10:
            return quote(self.text[:10]) + "..."
        return quote(self.text)


_HEX_DIGITS = "0123456789abcdefABCDEF"
_ESCAPES = {"x": (2, 16, 0), "u": (4, 16, 0), "U": (8, 16, 0)}  # digits, base, where they begin
_SPACE = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*)+")
_BLANK = re.compile(r"[ \t\r\n]+")  # before the first number of a range there is no comment
_LETTER = r"(?:[a-zA-Z_]|[^\W\d_])"  # ASCII, or a letter of any other script
_WORD = re.compile(rf"(?:{_LETTER}|:)(?:{_LETTER}|[0-9:.])*")
_PLAIN_WORD = re.compile(rf"{_LETTER}(?:{_LETTER}|[0-9.])*")
_LETTERS = re.compile(r"[a-zA-Z_]+")
_DIGITS = "0123456789"
_NUMBER = re.compile(
    r"(?:0[xX]_?[0-9a-fA-F](?:_?[0-9a-fA-F])*"
    r"|(?:[0-9](?:_?[0-9])*\.?(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)"
    r"(?:[eE][+-]?[0-9](?:_?[0-9])*)?)(?![a-zA-Z0-9_.])"
)
_OPERATOR = re.compile(r"==|!=|<=|>=|</|>/|[-+*/%^=<>@,()]")
_MATCH_OPERATOR = re.compile(r"=~|!~|!=|[=,]")
_ESCAPED = (
    r"\\(?:[abfnrtv\\{q}]|[0-3][0-7]{{2}}|x[0-9a-fA-F]{{2}}|u[0-9a-fA-F]{{4}}|U[0-9a-fA-F]{{8}})"
)
_STRINGS = {
    q: re.compile(rf"{q}(?:[^\\\n{q}]|{_ESCAPED.format(q=q)})*(?P<end>{q})?") for q in "\"'"
} | {"`": re.compile(r"`[^`]*(?P<end>`)?")}


def _bad_escape(text: str, at: int) -> str:
    """Return what is wrong with the escape sequence whose backslash stands before ``at``."""
    kind = text[at : at + 1]
    if not kind:
        return "escape sequence not terminated"
    if kind not in "01234567xuU":
        return f"unknown escape sequence {_rune(kind)}"
    length, base, first = _ESCAPES.get(kind, (3, 8, at))
    first = first or at + 1
    for char in text[first : first + length]:
        if char not in _HEX_DIGITS[:base] + _HEX_DIGITS[16:] * (base == 16):
            return f"illegal character {_rune(char)} in escape sequence"
    if len(text) < first + length:
        return "escape sequence not terminated"
    return "escape sequence is an invalid Unicode code point"


def _rune(char: str) -> str:
    code = f"U+{ord(char):04X}"
    return f"{code} '{char}'" if char.isprintable() else code


class Lexer:
    """Cuts a query into tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._parens = 0
        self._in_braces = False
        self._in_brackets = False
        self._before_duration = False
        self._had_colon = False
        self._tokens: list[Token] = []

    def tokens(self) -> list[Token]:
        """Return all tokens, the last of kind ``END`` or ``BAD``."""
        while True:
            blank = _BLANK if self._before_duration else _SPACE
            if space := blank.match(self._text, self._at):
                self._at = space.end()
            self._tokens.append(token := self._next())
            self._at += len(token.text)
            if token.kind in (END, BAD):
                return self._tokens

    def _next(self) -> Token:
        if self._at >= len(self._text):
            return self._end()
        char = self._text[self._at]
        if self._before_duration:
            return self._inside_brackets(char)
        if char in "\"'`":
            return self._string(char)
        return self._inside_braces(char) if self._in_braces else self._outside_braces(char)

    def _outside_braces(self, char: str) -> Token:
        if char in _DIGITS or (char == "." and self._text[self._at + 1 : self._at + 2].isdigit()):
            return self._number()
        if self._in_brackets and (char == ":" or _PLAIN_WORD.match(char)):
            return self._after_duration(char)
        if word := _WORD.match(self._text, self._at):
            return self._word(word.group())
        return self._symbol(char)

    def _bad(self, message: str) -> Token:
        return Token(BAD, message, self._at)

    def _end(self) -> Token:
        if self._in_braces:
            return self._bad("unexpected end of input inside braces")
        if self._before_duration:
            return self._bad("unexpected end of input in duration expression")
        if self._parens:
            return self._bad("unclosed left parenthesis")
        if self._in_brackets:
            return self._bad("unclosed left bracket")
        return Token(END, "", self._at)

    def _string(self, mark: str) -> Token:
        match = _STRINGS[mark].match(self._text, self._at)
        assert match is not None  # noqa: S101 - the opening quote is there
        if match.group("end"):
            return Token(STRING, match.group(), self._at)
        if not self._text.startswith("\\", match.end()):
            kind = "raw" if mark == "`" else "quoted"
            return self._bad(f"unterminated {kind} string")
        return self._bad(_bad_escape(self._text, match.end() + 1))

    def _number(self) -> Token:
        if match := _NUMBER.match(self._text, self._at):
            return Token(NUMBER, match.group(), self._at)
        read, passes = NumberScanner(self._text, self._at).read()
        if passes is not Passes.NOTHING:
            return Token(NUMBER if passes is Passes.NUMBER else DURATION, read, self._at)
        return self._bad(f"bad number or duration syntax: {quote(read)}")

    def _word(self, word: str) -> Token:
        lower = word.lower()
        if not word.isascii():
            lower = ""  # some letters become ASCII in lower case, and are names all the same
        if lower in ("inf", "nan"):
            return Token(NUMBER, word, self._at)
        if lower in _RESERVED:
            is_name = lower.startswith("fill") and not self._paren_follows(self._at + len(word))
            return Token(IDENTIFIER if is_name else lower, word, self._at)
        return Token(METRIC if ":" in word else IDENTIFIER, word, self._at)

    def _paren_follows(self, at: int) -> bool:
        return self._text[at:].lstrip(" \t\r\n").startswith("(")

    def _inside_brackets(self, char: str) -> Token:
        """Return a token of a range until its first number; then others may follow."""
        if char in "])(":
            return self._bracket(char)
        if char == ":":
            return self._colon_before_duration()
        if char in "+-*/%^,":
            return Token(char, char, self._at)
        if char in _DIGITS or (char == "." and self._text[self._at + 1 : self._at + 2].isdigit()):
            self._before_duration = False
            return self._number()
        return self._duration_word() or self._bad(
            f"unexpected character in duration expression: {quote_character(char)}"
        )

    def _colon_before_duration(self) -> Token:
        if self._tokens[-1].kind != "[" and not self._had_colon:
            self._had_colon = True
            return Token(":", ":", self._at)
        repeated = self._had_colon
        self._at += 1
        if repeated:
            return self._bad("unexpected repeated colon in duration expression")
        return self._bad("unexpected colon before duration in duration expression")

    def _after_duration(self, char: str) -> Token:
        if char != ":":
            return self._duration_word() or self._bad(
                f"unexpected character: {quote_character(char)}, expected ':'"
            )
        if self._had_colon:
            return self._bad("unexpected colon ':'")
        self._had_colon = True
        return Token(char, char, self._at)

    def _duration_word(self) -> Token | None:
        word = _LETTERS.match(self._text, self._at)
        if word is None or word.group().lower() not in DURATION_WORDS:
            return None
        return Token(word.group().lower(), word.group(), self._at)

    def _inside_braces(self, char: str) -> Token:
        if match := _MATCH_OPERATOR.match(self._text, self._at):
            return Token(match.group(), match.group(), self._at)
        if word := _PLAIN_WORD.match(self._text, self._at):
            return Token(IDENTIFIER, word.group(), self._at)
        if char == "}":
            self._in_braces = False
            return Token("}", char, self._at)
        if char == "!":
            following = self._text[self._at + 1 : self._at + 2]
            return self._bad(
                f"unexpected character after '!' inside braces: {quote_character(following)}"
            )
        if char == "{":
            return self._bad("unexpected left brace '{'")
        return self._bad(f"unexpected character inside braces: {quote_character(char)}")

    def _symbol(self, char: str) -> Token:
        if char in "()[]{}":
            return self._bracket(char)
        following = self._text[self._at + 1 : self._at + 2]
        if char == "=" and following == "~":
            return self._bad("unexpected character after '=': '~'")
        if char == "!" and following != "=":
            return self._bad(f"unexpected character after '!': {quote_character(following)}")
        if match := _OPERATOR.match(self._text, self._at):
            return Token(match.group(), match.group(), self._at)
        return self._bad(f"unexpected character: {quote_character(char)}")

    def _bracket(self, char: str) -> Token:
        if char in "()":
            self._parens += 1 if char == "(" else -1
            if self._parens < 0:
                self._at += 1
                return self._bad("unexpected right parenthesis ')'")
        elif char == "{":
            self._in_braces = True
        elif char == "}":
            return self._bad("unexpected character: '}'")
        elif (char == "[") is self._in_brackets:
            return self._bad(f"unexpected {'left' if char == '[' else 'right'} bracket '{char}'")
        else:
            self._in_brackets = self._before_duration = char == "["
            self._had_colon = False
        return Token(char, char, self._at)
