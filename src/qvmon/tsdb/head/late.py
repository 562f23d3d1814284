"""Samples that came out of order: kept apart in order of arrival until they are flushed."""

from __future__ import annotations

import numpy as np

from qvmon.model.series import Bytes, Int64s
from qvmon.tsdb.head import kernels
from qvmon.tsdb.rows import Rows

_FIRST_ROWS = 1024


class LateSamples:
    """Three columns and a hash table over (series, time). Not locked: the head's lock covers it."""

    def __init__(self) -> None:
        self.count = 0
        self._series: Int64s = np.empty(_FIRST_ROWS, np.int64)
        self._times: Int64s = np.empty(_FIRST_ROWS, np.int64)
        self._bits: Int64s = np.empty(_FIRST_ROWS, np.int64)
        self._slots: Int64s = np.zeros(2 * _FIRST_ROWS, np.int64)

    def compare(self, series: Int64s, times: Int64s, bits: Int64s, verdicts: Bytes) -> None:
        """Turn the verdict LATE into REPEATED or DUPLICATE where the sample is here already."""
        self._visit(series, times, bits, verdicts, readonly=True)

    def append(self, series: Int64s, times: Int64s, bits: Int64s, verdicts: Bytes) -> None:
        """Store the samples whose verdict is LATE and that are not here yet."""
        self._make_room(self.count + int(np.count_nonzero(verdicts == kernels.LATE)))
        self.count = self._visit(series, times, bits, verdicts, readonly=False)

    def without(self, ids: Int64s, start: int, end: int) -> LateSamples:
        """Return the samples less those of ``ids`` in start..end."""
        inside = (self._times[: self.count] >= start) & (self._times[: self.count] <= end)
        inside[inside] = np.isin(self._series[: self.count][inside], ids)
        if not np.any(inside):
            return self
        fresh = LateSamples()
        fresh._take(self, np.flatnonzero(~inside))
        return fresh

    def plus(self, others: LateSamples) -> LateSamples:
        """Return these samples and ``others``, which came later."""
        if self.count:
            self._take(others, np.arange(others.count))
            return self
        return others

    def _take(self, others: LateSamples, rows: Int64s) -> None:
        verdicts = np.full(len(rows), kernels.LATE, np.uint8)
        self.append(others._series[rows], others._times[rows], others._bits[rows], verdicts)

    def _visit(
        self, series: Int64s, times: Int64s, bits: Int64s, verdicts: Bytes, *, readonly: bool
    ) -> int:
        columns = self._series, self._times, self._bits, self._slots
        return kernels.append_late(series, times, bits, verdicts, self.count, *columns, readonly)

    def _make_room(self, rows: int) -> None:
        length = len(self._series)
        while length < rows:
            length *= 2
        if length > len(self._series):
            self._series = _longer(self._series, length)
            self._times = _longer(self._times, length)
            self._bits = _longer(self._bits, length)
            self._slots = np.zeros(2 * length, np.int64)
            kernels.fill_late_slots(self._series, self._times, self.count, self._slots)

    def view(self) -> LateView:
        """Return the samples there are now; later ones do not enter it."""
        return LateView(self._series, self._times, self._bits, self.count)


class LateView:
    """A fixed number of late samples, readable beside further appends."""

    def __init__(self, series: Int64s, times: Int64s, bits: Int64s, count: int) -> None:
        self._columns = series, times, bits
        self.count = count

    @property
    def series(self) -> Int64s:
        """Int64[count]: the series of each sample, in order of arrival."""
        return self._columns[0][: self.count]

    @property
    def times(self) -> Int64s:
        """Int64[count]: the time of each sample."""
        return self._columns[1][: self.count]

    def between(self, start: int, end: int) -> Int64s:
        """Return the ascending series that have a sample in start..end."""
        return np.unique(self.series[(self.times >= start) & (self.times <= end)])

    def read(self, ids: Int64s, series_count: int, start: int, end: int) -> Rows:
        """Return the samples of ``ids`` in start..end, by series in order of arrival."""
        if not self.count:
            return Rows.empty(len(ids))
        places = np.full(series_count, -1, np.int32)
        places[ids] = np.arange(len(ids))
        counts = np.zeros(len(ids), np.int64)
        series, times, bits = self._columns
        kernels.count_late(series, times, self.count, start, end, places, counts)
        rows = Rows.sized(counts)
        cursors = rows.offsets[:-1].copy()
        kernels.copy_late(
            series, times, bits, self.count, start, end, places, cursors, rows.times, rows.bits
        )
        return rows


def _longer(column: Int64s, length: int) -> Int64s:
    longer = np.empty(length, np.int64)
    longer[: len(column)] = column
    return longer
