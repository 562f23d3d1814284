"""Parts of dates, also of times that no calendar knows.

As Prometheus, a value is cut to whole seconds in 64 bits; what does not fit, NaN included, is the
least of them. Seconds are counted from 1 March of a year far enough back for none to be negative
(Go's ``time`` package), and wrap around there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from qvmon.model.series import Float64s, Int64s

_YEARS_BEFORE = 292_277_022_400
"""From the first 1 March that can be told to that of year 0."""
_ERA_DAYS, _ERA_YEARS = 146_097, 400
_DAY = 86_400
_UNIX = (_YEARS_BEFORE // _ERA_YEARS * _ERA_DAYS + 719_468) * _DAY % 2**64
_LEAST = np.int64(-(2**63))
_MONTH_STARTS = np.array([0, 31, 61, 92, 122, 153, 184, 214, 245, 275, 306, 337, 366])
"""Days from 1 March to the first of each month."""

Seconds = NDArray[np.uint64]


def date_part(function: str, values: Float64s) -> Float64s:
    """Return a part of the UTC date of each value, seconds since the epoch."""
    fits = (values >= -(2.0**63)) & (values < 2.0**63)
    seconds = np.where(fits, np.where(fits, values, 0.0).astype(np.int64), _LEAST)
    part = _PARTS[function](seconds.view(np.uint64) + np.uint64(_UNIX))
    return part.astype(np.float64)


def _days(seconds: Seconds) -> Int64s:
    return (seconds // np.uint64(_DAY)).astype(np.int64)


def _of_day(seconds: Seconds) -> Int64s:
    return (seconds % np.uint64(_DAY)).astype(np.int64)


def _march_year(seconds: Seconds) -> tuple[Int64s, Int64s]:
    """Return the year that began on 1 March, and the day in it from 0."""
    era, day = np.divmod(_days(seconds), _ERA_DAYS)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    return era * _ERA_YEARS + year - _YEARS_BEFORE, day - (365 * year + year // 4 - year // 100)


def _march_month(day: Int64s) -> Int64s:
    month: Int64s = np.searchsorted(_MONTH_STARTS, day, side="right") - 1
    return month


def _year(seconds: Seconds) -> Int64s:
    year, day = _march_year(seconds)
    at_start: Int64s = year + (day >= _MONTH_STARTS[10])
    return at_start


def _month(seconds: Seconds) -> Int64s:
    return (_march_month(_march_year(seconds)[1]) + 2) % 12 + 1


def _day_of_month(seconds: Seconds) -> Int64s:
    _, day = _march_year(seconds)
    first: Int64s = _MONTH_STARTS[_march_month(day)]
    return day - first + 1


def _is_leap(year: Int64s) -> NDArray[np.bool_]:
    leap: NDArray[np.bool_] = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    return leap


def _day_of_year(seconds: Seconds) -> Int64s:
    year, day = _march_year(seconds)
    in_spring = day < _MONTH_STARTS[10]
    return np.where(in_spring, day + 60 + _is_leap(year), day - _MONTH_STARTS[10] + 1)


def _days_in_month(seconds: Seconds) -> Int64s:
    _, day = _march_year(seconds)
    month = _march_month(day)
    length = np.diff(_MONTH_STARTS)[month]
    return np.where(month == 11, 28 + _is_leap(_year(seconds)), length)


def _day_of_week(seconds: Seconds) -> Int64s:
    return (_days(seconds) + 3) % 7  # 1 March of a year divisible by 400 is a Wednesday


_PARTS: dict[str, Callable[[Seconds], Int64s]] = {
    "days_in_month": _days_in_month,
    "day_of_month": _day_of_month,
    "day_of_week": _day_of_week,
    "day_of_year": _day_of_year,
    "hour": lambda seconds: _of_day(seconds) // 3600,
    "minute": lambda seconds: _of_day(seconds) // 60 % 60,
    "month": _month,
    "year": _year,
}

DATE_PARTS = frozenset(_PARTS)
"""The functions that ``date_part`` computes."""
