"""What a target exposed before: the text of each series, hashed, and the series it became.

A scrape looks all its series up in one kernel call; only the ones never seen take the slow path
through labels and relabelling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qvmon.model.series import Bools, Int64s
from qvmon.services.collection.arrays import UInt64s
from qvmon.services.collection.kernels import fill, look_up

DROPPED = -2
"""The id of a series that metric relabelling dropped."""

REFUSED = -1
"""The id of a series that the store refused for its limit."""

_SMALLEST_TABLE = 64
_RETRY_REFUSED_EVERY = 10
_SPARE_ROWS = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Sightings:
    """Where each sample's series stands in the cache.

    Attributes:
        rows: int64[n]; the row in the cache, -1 for a series never seen.
        returned: bool[n]; the series was not in the last good scrape.
        repeated: bool[n]; the series was already in this scrape.
    """

    rows: Int64s
    returned: Bools
    repeated: Bools


class SeriesCache:
    """The series of one target.

    Two texts of one target with the same 64-bit hash would be taken for one series; among a
    million series the chance is one in forty million.
    """

    def __init__(self) -> None:
        self._slots = np.zeros(_SMALLEST_TABLE, np.int32)
        self._hashes = np.empty(0, np.uint64)
        self._ids = np.empty(0, np.int64)
        self._seen = np.empty(0, np.int64)
        self._tracked = np.empty(0, np.int64)
        self._iteration = 1
        self._last_good = 0

    def __len__(self) -> int:
        return len(self._ids)

    def ids(self, rows: Int64s) -> Int64s:
        """Return the series ids of ``rows``; ``DROPPED`` and ``REFUSED`` are ids, too."""
        ids: Int64s = self._ids[rows]
        return ids

    def look_up(self, hashes: UInt64s) -> Sightings:
        """Return where the series of this scrape stand, and remember having seen them."""
        rows, previous = np.empty(len(hashes), np.int64), np.empty(len(hashes), np.int64)
        look_up(self._slots, self._hashes, self._seen, hashes, self._iteration, rows, previous)
        return Sightings(rows, previous < self._last_good, previous == self._iteration)

    def learn(self, hashes: UInt64s, ids: Int64s) -> None:
        """Add series: distinct hashes that ``look_up`` did not find, and what they became."""
        first = len(self)
        unseen = np.full(len(ids), -1, np.int64)
        self._hashes = np.concatenate([self._hashes, hashes])
        self._ids = np.concatenate([self._ids, ids])
        self._seen = np.concatenate([self._seen, unseen])
        self._tracked = np.concatenate([self._tracked, unseen])
        if 2 * len(self) > len(self._slots):
            self._rebuild()
        else:
            fill(self._slots, self._hashes, first)

    def finish(self, tracked: Int64s, *, good: bool) -> Int64s:
        """End a scrape.

        Args:
            tracked: Rows of the samples that were appended and whose end would be marked.
            good: Whether the scrape succeeded.

        Returns:
            The distinct ids that were tracked in the scrape before and are not any more.
        """
        self._tracked[tracked] = self._iteration
        gone = self.tracked_ids()
        if len(gone):
            gone = np.setdiff1d(gone, self._ids[tracked])
        if good:
            self._last_good = self._iteration
            self._tidy()
        self._iteration += 1
        return gone

    def tracked_ids(self) -> Int64s:
        """Return the distinct ids of the last scrape whose end would be marked."""
        ids = np.unique(self._ids[self._tracked == self._iteration - 1])
        return ids[ids >= 0]

    def _tidy(self) -> None:
        """Forget series that are no longer exposed once they outnumber the rest."""
        keep = self._seen == self._iteration
        if self._iteration % _RETRY_REFUSED_EVERY == 0:
            keep &= self._ids != REFUSED
        elif 2 * np.count_nonzero(keep) + _SPARE_ROWS > len(self):
            return
        self._hashes, self._ids = self._hashes[keep], self._ids[keep]
        self._seen, self._tracked = self._seen[keep], self._tracked[keep]
        self._rebuild()

    def _rebuild(self) -> None:
        size = _SMALLEST_TABLE
        while size < 4 * len(self):
            size *= 2
        self._slots = np.zeros(size, np.int32)
        fill(self._slots, self._hashes, 0)
