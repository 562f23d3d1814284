"""Label sets and matchers: what names a series, an alert or a target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

import re2

from qvmon.model.errors import invalid

METRIC_NAME = "__name__"


class Labels(Mapping[str, str]):
    """An immutable label set, sorted by name; an empty value is the same as no label.

    Its canonical bytes, ``encode()``, are a series' identity: for each label in order of the
    name's UTF-8 bytes, unsigned LEB128 length and bytes of the name, then of the value.
    """

    __slots__ = ("_hash", "_items")

    _items: tuple[tuple[str, str], ...]
    _hash: int

    def __init__(
        self, labels: Mapping[str, str] | Iterable[tuple[str, str]] = (), /, **more: str
    ) -> None:
        merged = {**_plain(labels), **more}
        self._items = tuple(sorted((k, v) for k, v in merged.items() if v))
        self._hash = hash(self._items)

    def __getitem__(self, name: str) -> str:
        for key, value in self._items:
            if key == name:
                return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Labels):
            return self._items == other._items
        return NotImplemented

    def __repr__(self) -> str:
        pairs = ", ".join(f"{k}={v!r}" for k, v in self._items)
        return f"Labels({{{pairs}}})"

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return the (name, value) pairs, sorted by name."""
        return self._items

    def without(self, *names: str) -> Labels:
        """Return these labels less ``names``."""
        return Labels((k, v) for k, v in self._items if k not in names)

    def keep(self, *names: str) -> Labels:
        """Return only the labels called ``names``; an absent one stays absent."""
        return Labels((k, v) for k, v in self._items if k in names)

    def merged(self, other: Mapping[str, str]) -> Labels:
        """Return these labels with ``other`` laid over them; an empty value removes."""
        return Labels({**dict(self._items), **_plain(other)})

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        parts: list[bytes] = []
        for pair in self._items:
            for text in pair:
                data = text.encode()
                parts += (_LENGTHS[len(data)] if len(data) < 0x80 else _uvarint(len(data)), data)
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes | memoryview) -> Labels:
        """Return the labels whose canonical bytes are ``data``.

        Raises:
            QvmonError: INVALID, when ``data`` is not canonical label bytes.
        """
        view, at, parts = bytes(data), 0, []
        while at < len(view):
            length, at = _read_uvarint(view, at)
            if at + length > len(view):
                raise invalid("label bytes end inside a string", offset=at)
            parts.append(view[at : at + length].decode())
            at += length
        if len(parts) % 2:
            raise invalid("label bytes end with a name that has no value")
        return cls(zip(parts[::2], parts[1::2], strict=True))


def _plain(labels: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a dictionary; of ``Labels`` without looking each name up."""
    return dict(labels.pairs() if isinstance(labels, Labels) else labels)


_LENGTHS = tuple(bytes((number,)) for number in range(0x80))


def _uvarint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _read_uvarint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if at >= len(data):
            raise invalid("label bytes end inside a length", offset=at)
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


class MatchOp(StrEnum):
    """How a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


class Pattern(Protocol):
    """A compiled RE2 expression, anchored at both ends by ``fullmatch``."""

    def fullmatch(self, text: str) -> object | None:
        """Return a match when all of ``text`` matches."""
        ...


@lru_cache(maxsize=4096)
def compile_pattern(expression: str) -> Pattern:
    """Return ``expression`` compiled with RE2's syntax, dot matching newline as in Prometheus.

    Raises:
        QvmonError: INVALID, with RE2's own reason.
    """
    options = re2.Options()
    options.log_errors = False
    options.dot_nl = True
    try:
        compiled: Pattern = re2.compile(expression, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        text = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise invalid(f"bad regular expression {expression!r}: {text}", reason=text) from None
    return compiled


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label; an absent label has the value ``""``."""

    name: str
    op: MatchOp
    value: str
    _pattern: Pattern | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.op in (MatchOp.REGEX, MatchOp.NOT_REGEX):
            object.__setattr__(self, "_pattern", compile_pattern(self.value))

    def matches(self, value: str) -> bool:
        """Return whether ``value`` satisfies the matcher."""
        if self._pattern is None:
            return (value == self.value) is (self.op is MatchOp.EQUAL)
        return (self._pattern.fullmatch(value) is not None) is (self.op is MatchOp.REGEX)

    def __str__(self) -> str:
        escaped = self.value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        return f'{self.name}{self.op.value}"{escaped}"'
