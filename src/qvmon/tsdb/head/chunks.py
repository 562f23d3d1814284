"""The arrays of the head: newest samples as rows, older ones packed in chunks of cells.

No lock and no reader is known here: ``Head`` sees to both.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from qvmon.model.series import Bytes, Int32s, Int64s
from qvmon.model.threads import side_by_side, stretches
from qvmon.tsdb.head import kernels
from qvmon.tsdb.reserve import reserved
from qvmon.tsdb.rows import EARLIEST, LATEST, Rows

_CELL_BYTES = 8 * kernels.WORDS
_SLOT_BYTES = 16 * kernels.ROWS


class Chunks:
    """Samples of all series in order of time.

    Args:
        max_series: One more than the largest series id.
        max_bytes: Address space for packed samples; memory is taken as they come.
    """

    def __init__(self, max_series: int, max_bytes: int) -> None:
        cells = max(1, min(max_bytes // _CELL_BYTES, 2**31 - 2))
        self._newest: Int64s = reserved(max_series, np.int64)
        self._slots: Int32s = reserved(max_series, np.int32)
        self._first: Int32s = reserved(max_series, np.int32)
        self._last: Int32s = reserved(max_series, np.int32)
        self._cells: Int64s = reserved(cells * kernels.WORDS, np.int64)
        self._free_cells: Int32s = reserved(cells, np.int32)
        self.state: Int64s = np.array([0, 0, 0, 0, EARLIEST, LATEST], np.int64)
        self.series = 0
        self._tables = (
            self._newest,
            self._slots,
            self._first,
            self._last,
            reserved(max_series * kernels.ROWS, np.int64),
            reserved(max_series * kernels.ROWS, np.int64),
            reserved(max_series, np.uint8),
            reserved(max_series, np.int32),
            self._cells,
            self._free_cells,
            self.state,
        )

    @property
    def bytes(self) -> int:
        """Bytes in use."""
        cells = self.state[kernels.FRESH_CELLS] - self.state[kernels.FREE_CELLS]
        slots = self.state[kernels.FRESH_SLOTS] - self.state[kernels.FREE_SLOTS]
        return int(cells) * _CELL_BYTES + int(slots) * _SLOT_BYTES

    def count(self) -> int:
        """Return how many chunks there are; the samples not packed yet are one each series."""
        return int(kernels.count_lists(self.series, self._tables)) + len(self.active())

    def active(self) -> Int64s:
        """Return the ascending ids of the series that have samples."""
        return np.flatnonzero(self._slots[: self.series] >= 0)

    def unsettled(self, before: int) -> Int64s:
        """Return the ascending ids of the series that must go on from ``before`` or later."""
        return np.flatnonzero(self._newest[: self.series] >= max(before, EARLIEST + 1))

    def admit_series(self, series: int) -> None:
        """Know series up to number ``series - 1`` from now on."""
        if series > self.series:
            fresh = slice(self.series, series)
            self._slots[fresh] = self._first[fresh] = self._last[fresh] = -1
            self._newest[fresh] = EARLIEST
            self.series = series

    def append(
        self,
        series: Int64s,
        times: Int64s,
        bits: Int64s,
        limits: tuple[int, int, int],
        verdicts: Bytes,
    ) -> None:
        """Store samples; ``limits`` are settled_before, window and not_after of ``kernels``."""
        kernels.append(series, times, bits, self.series, *limits, verdicts, self._tables)

    def snapshot(self, ids: Int64s, start: int, end: int, reader: object) -> Snapshot:
        """Return room for what is to be read of ``ids`` in start..end; ``note`` fills it."""
        return Snapshot.sized(ids, (start, end), self._cells, reader)

    def note(self, snapshot: Snapshot, some: slice) -> None:
        """Note what there is of some series; what is appended to them later does not count."""
        kernels.snapshot(
            snapshot.ids[some],
            self.series,
            *snapshot.limits,
            snapshot.extents[some],
            snapshot.tail_times[some],
            snapshot.tail_bits[some],
            self._tables,
        )

    def estimate(self, ids: Int64s, start: int, end: int) -> Int64s:
        """Return int64[n]: about how many samples of ``ids`` are in start..end."""
        counts = np.zeros(len(ids), np.int64)
        kernels.estimate(ids, self.series, start, end, counts, self._tables)
        return counts

    def trim(self, before: int) -> Int32s:
        """Forget the samples older than ``before``; return the cells that are to be reused."""
        released = self._room_for_released()
        count = kernels.trim(before, self.series, released, self._tables)
        return released[:count].copy()

    def remove(self, ids: Int64s, start: int, end: int) -> tuple[Int32s, bool]:
        """Take out samples; return the cells that are to be reused, and whether all are done."""
        released = self._room_for_released()
        count = kernels.remove(ids, self.series, start, end, released, self._tables)
        return released[: count if count >= 0 else -1 - count].copy(), count >= 0

    def step_back(self, least: int) -> None:
        """Let the newest time of all be that of what is left, or ``least`` where that is newer."""
        newest = int(self._newest[: self.series].max(initial=EARLIEST))
        self.state[kernels.NEWEST] = max(newest, least)

    def _room_for_released(self) -> Int32s:
        return np.empty(int(self.state[kernels.FRESH_CELLS]) + 1, np.int32)

    def reuse(self, cells: Int32s) -> None:
        """Use cells again that nobody reads any more."""
        free = int(self.state[kernels.FREE_CELLS])
        self._free_cells[free : free + len(cells)] = cells
        self.state[kernels.FREE_CELLS] = free + len(cells)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What there was of n series; readable while the chunks are not reused.

    Attributes:
        ids: int64[n]; the series.
        limits: No sample is older, none is newer.
        cells: The chunks.
        reader: What keeps them from being reused, for as long as it exists.
        extents: int64[n, 4]; see ``kernels.snapshot``.
        tail_times: int64[n, ROWS]; times of the samples that were not packed yet.
        tail_bits: int64[n, ROWS]; and their bits.
    """

    ids: Int64s
    limits: tuple[int, int]
    cells: Int64s
    reader: object
    extents: Int64s
    tail_times: Int64s
    tail_bits: Int64s

    @classmethod
    def sized(cls, ids: Int64s, limits: tuple[int, int], cells: Int64s, reader: object) -> Snapshot:
        """Return room for what there is of ``ids``."""
        extents, tails = (len(ids), 4), (len(ids), kernels.ROWS)
        room = np.empty(extents, np.int64), np.empty(tails, np.int64), np.empty(tails, np.int64)
        return cls(ids, limits, cells, reader, *room)

    def part(self, first: int, last: int) -> Snapshot:
        """Return what there was of series ``first`` to ``last`` (excluded)."""
        some = slice(first, last)
        tails = self.tail_times[some], self.tail_bits[some]
        part = replace(
            self,
            ids=self.ids[some],
            extents=self.extents[some],
            tail_times=tails[0],
            tail_bits=tails[1],
        )
        part.__dict__["counts"] = self.counts[some]
        return part

    @cached_property
    def counts(self) -> Int64s:
        """int64[n]: the samples of each series."""
        counts = np.empty(len(self.extents), np.int64)

        def count(some: range) -> None:
            limits = some.start, some.stop, *self.limits
            kernels.count_chunks(self.extents, *limits, self.cells, counts)

        side_by_side(count, stretches(len(counts)))
        return counts

    @property
    def ordered(self) -> bool:
        """Whether each series is known to ascend in time: it is."""
        return True

    def copy_to(self, rows: Rows, starts: Int64s) -> None:
        """Write series i to ``rows`` from ``starts[i]`` on."""

        def copy(some: range) -> None:
            limits = some.start, some.stop, *self.limits
            columns = self.cells, starts, rows.times, rows.bits
            kernels.copy_chunks(self.extents, self.tail_times, self.tail_bits, *limits, *columns)

        side_by_side(copy, stretches(len(self.extents)))
