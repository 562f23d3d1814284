"""Numbers for people, as Prometheus' template functions write them."""

from __future__ import annotations

import math
import re

from qvmon.templates.errors import CallError
from qvmon.templates.moments import moment, time_text
from qvmon.templates.printf import sprintf
from qvmon.templates.values import Opaque, Value, text_of, type_name

_DURATION = re.compile(
    r"(-?)(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?"
)
_FLOAT = re.compile(r"(?i)[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)")
_DURATION_MS = (365 * 86_400_000, 7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1_000, 1)


def number(value: Value) -> float:
    """Return ``value`` as a float; a string is read as Go reads floats."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Opaque):
        raise CallError(f"can't convert {type_name(value)} to float")
    if isinstance(value, Opaque):
        return float(value.nanoseconds) / 1e9
    if isinstance(value, str) and not _FLOAT.fullmatch(value):
        shown = sprintf("%q", value)
        raise CallError(f"strconv.ParseFloat: parsing {shown}: invalid syntax")
    return float(value)


def humanize(value: Value) -> str:
    """Return a number with a metric prefix, four significant digits."""
    v, prefix = number(value), ""
    if v == 0 or not math.isfinite(v):
        return _short(v)
    if abs(v) >= 1:
        for each in ("k", "M", "G", "T", "P", "E", "Z", "Y"):
            if abs(v) < 1000:
                break
            prefix, v = each, v / 1000
    else:
        for each in ("m", "u", "n", "p", "f", "a", "z", "y"):
            if abs(v) >= 1:
                break
            prefix, v = each, v * 1000
    return _short(v) + prefix


def humanize1024(value: Value) -> str:
    """Return a number with a binary prefix, four significant digits."""
    v, prefix = number(value), ""
    if abs(v) <= 1 or not math.isfinite(v):
        return _short(v)
    for each in ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"):
        if abs(v) < 1024:
            break
        prefix, v = each, v / 1024
    return _short(v) + prefix


def humanize_duration(value: Value) -> str:
    """Return seconds as days, hours, minutes and seconds, or as a fraction with a prefix."""
    v = number(value)
    if not math.isfinite(v) or v == 0:
        return _short(v) + ("s" if v == 0 else "")
    if abs(v) < 1:
        return _sub_second(v)
    seconds = int(abs(v))
    if abs(v) < 60:
        return _short(v) + "s"
    sign = "-" if v < 0 else ""
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    return f"{sign}{minutes}m {seconds}s"


def _sub_second(v: float) -> str:
    prefix = ""
    for each in ("m", "u", "n", "p", "f", "a", "z", "y"):
        if abs(v) >= 1:
            break
        prefix, v = each, v * 1000
    return f"{_short(v)}{prefix}s"


def humanize_percentage(value: Value) -> str:
    """Return a ratio as a percentage, four significant digits."""
    return _short(number(value) * 100) + "%"


def humanize_timestamp(value: Value) -> str:
    """Return seconds since the epoch as a time, milliseconds exact."""
    v = number(value)
    if not math.isfinite(v):
        return _short(v)
    return time_text(_nanoseconds(v))


def to_time(value: Value) -> Opaque:
    """Return seconds since the epoch as a Go time."""
    v = number(value)
    if not math.isfinite(v):
        raise CallError("value is NaN or Inf")
    return moment(_nanoseconds(v))


def _nanoseconds(seconds: float) -> int:
    nanoseconds = seconds * 1e9
    if not -(2.0**63) <= nanoseconds <= 2.0**63:
        message = "cannot be represented as a nanoseconds timestamp since it overflows int64"
        raise CallError(f"{text_of(seconds)} {message}")
    return int(int(nanoseconds) / 1_000_000) * 1_000_000


def parse_duration(text: str) -> float:
    """Return the seconds of a Prometheus duration such as ``-1h30m``."""
    found = _DURATION.fullmatch(text)
    if text == "0":
        return 0.0
    if not text:
        raise CallError("empty duration string")
    if found is None or text == "-":
        raise CallError(f"not a valid duration string: {sprintf('%q', text)}")
    total = sum(int(n or 0) * ms for n, ms in zip(found.groups()[1:], _DURATION_MS, strict=True))
    return (-total if found[1] else total) / 1000


def _short(value: float) -> str:
    return sprintf("%.4g", value)
