"""Go's literals: strings, characters and numbers as they are written in source."""

from __future__ import annotations

import re

_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL
)
_SIMPLE = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
}


def string_value(literal: str) -> str:
    """Return what a quoted or raw string literal stands for.

    Raises:
        ValueError: It has an escape Go does not know.
    """
    if literal[0] == "`":
        return literal[1:-1].replace("\r", "")
    return _unescaped(literal[1:-1], literal)


def character_value(literal: str) -> int:
    """Return the code point of a character literal.

    Raises:
        ValueError: It is not exactly one character.
    """
    text = _unescaped(literal[1:-1], literal)
    if len(text) != 1:
        raise ValueError(f"malformed character constant: {literal}")
    return ord(text)


def number_value(literal: str) -> int | float:
    """Return the value of a number literal: an int unless it is written as a float.

    Raises:
        ValueError: It is no number, or an integer of more than 64 bits.
    """
    digits = literal.lower()
    try:
        if re.fullmatch(r"[+-]?0[0-7_]+", digits):
            value: int | float = int(digits.replace("_", ""), 8)
        elif re.search(r"0x|0b|0o", digits):
            value = int(digits, 0)
        elif re.search(r"[.e]", digits):
            value = float(digits)
        else:
            value = int(digits)
    except ValueError:
        raise ValueError(f'bad number syntax: "{literal}"') from None
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"integer overflow: {literal}")
    return value


def _unescaped(text: str, literal: str) -> str:
    if "\\" not in text:
        return text

    def value(found: re.Match[str]) -> str:
        byte, short, long, octal, simple = found.groups()
        if short or long:
            return chr(int(short or long, 16))
        if byte or octal:
            return chr(int(byte, 16) if byte else int(octal, 8))
        if simple not in _SIMPLE:
            raise ValueError(f"invalid syntax: {literal}")
        return _SIMPLE[simple]

    try:
        return _ESCAPE.sub(value, text)
    except (OverflowError, ValueError):
        raise ValueError(f"invalid syntax: {literal}") from None
