"""Looking on while a plan is evaluated: stopping it, and counting the samples it looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from qvmon.model.series import Bools, Int64s, SeriesColumns
from qvmon.promql.results import Grid

if TYPE_CHECKING:
    from qvmon.promql.shared import Sharing


def go_on() -> None:
    """Let an evaluation go on."""


class Tally:
    """Counts samples as Prometheus does: those each step looks at, and those held at once.

    What the steps of a subquery look at is not counted, but the subquery's own values are, for
    each window they are in. The most held at once is that of results and windows.

    Source: Prometheus util/stats/query_stats.go and promql/engine.go.

    Args:
        grid: The steps of the query.
    """

    def __init__(self, grid: Grid) -> None:
        self.subquery_is_all = False
        self.per_step: Int64s = np.zeros(grid.steps, np.int64)
        self.read_per_step: Int64s = np.zeros(grid.steps, np.int64)
        self.series = 0
        self.peak = 0
        self._counted = grid
        self._held = 0

    @property
    def total(self) -> int:
        """Samples that all steps together look at."""
        return int(self.per_step.sum())

    @property
    def read(self) -> int:
        """Samples that all steps together read, those of overlapping windows once."""
        return int(self.read_per_step.sum())

    def enter(self, grid: Grid) -> bool:
        """Count the steps of ``grid`` if they are of a subquery that is all there is; say so."""
        whole, self.subquery_is_all = self.subquery_is_all, False
        if whole:
            self._counted = grid
        return whole

    def looked_at(
        self, grid: Grid, per_step: Int64s, series: int, read: Int64s | None = None
    ) -> None:
        """Count what the steps of ``grid`` look at.

        Args:
            grid: The steps.
            per_step: int64[steps]; samples each looks at.
            series: How many series they belong to.
            read: int64[steps]; those of them that the step before had not; all without it.
        """
        self.series += series
        if grid is not self._counted:
            return
        read = per_step if read is None else read
        if len(per_step) == len(self.per_step):
            self.per_step += per_step
            self.read_per_step += read
        else:
            self.per_step[-1] += per_step.sum()
            self.read_per_step[-1] += read.sum()

    def window(self, samples: int) -> None:
        """Count samples that are held beside a function's results while it is computed."""
        self._held += samples
        self.peak = max(self.peak, self._held)

    @property
    def held(self) -> int:
        """Samples held now."""
        return self._held

    def holds(self, before: int, samples: int) -> None:
        """Count ``samples`` that have taken the place of all that came after ``before``."""
        self.peak = max(self.peak, self._held + samples)
        self._held = before + samples


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """Who looks on.

    Attributes:
        check: Called often, between parts of an evaluation; what it raises ends the evaluation.
        tally: Counts samples, where that is wanted.
        shared: What this plan has in common with others, where it does.
    """

    check: Callable[[], None] = go_on
    tally: Tally | None = None
    shared: Sharing | None = None


def in_windows(columns: SeriesColumns, starts: Int64s, ends: Int64s) -> Int64s:
    """Return int64[w]: how many samples lie in each window ``(starts, ends]``, of all series."""
    first = np.searchsorted(ends, columns.timestamps)
    after = np.searchsorted(starts, columns.timestamps)
    some = first < after
    change = np.bincount(first[some], minlength=len(ends) + 1)
    change -= np.bincount(after[some], minlength=len(ends) + 1)
    counts: Int64s = np.cumsum(change[:-1])
    return counts


def in_last_window(columns: SeriesColumns, starts: Int64s, ends: Int64s) -> int:
    """Return how many samples the last window of the last series has."""
    if not len(columns) or not len(ends):
        return 0
    times = columns.timestamps[columns.offsets[-2] :]
    low, high = np.searchsorted(times, (starts[-1], ends[-1]), side="right")
    return int(high - low)


def at_steps(present: Bools) -> Int64s:
    """Return int64[m]: how many series have a value at each step of bool[n, m]."""
    counts: Int64s = present.sum(axis=0, dtype=np.int64)
    return counts
