"""From a label pair to the series that have it: sorted id arrays, rebuilt as series are added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qvmon.model.series import Bytes, Int32s, Int64s
from qvmon.tsdb.identity import kernels

_SMALL_TAIL = 4096
_SPARSE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Which label pairs each series has.

    Attributes:
        ends: int64[...]; series s has the pairs ``ends[s]:ends[s + 1]``.
        pairs: int32[...]; numbers of pairs.
        gone: uint8[...]; 1 for a series that was forgotten.
    """

    ends: Int64s
    pairs: Int32s
    gone: Bytes


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """The series of each label pair, for series ``first:stop``.

    Attributes:
        first: The first series covered.
        stop: One past the last.
        starts: int64[pairs + 1]; pair p owns ``ids[starts[p]:starts[p + 1]]``.
        ids: int64[total], ascending within a pair.
    """

    first: int
    stop: int
    starts: Int64s
    ids: Int64s

    @classmethod
    def build(cls, members: Members, pairs: int, first: int, stop: int) -> Postings:
        """Return the postings of series ``first:stop`` from their pairs."""
        starts = np.zeros(pairs + 1, np.int64)
        ids = np.empty(int(members.ends[stop] - members.ends[first]), np.int64)
        columns = members.ends, members.pairs, members.gone
        filled = kernels.fill_postings(*columns, first, stop, starts, ids)
        return cls(first, stop, starts, ids[:filled])

    def of(self, pair: int) -> Int64s:
        """Return the ascending ids of the series that have ``pair``."""
        if pair + 1 >= len(self.starts):
            return self.ids[:0]
        return self.ids[self.starts[pair] : self.starts[pair + 1]]


@dataclass(frozen=True, slots=True, eq=False)
class LayeredPostings:
    """Postings in two layers: most series, and those added since."""

    settled: Postings
    recent: Postings

    @property
    def stop(self) -> int:
        """One past the last series covered."""
        return self.recent.stop

    def of(self, pair: int) -> Int64s:
        """Return the ascending ids of the series that have ``pair``."""
        old, new = self.settled.of(pair), self.recent.of(pair)
        return old if not len(new) else np.concatenate((old, new))

    def of_any(self, pairs: Int64s) -> Int64s:
        """Return the ascending ids of the series that have one of ``pairs`` (of one label name)."""
        if len(pairs) == 1:
            return self.of(int(pairs[0]))
        layers = [(each.starts, each.ids) for each in (self.settled, self.recent)]
        total = sum(kernels.count_postings(pairs, starts) for starts, _ in layers)
        ids, at = np.empty(total, np.int64), 0
        for layer in layers:
            at = kernels.copy_postings(pairs, *layer, ids, at)
        if total * _SPARSE < self.stop:
            return np.sort(ids)
        marked = np.zeros(self.stop, np.bool_)
        marked[ids] = True
        return np.flatnonzero(marked)

    def grown(self, members: Members, pairs: int, stop: int) -> LayeredPostings:
        """Return postings that also cover the series up to ``stop``."""
        settled = self.settled
        if stop - settled.stop > max(_SMALL_TAIL, settled.stop // 8):
            settled = Postings.build(members, pairs, 0, stop)
        recent = Postings.build(members, pairs, settled.stop, stop)
        return LayeredPostings(settled, recent)

    @classmethod
    def whole(cls, members: Members, pairs: int, stop: int) -> LayeredPostings:
        """Return the postings of all series up to ``stop``, in one layer."""
        settled = Postings.build(members, pairs, 0, stop)
        return cls(settled, Postings.build(members, pairs, stop, stop))

    @classmethod
    def empty(cls) -> LayeredPostings:
        """Return the postings of no series."""
        none = Postings(0, 0, np.zeros(1, np.int64), np.empty(0, np.int64))
        return cls(none, none)
