"""Parts of dates are those of the calendar, and go on where it ends."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from qvmon.promql.dates import DATE_PARTS, date_part


def _expected(seconds: float) -> dict[str, int]:
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds))
    return {
        "year": day.year,
        "month": day.month,
        "hour": day.hour,
        "minute": day.minute,
        "day_of_week": (day.weekday() + 1) % 7,
        "day_of_month": day.day,
        "day_of_year": day.timetuple().tm_yday,
        "days_in_month": calendar.monthrange(day.year, day.month)[1],
    }


@pytest.mark.parametrize("function", sorted(DATE_PARTS))
def test_a_part_is_that_of_the_calendar(function: str) -> None:
    """Between the years 1 and 9999 the calendar of Python agrees, before 1970 too."""
    chosen = np.random.default_rng(1)
    seconds = chosen.integers(-62_135_596_800, 253_402_300_799, 2000).astype(np.float64)
    seconds = np.concatenate((seconds, chosen.uniform(-1e10, 1e10, 1000)))
    expected = [_expected(each)[function] for each in seconds.tolist()]
    assert date_part(function, seconds).tolist() == expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [("year", 292_277_026_596), ("day_of_month", 4), ("day_of_week", 0), ("hour", 15)],
)
def test_what_is_no_time_is_the_last_moment_before_time_wraps(
    function: str, expected: float
) -> None:
    """As in Prometheus, whose integers have 64 bits."""
    values = np.array([np.nan, np.inf, -np.inf, 1e300])
    assert date_part(function, values).tolist() == [expected] * 4
