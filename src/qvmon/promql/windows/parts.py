"""Long computations cut by series and steps: threads share them, and they can be stopped."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from qvmon.model.series import Bools, Float64s, SeriesColumns
from qvmon.model.threads import side_by_side, workers

PART = 1_000_000
"""Samples looked at for one part, as often as they are: some tens of milliseconds at most."""

Result = tuple[Float64s, Bools]


def by_parts(
    columns: SeriesColumns,
    steps: int,
    check: Callable[[], None],
    compute: Callable[[SeriesColumns, slice], Result],
    *,
    looked_at: int = 1,
) -> Result:
    """Return what ``compute`` makes of all series, computed some series and steps at a time.

    Args:
        columns: The samples of n series.
        steps: How many values there are of each.
        check: Called before each part; what it raises ends the computation.
        compute: Returns float64[k, l] and bool[k, l] for the samples of k series and l steps;
            several threads call it.
        looked_at: About how many samples a value is made of.
    """
    work = np.concatenate(([0], np.cumsum(columns.sizes + steps * looked_at)))
    total = int(work[-1])
    if total <= PART:
        return compute(columns, slice(0, steps))
    marks = np.searchsorted(work, np.arange(PART, total, PART))
    cuts = np.unique(np.concatenate(([0], marks, [len(columns)]))).tolist()
    values: Float64s = np.empty((len(columns), steps))
    present: Bools = np.empty((len(columns), steps), np.bool_)
    left = iter(list(pairwise(cuts)))

    def some_of_them(_: int) -> None:
        for first, last in left:
            some = columns.part(first, last)
            stride = max(1, 2 * PART // (looked_at * (last - first)))
            for start in range(0, steps, stride):
                check()
                part = slice(start, min(start + stride, steps))
                values[first:last, part], present[first:last, part] = compute(some, part)

    side_by_side(some_of_them, range(workers(len(cuts) - 1)))
    return values, present
