"""Parameters of Prometheus' API: from the query string and, for POST, the form.

Source: Prometheus web/api/v1/api.go, ``parseTime`` and ``parseDuration``.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from fastapi import Request

from qvmon.api.http.prometheus.errors import bad_parameter
from qvmon.model.errors import QvmonError, invalid
from qvmon.model.floats import parse_float

MIN_TIME_MS = -(1 << 53)
MAX_TIME_MS = 1 << 53
"""Stand for the beginning and the end of time where a parameter is absent."""

_FORM = "application/x-www-form-urlencoded"
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)\Z"
)
_DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?\Z"
)
_UNITS_MS = (31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1)
_LARGEST_MS = (1 << 63) // 1_000_000
_FIRST_PRINTED = "-292273086-05-16T16:47:06Z"
_LAST_PRINTED = "292277025-08-18T07:12:54.999999999Z"


class Parameters:
    """What a request asks, by name; the first value counts unless all are asked for."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    @classmethod
    async def of(cls, request: Request) -> Parameters:
        """Return the parameters of a request, a form's before the query string's.

        Raises:
            QvmonError: INVALID for a form that is not text, EXHAUSTED for one that is too large.
        """
        pairs = list(request.query_params.multi_items())
        if request.method == "POST" and _is_form(request):
            body = await request.body()
            try:
                pairs = parse_qsl(body.decode(), keep_blank_values=True) + pairs
            except UnicodeDecodeError:
                raise invalid("error parsing form values: not UTF-8") from None
        return cls(pairs)

    def text(self, name: str, default: str = "") -> str:
        """Return one value."""
        return self._values.get(name, [default])[0]

    def all(self, name: str) -> list[str]:
        """Return every value given for ``name``."""
        return self._values.get(name, [])

    def time_ms(self, name: str, default: int | None = None) -> int:
        """Return a time in milliseconds.

        Raises:
            QvmonError: INVALID in Prometheus' words, also for none without a default.
        """
        text = self.text(name)
        if not text and default is not None:
            return default
        try:
            return parse_time_ms(text)
        except QvmonError as error:
            raise bad_parameter(name, _invalid_time(name, default, error)) from None

    def duration_ms(self, name: str, default: int | None = None) -> int:
        """Return a duration in milliseconds, errors as for ``time_ms``."""
        text = self.text(name)
        if not text and default is not None:
            return default
        try:
            return parse_duration_ms(text)
        except QvmonError as error:
            raise bad_parameter(name, error) from None

    def limit(self) -> int | None:
        """Return how many results are wanted; None for all."""
        text = self.text("limit")
        if not text:
            return None
        if not text.isdecimal():
            raise invalid('invalid parameter "limit": limit must be non-negative and a number')
        return int(text) or None


def parse_time_ms(text: str) -> int:
    """Return milliseconds since the epoch for seconds as a float, or RFC 3339.

    Raises:
        QvmonError: INVALID.
    """
    try:
        seconds = parse_float(text)
    except QvmonError:
        return _calendar_ms(text)
    if not math.isfinite(seconds) or abs(seconds) * 1000 > MAX_TIME_MS:
        raise _no_time(text)
    whole = math.floor(seconds)
    return whole * 1000 + round((seconds - whole) * 1000)


def parse_duration_ms(text: str) -> int:
    """Return milliseconds for seconds as a float, or a duration such as ``1h30m``.

    Raises:
        QvmonError: INVALID.
    """
    try:
        seconds = parse_float(text)
    except QvmonError:
        return _unit_duration_ms(text)
    if not abs(seconds) * 1000 <= _LARGEST_MS:
        raise invalid(f"cannot parse {_go(text)} to a valid duration. It overflows int64")
    return int(seconds * 1000)


def _unit_duration_ms(text: str) -> int:
    found = _DURATION.match(text)
    if not found or not text:
        raise invalid(f"cannot parse {_go(text)} to a valid duration")
    parts = zip(found.groups(default="0"), _UNITS_MS, strict=True)
    total = sum(int(number) * unit for number, unit in parts)
    if total > _LARGEST_MS:
        raise invalid(f"cannot parse {_go(text)} to a valid duration")
    return total


def _calendar_ms(text: str) -> int:
    if text in (_FIRST_PRINTED, _LAST_PRINTED):
        return MIN_TIME_MS if text == _FIRST_PRINTED else MAX_TIME_MS
    found = _RFC3339.match(text)
    if found is None:
        raise _no_time(text)
    *calendar, fraction, zone = found.groups()
    try:
        year, month, day, hour, minute, second = map(int, calendar)
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise _no_time(text) from None
    seconds = int(moment.timestamp()) - _zone_seconds(zone)
    return seconds * 1000 + int((fraction or "0").ljust(3, "0")[:3])


def _zone_seconds(zone: str) -> int:
    if zone in "Zz":
        return 0
    sign = -1 if zone[0] == "-" else 1
    return sign * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)


def _invalid_time(name: str, default: int | None, error: QvmonError) -> QvmonError:
    """Return ``error`` in the words Prometheus has for times that may be absent."""
    if default is None:
        return error
    return invalid(f"Invalid time value for '{name}': {error.message}")


def _no_time(text: str) -> QvmonError:
    return invalid(f"cannot parse {_go(text)} to a valid timestamp")


def _go(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
