"""Go's ``time.Time`` and ``time.Duration`` as templates meet them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from qvmon.templates.errors import CallError
from qvmon.templates.values import Function, Opaque

TIME = "time.Time"
DURATION = "time.Duration"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAYOUT = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|-07:00:00|-07:00|-0700|-07|Z07:00|Z0700"
    r"|002|01|02|03|04|05|06|_2|15|PM|pm|[.,]0+(?!\d)|[.,]9+(?!\d)|1|2|3|4|5"
)


def moment(nanoseconds: int) -> Opaque:
    """Return a time, in nanoseconds since the epoch, UTC."""
    return Opaque(TIME, nanoseconds, time_text(nanoseconds), _TIME_METHODS)


def duration(nanoseconds: int) -> Opaque:
    """Return a duration in nanoseconds."""
    return Opaque(DURATION, nanoseconds, duration_text(nanoseconds), _DURATION_METHODS)


def time_text(nanoseconds: int) -> str:
    """Return a time as Go prints it, such as ``2015-06-23 13:19:44.128 +0000 UTC``."""
    return time_format(nanoseconds, "2006-01-02 15:04:05.999999999 -0700 MST")


def duration_text(nanoseconds: int) -> str:
    """Return a duration as Go prints it, such as ``1h15m30.918s``."""
    left, sign = abs(nanoseconds), "-" if nanoseconds < 0 else ""
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if left < size * 1000 and left:
            return f"{sign}{_fraction(left, size)}{unit}"
    seconds, below = divmod(left, 1_000_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{_fraction(seconds * 1_000_000_000 + below, 1_000_000_000)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{sign}{hours}h{text}" if hours else f"{sign}{text}"


def _fraction(amount: int, size: int) -> str:
    whole, rest = divmod(amount, size)
    digits = f"{rest:0{len(str(size)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)


def time_format(nanoseconds: int, layout: str) -> str:
    """Return a time in a Go reference-time ``layout``."""
    seconds, below = divmod(nanoseconds, 1_000_000_000)
    try:
        at = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise CallError(f"{seconds} seconds is outside the years this can format") from None
    return _LAYOUT.sub(lambda found: _part(found.group(), at, below), layout)


def _part(token: str, at: datetime, nanoseconds: int) -> str:
    if token[0] in ".,":
        digits = f"{nanoseconds:09d}"[: len(token) - 1]
        if token[1] == "9":
            digits = digits.rstrip("0")
        return token[0] + digits if digits else ""
    strftime = {
        "January": "%B", "Jan": "%b", "Monday": "%A", "Mon": "%a", "002": "%j", "01": "%m",
        "02": "%d", "03": "%I", "04": "%M", "05": "%S", "06": "%y", "15": "%H", "PM": "%p",
    }  # fmt: skip
    plain = {
        "2006": f"{at.year:04d}", "MST": "UTC", "_2": f"{at.day:2d}",
        "pm": at.strftime("%p").lower(), "1": str(at.month), "2": str(at.day),
        "3": str((at.hour - 1) % 12 + 1), "4": str(at.minute), "5": str(at.second),
        "-07:00:00": "+00:00:00", "-07:00": "+00:00",
        "-0700": "+0000", "-07": "+00", "Z07:00": "Z", "Z0700": "Z",
    }  # fmt: skip
    return at.strftime(strftime[token]) if token in strftime else plain[token]


def _calendar(part: str) -> Function:
    return Function(lambda at: int(time_format(at.nanoseconds, part)))


_TIME_METHODS = {
    "Format": Function(lambda at, layout: time_format(at.nanoseconds, layout), ("string",)),
    "String": Function(lambda at: at.text),
    "Add": Function(lambda at, by: moment(at.nanoseconds + by.nanoseconds), (DURATION,)),
    "Sub": Function(lambda at, since: duration(at.nanoseconds - since.nanoseconds), (TIME,)),
    "Before": Function(lambda at, other: at.nanoseconds < other.nanoseconds, (TIME,)),
    "After": Function(lambda at, other: at.nanoseconds > other.nanoseconds, (TIME,)),
    "Equal": Function(lambda at, other: at.nanoseconds == other.nanoseconds, (TIME,)),
    "UTC": Function(lambda at: at),
    "Unix": Function(lambda at: at.nanoseconds // 1_000_000_000),
    "UnixMilli": Function(lambda at: at.nanoseconds // 1_000_000),
    "UnixNano": Function(lambda at: at.nanoseconds),
    "Year": _calendar("2006"),
    "Month": Function(lambda at: time_format(at.nanoseconds, "January")),
    "Day": _calendar("2"),
    "Weekday": Function(lambda at: time_format(at.nanoseconds, "Monday")),
    "Hour": _calendar("15"),
    "Minute": _calendar("4"),
    "Second": _calendar("5"),
}

_DURATION_METHODS = {
    "String": Function(lambda length: length.text),
    "Hours": Function(lambda length: length.nanoseconds / 3.6e12),
    "Minutes": Function(lambda length: length.nanoseconds / 6e10),
    "Seconds": Function(lambda length: length.nanoseconds / 1e9),
    "Milliseconds": Function(lambda length: int(length.nanoseconds / 1_000_000)),
    "Nanoseconds": Function(lambda length: length.nanoseconds),
}
