"""Prometheus durations: ``1h30m`` and back."""

from __future__ import annotations

import re

from qvmon.model.errors import invalid

_UNITS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1000,
    "ms": 1,
}
_DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?\Z"
)
MAX_DURATION_MS = (1 << 63) // 1_000_000


def parse_duration(text: str) -> int:
    """Return the milliseconds of a duration such as ``1h30m``; ``0`` needs no unit.

    Raises:
        QvmonError: INVALID; with Prometheus' words.
    """
    if text == "0":
        return 0
    match = _DURATION.match(text) if text else None
    if match is None:
        what = "empty duration string" if not text else f'not a valid duration string: "{text}"'
        raise invalid(what)
    total = sum(int(n) * unit for n, unit in zip(match.groups(), _UNITS.values(), strict=True) if n)
    if total >= MAX_DURATION_MS:
        raise invalid("duration out of range")
    return total


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
