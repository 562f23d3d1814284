"""Text to tokens: the lexical rules of Go's text/template, Go 1.24."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from qvmon.templates.errors import Source


class Kind(Enum):
    """What a token is."""

    TEXT = auto()
    OPEN = auto()  # {{
    CLOSE = auto()  # }}
    SPACE = auto()
    KEYWORD = auto()
    IDENTIFIER = auto()
    FIELD = auto()  # .Name
    DOT = auto()
    VARIABLE = auto()  # $name
    STRING = auto()
    NUMBER = auto()
    CHARACTER = auto()
    SYMBOL = auto()  # ( ) | , = :=
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a template; ``at`` is its offset in the text."""

    kind: Kind
    text: str
    at: int


KEYWORDS = frozenset(
    "block break continue define else end if nil range template with".split()  # noqa: SIM905
)

_TOKENS = re.compile(
    r"""
      (?P<SPACE>[ \t\r\n]+)
    | (?P<STRING>"(?:\\.|[^"\\\n])*"|`[^`]*`)
    | (?P<CHARACTER>'(?:\\.|[^'\\\n])+')
    | (?P<NUMBER>[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+
                 |(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?))
    | (?P<FIELD>\.[^\W\d]\w*)
    | (?P<DOT>\.)
    | (?P<VARIABLE>\$\w*)
    | (?P<IDENTIFIER>[^\W\d]\w*)
    | (?P<SYMBOL>:=|[()|,=])
    """,
    re.VERBOSE,
)
_CLOSE = re.compile(r"[ \t\r\n]+-\}\}|\}\}")
_OPENS_WITH_TRIM = re.compile(r"\{\{-[ \t\r\n]")
_BLANKS = " \t\r\n"
_ENDS_A_WORD = re.compile(r"[ \t\r\n.,|:()=}]|$")
_WORDS = {"FIELD", "VARIABLE", "IDENTIFIER", "NUMBER"}


def tokens(source: Source) -> Iterator[Token]:
    """Yield the tokens of a template, white space inside actions included, then ``END``.

    Raises:
        TemplateError: An action, comment or quoted string is not closed, or holds a character
            that means nothing.
    """
    text, at, trim_next = source.text, 0, False
    while at < len(text):
        start = text.find("{{", at)
        end = len(text) if start < 0 else start
        trim_this = start >= 0 and _OPENS_WITH_TRIM.match(text, start) is not None
        yield from _plain(text, at, end, trim_next, trim_this)
        if start < 0:
            break
        inside = start + (3 if trim_this else 2)
        if text.startswith("/*", inside + 1 if trim_this else inside):
            at, trim_next = _after_comment(source, start)
            continue
        yield Token(Kind.OPEN, "{{", start)
        at = inside
        while (close := _CLOSE.match(text, at)) is None:
            token = _inside(source, at, start)
            at = token.at + len(token.text)
            yield token
        yield Token(Kind.CLOSE, "}}", at)
        trim_next, at = close.group() != "}}", close.end()
    yield Token(Kind.END, "", len(text))


def _plain(text: str, at: int, end: int, trim_left: bool, trim_right: bool) -> Iterator[Token]:
    plain = text[at:end]
    if trim_left:
        plain = plain.lstrip(_BLANKS)
    if trim_right:
        plain = plain.rstrip(_BLANKS)
    if plain:
        yield Token(Kind.TEXT, plain, at)


def _after_comment(source: Source, start: int) -> tuple[int, bool]:
    stop = source.text.find("*/", start)
    if stop < 0:
        raise source.parse_error(start, "unclosed comment")
    close = _CLOSE.match(source.text, stop + 2)
    if close is None:
        raise source.parse_error(stop, "comment ends before closing delimiter")
    return close.end(), close.group() != "}}"


def _inside(source: Source, at: int, start: int) -> Token:
    text = source.text
    if at >= len(text):
        raise source.parse_error(start, "unclosed action")
    found = _TOKENS.match(text, at)
    if found is None:
        raise source.parse_error(at, _complaint(text[at]))
    kind, word = found.lastgroup or "", found.group()
    if kind in _WORDS and not _ENDS_A_WORD.match(text, found.end()):
        raise source.parse_error(at, f"bad character {_code_point(text[found.end()])}")
    if kind == "IDENTIFIER" and word in KEYWORDS:
        kind = "KEYWORD"
    return Token(Kind[kind], word, at)


def _complaint(character: str) -> str:
    if character in '"`':
        return f"unterminated {'raw ' if character == '`' else ''}quoted string"
    if character == "'":
        return "unterminated character constant"
    return f"unrecognized character in action: {_code_point(character)}"


def _code_point(character: str) -> str:
    shown = f" '{character}'" if character.isprintable() else ""
    return f"U+{ord(character):04X}{shown}"
