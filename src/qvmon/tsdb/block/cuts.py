"""Stretches of time cut out of the samples of some series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qvmon.model.series import Bools, Int64s
from qvmon.tsdb import kernels
from qvmon.tsdb.rows import Part, Rows, merged

_NONE = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """Which stretches of which series do not count.

    Attributes:
        ids: int64[m]; the series that lack something, ascending.
        offsets: int64[m + 1]; series i lacks the stretches ``offsets[i]:offsets[i + 1]``.
        starts: int64[total]; the first millisecond of each, ascending within a series.
        ends: int64[total]; the last.
    """

    ids: Int64s
    offsets: Int64s
    starts: Int64s
    ends: Int64s

    def __len__(self) -> int:
        return len(self.ids)

    def plus(self, ids: Int64s, start: int, end: int) -> Cuts:
        """Return these cuts and one more stretch, start..end, of the series ``ids``."""
        if not len(ids):
            return self
        series = np.concatenate((np.repeat(self.ids, np.diff(self.offsets)), ids))
        starts = np.append(self.starts, np.full(len(ids), start))
        ends = np.append(self.ends, np.full(len(ids), end))
        order = np.lexsort((starts, series))
        known, first = np.unique(series[order], return_index=True)
        offsets = np.append(first, len(series)).astype(np.int64)
        return Cuts(known, offsets, starts[order], ends[order])

    def concern(self, ids: Int64s) -> Bools:
        """Return bool[n]: which of ``ids`` lack something."""
        return self._places(ids) >= 0

    def _places(self, ids: Int64s) -> Int64s:
        if not len(self.ids):
            return np.full(len(ids), -1)
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.where(self.ids[at] == ids, at, -1)

    def applied(self, ids: Int64s, part: Part) -> Part:
        """Return ``part``, the samples of ``ids``, less what is cut out."""
        places = self._places(ids)
        if not np.any(part.counts[places >= 0]):
            return part
        rows = merged([part])
        total = kernels.cut_rows(
            rows.offsets, rows.times, rows.bits, places, self.offsets, self.starts, self.ends
        )
        return Rows(rows.offsets, rows.times[:total], rows.bits[:total])


NO_CUTS = Cuts(_NONE, np.zeros(1, np.int64), _NONE, _NONE)
"""Nothing is cut out."""
