"""Go's string literals: reading them, and printing strings as ``%q`` does."""

from __future__ import annotations

import re

from qvmon.model.labels import Labels

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
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\'\"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"
)
_NAMES = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v"}
_REPLACEMENT = "\ufffd"
_PLAIN_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


def unquote(literal: str) -> str:
    """Return what a literal between any of the three quotes stands for.

    Octal and hexadecimal escapes are bytes; bytes that are no UTF-8 become U+FFFD.
    """
    return unquoted_bytes(literal).decode(errors="replace")


def unquoted_bytes(literal: str) -> bytes:
    """Return the bytes a literal stands for, which need not be UTF-8."""
    body = literal[1:-1]
    if literal[0] == "`" or "\\" not in body:
        return body.encode(errors="replace")
    out, last = bytearray(), 0
    for match in _ESCAPE.finditer(body):
        out += body[last : match.start()].encode() + _escaped(match)
        last = match.end()
    return bytes(out + body[last:].encode())


def _escaped(match: re.Match[str]) -> bytes:
    simple, octal, byte, short, long = match.groups()
    if simple:
        return _SIMPLE[simple].encode()
    if octal or byte:
        return bytes([int(octal, 8) if octal else int(byte, 16)])
    return chr(int(short or long, 16)).encode()


def quote(text: str) -> str:
    """Return ``text`` in double quotes, escaped as Go's ``%q``."""
    return '"' + "".join(map(_quoted, text)) + '"'


def quote_character(char: str) -> str:
    """Return a character in single quotes, escaped as Go's ``%q``; nothing as U+FFFD."""
    quotes = {"'": "\\'", '"': '"'}
    return f"'{quotes.get(char) or _quoted(char or _REPLACEMENT)}'"


def _quoted(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char in _NAMES:
        return "\\" + _NAMES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def is_plain_name(name: str) -> bool:
    """Return whether a label name needs no quotes."""
    return _PLAIN_NAME.match(name) is not None


def label_name(name: str) -> str:
    """Return a label name as it stands in a query, quoted when it must be."""
    return name if is_plain_name(name) else quote(name)


def series_text(labels: Labels) -> str:
    """Return a label set as Prometheus prints it in errors."""
    pairs = (f"{label_name(k)}={quote(v)}" for k, v in labels.pairs())
    return f"{{{', '.join(pairs)}}}"
