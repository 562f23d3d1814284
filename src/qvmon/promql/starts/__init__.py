"""Counters whose samples say since when they have counted (start timestamps).

They are used as Prometheus 3.16 uses them with its feature ``use-start-timestamps``: a start
after the sample before tells a reset that the values hide, and one inside a window is a sample
of value zero. A subquery's values have none.
"""

from __future__ import annotations

import numpy as np

from qvmon.model.series import Bools, Float64s, Int64s, SeriesColumns
from qvmon.promql.starts import kernels

RESETS, NEWEST_RATE = "resets", "irate"
USING = frozenset({RESETS, NEWEST_RATE})
"""The functions that ``pairs`` computes."""
RATES = frozenset({"rate", "increase"})
"""The functions that ``rate`` computes."""


def known_starts(columns: SeriesColumns) -> Int64s:
    """Return int64[total]: when each sample's counter started, 0 where nobody said."""
    if columns.starts is None:
        return np.zeros(len(columns.timestamps), np.int64)
    return columns.starts


def rate(
    columns: SeriesColumns, starts: Int64s, ends: Int64s, *, per_second: bool
) -> tuple[Float64s, Bools, Int64s]:
    """Return rate or increase of each window, extrapolated.

    Returns:
        float64[n, w] and bool[n, w]; and int64[n]: in how many windows of a series a sample
        claims to have started before the sample it follows, without being of the same start.
    """
    return kernels.started_rate(
        columns.offsets,
        columns.timestamps,
        columns.values,
        known_starts(columns),
        starts,
        ends,
        per_second,
    )


def pairs(
    columns: SeriesColumns, starts: Int64s, ends: Int64s, function: str
) -> tuple[Float64s, Bools]:
    """Return ``resets`` or ``irate`` of each window."""
    return kernels.started_pairs(
        columns.offsets,
        columns.timestamps,
        columns.values,
        known_starts(columns),
        starts,
        ends,
        function == RESETS,
    )


def instant_starts(columns: SeriesColumns, at: Int64s, lookback_ms: int) -> tuple[Float64s, Bools]:
    """Return the seconds at which the counter of each series' newest sample at ``at`` started."""
    return kernels.instant_starts(
        columns.offsets,
        columns.timestamps,
        columns.values,
        known_starts(columns),
        at,
        lookback_ms,
    )
