"""Prometheus durations: ``1h30m`` and back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from qvmon.model.errors import QvmonError, invalid
from qvmon.promql.quoting import quote

_UNITS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_PART = re.compile(r"([0-9]+)([^0-9]*)")
MAX_DURATION_MS = (1 << 63) // 1_000_000


def parse_duration(text: str) -> int:
    """Return the milliseconds of a duration such as ``1h30m``; ``0`` needs no unit.

    Raises:
        QvmonError: INVALID; with Prometheus' words.
    """
    if text == "0":
        return 0
    if not text:
        raise invalid("empty duration string")
    total, before, sizes = 0, 0, list(_UNITS)
    for number, unit in _parts(text):
        if unit not in _UNITS:
            raise invalid(f"unknown unit {quote(unit)} in duration {quote(text)}")
        place = sizes.index(unit) + 1
        if place <= before:
            raise _malformed(text)
        before, total = place, total + number * _UNITS[unit]
        if total >= MAX_DURATION_MS:
            raise invalid("duration out of range")
    return total


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Yield numbers with their units.

    Raises:
        QvmonError: INVALID, at the first number without a unit or unit without a number.
    """
    if not "0" <= text[0] <= "9":
        raise _malformed(text)
    for match in _PART.finditer(text):
        if not match[2]:
            raise _malformed(text)
        yield int(match[1]), match[2]


def _malformed(text: str) -> QvmonError:
    return invalid(f"not a valid duration string: {quote(text)}")


def format_duration(milliseconds: int) -> str:
    """Return a duration as Prometheus prints it: ``90000`` is ``1m30s``, ``0`` is ``0s``."""
    if milliseconds == 0:
        return "0s"
    sign, rest, out = ("-" if milliseconds < 0 else ""), abs(milliseconds), ""
    for unit, size in _UNITS.items():
        if unit in ("y", "w") and rest % size:
            continue  # 90d reads better than 12w6d
        count, rest = divmod(rest, size)
        out += f"{count}{unit}" if count else ""
    return sign + out
