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
from qvmon.wire.compression import decompress

MIN_TIME_MS = -(1 << 53)
MAX_TIME_MS = 1 << 53
"""Stand for the beginning and the end of time where a parameter is absent."""

_FORM = "application/x-www-form-urlencoded"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_LARGEST_FORM = 8 << 20
_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_RFC3339 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r"(?:[.,]([0-9]+))?(Z|[+-](?:[01][0-9]|2[0-4]):(?:[0-5][0-9]|60))\Z"
)
_HEX_INTEGER = re.compile(r"[+-]?0[xX][^pP]*\Z")  # for Go no float, which has an exponent
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
            QvmonError: INVALID for a form that is not text, EXHAUSTED for one that is too large,
                UNSUPPORTED for one in an unknown encoding.
        """
        pairs = _pairs(request.scope["query_string"].decode("latin-1"))
        if request.method in _WITH_BODY and _is_form(request):
            body = decompress(
                await request.body(), request.headers.get("content-encoding", ""), _LARGEST_FORM
            )
            try:
                pairs = _pairs(body.decode()) + pairs
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

    def interval(self) -> tuple[int, int]:
        """Return ``start`` and ``end`` in milliseconds, all of time where they are absent."""
        return self.time_ms("start", MIN_TIME_MS), self.time_ms("end", MAX_TIME_MS)

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
        try:
            limit = go_integer(text)
            if limit < 0:
                raise invalid("limit must be non-negative")
        except QvmonError as error:
            raise bad_parameter("limit", error) from None
        return limit or None

    def count(self, name: str) -> int:
        """Return a number of things to list, -1 for all of them."""
        text = self.text(name)
        try:
            return go_integer(text) if text else -1
        except QvmonError:
            raise invalid(f"{name} must be a number") from None

    def truth(self, name: str) -> bool:
        """Return a boolean in Go's spellings.

        Raises:
            QvmonError: INVALID, without the parameter's name.
        """
        text = self.text(name)
        if text in _FALSE:
            return False
        if text in _TRUE:
            return True
        raise invalid(f"strconv.ParseBool: parsing {_go(text)}: invalid syntax")


def _pairs(encoded: str) -> list[tuple[str, str]]:
    """Return names and values; as in Go, pairs with a semicolon or a bad escape are none."""
    if ";" in encoded or "%" in encoded:
        parts = encoded.split("&")
        encoded = "&".join(each for each in parts if not _BAD_PAIR.search(each))
    return parse_qsl(encoded, keep_blank_values=True)


_BAD_PAIR = re.compile(r";|%(?![0-9a-fA-F]{2})")
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"", "0", "f", "F", "false", "FALSE", "False"})


def go_integer(text: str, reader: str = "Atoi", bits: int = 64) -> int:
    """Return what Go's ``strconv.Atoi`` or ``ParseInt`` reads, complaints in its words."""
    if not _INTEGER.match(text):
        raise invalid(f"strconv.{reader}: parsing {_go(text)}: invalid syntax")
    beyond = 1 << (bits - 1)
    number = int(text) if len(text) < 40 else beyond
    if not -beyond <= number < beyond:
        raise invalid(f"strconv.{reader}: parsing {_go(text)}: value out of range")
    return number


def parse_time_ms(text: str) -> int:
    """Return milliseconds since the epoch for seconds as a float, or RFC 3339.

    Raises:
        QvmonError: INVALID.
    """
    try:
        seconds = _go_float(text)
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
        seconds = _go_float(text)
    except QvmonError:
        return _unit_duration_ms(text)
    if not abs(seconds) * 1000 <= _LARGEST_MS:
        raise invalid(f"cannot parse {_go(text)} to a valid duration. It overflows int64")
    return 1 if 0 < seconds < 0.001 else int(seconds * 1000)


def _go_float(text: str) -> float:
    """Return what Go's ``ParseFloat`` reads."""
    if _HEX_INTEGER.match(text):
        raise invalid(f"{text!r} is not a number")
    return parse_float(text)


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
    return invalid(f"invalid time value for '{name}': {error.message}")


def _no_time(text: str) -> QvmonError:
    return invalid(f"cannot parse {_go(text)} to a valid timestamp")


def _go(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM


def go_duration(milliseconds: int) -> str:
    """Return a duration as Go prints ``time.Duration``: ``-1.5s``, ``1m0s``, ``20ms``, ``0s``."""
    sign, size = ("-" if milliseconds < 0 else ""), abs(milliseconds)
    if size and size < 1000:
        return f"{sign}{size}ms"
    seconds, rest = divmod(size, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{seconds}.{rest:03d}".rstrip("0").rstrip(".") if rest else f"{seconds}"
    before = f"{hours}h{minutes}m" if hours else (f"{minutes}m" if minutes else "")
    return f"{sign}{before}{text}s"
