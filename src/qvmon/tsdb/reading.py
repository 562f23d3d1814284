"""What a selection finds in the head and in blocks, to be read at once or some series at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qvmon.model.series import DeferredColumns, Int64s, LabelFrame, SeriesColumns
from qvmon.tsdb.rows import Part, merged

MANY = 1_000_000
"""From how many samples on it is cheaper to read some series, use them and forget them."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Samples found, none of them copied yet.

    Attributes:
        parts: What each place has of n series; of equal times the earliest part's sample holds.
        counts: int64[n]; how many samples they have together, repeated ones included.
    """

    parts: Sequence[Part]
    counts: Int64s

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Reading:
        """Return a reading of the same series in several places."""
        return cls(parts, np.sum(np.stack([part.counts for part in parts]), axis=0))

    @property
    def kept(self) -> Int64s:
        """The series that have samples."""
        return np.flatnonzero(self.counts)

    def columns(self, labels: LabelFrame, *, in_parts: bool) -> SeriesColumns:
        """Return the samples of the series ``kept``, whose labels are given.

        With ``in_parts`` many are read only when they are looked at.
        """
        kept = self.kept
        if in_parts and int(self.counts.sum()) >= MANY:
            sizes = self.counts[kept]
            return DeferredColumns(
                labels, sizes, lambda first, last: self._some(labels, kept, first, last)
            )
        return self._some(labels, kept, 0, len(kept))

    def _some(self, labels: LabelFrame, kept: Int64s, first: int, last: int) -> SeriesColumns:
        chosen = kept[first:last]
        low, high = (int(chosen[0]), int(chosen[-1]) + 1) if len(chosen) else (0, 0)
        rows = merged([part.part(low, high) for part in self.parts]).some(chosen - low)
        return SeriesColumns(labels.part(first, last), rows.offsets, rows.times, rows.values)
