"""The head: the newest samples of every series, in chunks of a slab that never moves."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from threading import Lock

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Bools, Bytes, Int32s, Int64s, SampleBatch
from qvmon.tsdb.head import kernels
from qvmon.tsdb.head.late import LateSamples, LateView
from qvmon.tsdb.reserve import reserved
from qvmon.tsdb.rows import EARLIEST, LATEST, Rows, merged

_CHUNK_BYTES = kernels.CHUNK * 16 + 16


@dataclass(frozen=True, slots=True)
class Admission:
    """What a batch must satisfy beyond the order within its series.

    Attributes:
        series_count: Ids are below this.
        window_ms: How much older than the newest sample of all a late sample may be; 0: none is.
        not_after_ms: Samples after this come from a wrong clock.
    """

    series_count: int
    window_ms: int
    not_after_ms: int


class Head:
    """Newest samples of all series; one thread appends, any thread reads beside it.

    A reader holds the lock while it counts, not while it copies: rows once written stay as they
    are, and chunks that a flush releases wait for the readers that began before.

    Args:
        max_series: One more than the largest series id.
        max_bytes: Address space for samples; memory is taken as they come.
    """

    def __init__(self, max_series: int, max_bytes: int) -> None:
        chunks = max(1, min(max_bytes // _CHUNK_BYTES, 2**31 - 1))
        self.settled_before = EARLIEST
        self._trimmed_before = EARLIEST
        self._lock = Lock()
        self._newest: Int64s = reserved(max_series, np.int64)
        self._first: Int32s = reserved(max_series, np.int32)
        self._last: Int32s = reserved(max_series, np.int32)
        self._series = 0
        self._times: Int64s = reserved(chunks * kernels.CHUNK, np.int64)
        self._bits: Int64s = reserved(chunks * kernels.CHUNK, np.int64)
        self._filled: Int32s = reserved(chunks, np.int32)
        self._following: Int32s = reserved(chunks, np.int32)
        self._preceding: Int32s = reserved(chunks, np.int32)
        self._free: Int32s = reserved(chunks, np.int32)
        self._state: Int64s = np.array([0, 0, EARLIEST, LATEST], np.int64)
        self._late = LateSamples()
        self._flushing = LateSamples()
        self._reader_numbers = count()
        self._readers: set[int] = set()
        self._released: list[tuple[int, Int32s]] = []

    @property
    def newest(self) -> int:
        """The newest sample's time, ``EARLIEST`` when there never was one."""
        return int(self._state[kernels.NEWEST])

    @property
    def oldest(self) -> int:
        """The oldest sample's time (late ones apart), ``LATEST`` when there is none."""
        return int(self._state[kernels.OLDEST])

    @property
    def late_count(self) -> int:
        """How many late samples wait to be flushed."""
        return self._late.count + self._flushing.count

    @property
    def chunk_bytes(self) -> int:
        """Bytes of the chunks in use."""
        return self.chunks * _CHUNK_BYTES

    @property
    def chunks(self) -> int:
        """How many chunks are in use."""
        return int(self._state[kernels.FRESH] - self._state[kernels.FREE])

    def earliest(self) -> int:
        """Return the oldest sample's time, late ones included, ``LATEST`` when there is none."""
        with self._lock:
            late = self._late_views()
        return min(self.oldest, *(int(view.times.min(initial=LATEST)) for view in late))

    def active_series(self) -> int:
        """Return how many series have samples here, late ones apart."""
        return int(np.count_nonzero(self._first[: self._series] >= 0))

    def active(self) -> Int64s:
        """Return the ascending ids of the series that have samples here, late ones included."""
        with self._lock:
            late = self._late_views()
            ids = np.flatnonzero(self._first[: self._series] >= 0)
        several = [np.unique(view.series) for view in late if view.count]
        return np.unique(np.concatenate((ids, *several))) if several else ids

    def append(self, batch: SampleBatch, admission: Admission) -> Bytes:
        """Store a batch and return uint8[n], a verdict of ``kernels`` for each row."""
        verdicts = np.empty(len(batch), np.uint8)
        times, bits = np.ascontiguousarray(batch.timestamps), _bits(batch)
        series = np.ascontiguousarray(batch.series)
        with self._lock:
            self._admit_series(admission.series_count)
            kernels.append(
                series,
                times,
                bits,
                self._series,
                self.settled_before,
                admission.window_ms,
                admission.not_after_ms,
                self._newest,
                self._first,
                self._last,
                self._state,
                self._times,
                self._bits,
                self._filled,
                self._following,
                self._preceding,
                self._free,
                verdicts,
            )
            if admission.window_ms > 0 and np.any(verdicts == kernels.LATE):
                self._flushing.compare(series, times, bits, verdicts)
                self._late.append(series, times, bits, verdicts)
        return verdicts

    def _admit_series(self, series_count: int) -> None:
        if series_count > self._series:
            fresh = slice(self._series, series_count)
            self._first[fresh] = self._last[fresh] = -1
            self._newest[fresh] = EARLIEST
            self._series = series_count

    def read(self, ids: Int64s, start: int, end: int) -> Rows:
        """Return the samples of ``ids`` in start..end, late ones included."""
        rows, late = self._read(ids, start, end)
        if not any(view.count for view in late):
            return rows
        series = max(int(ids.max(initial=-1)) + 1, self._series)
        return merged([rows, *(view.read(ids, series, start, end) for view in late)])

    def read_in_order(self, ids: Int64s, start: int, end: int) -> Rows:
        """Return the samples of ``ids`` in start..end, late ones apart."""
        return self._read(ids, start, end)[0]

    def present(self, ids: Int64s, start: int, end: int) -> Bools:
        """Return bool[n]: which of ``ids`` have samples in start..end, late ones included."""
        with self._lock:
            late = self._late_views()
            _, counts = self._count(ids, max(start, self._trimmed_before), end)
        found: Bools = counts > 0
        for view in late:
            found |= np.isin(ids, view.between(start, end))
        return found

    def _read(self, ids: Int64s, start: int, end: int) -> tuple[Rows, list[LateView]]:
        with self._lock:
            start = max(start, self._trimmed_before)
            reader = next(self._reader_numbers)
            self._readers.add(reader)
            late = self._late_views()
            heads, counts = self._count(ids, start, end)
        try:
            rows = Rows.sized(counts)
            kernels.copy_head(
                start,
                heads,
                rows.offsets,
                self._following,
                self._times,
                self._bits,
                rows.times,
                rows.bits,
            )
        finally:
            with self._lock:
                self._readers.remove(reader)
        return rows, late

    def _late_views(self) -> list[LateView]:
        return [self._flushing.view(), self._late.view()]

    def _count(self, ids: Int64s, start: int, end: int) -> tuple[Int32s, Int64s]:
        """Return the first chunk of each series and its samples in start..end."""
        heads, counts = np.full(len(ids), -1, np.int32), np.zeros(len(ids), np.int64)
        kernels.count_head(
            ids,
            self._series,
            start,
            end,
            self._first,
            self._filled,
            self._following,
            self._times,
            heads,
            counts,
        )
        return heads, counts

    def counts(self, start: int, end: int) -> Int64s:
        """Return int64[series]: about how many samples each has in start..end, late ones apart.

        It takes no lock, so that appends go on. It is exact where nothing is appended: before
        ``settled_before``.
        """
        start = max(start, self._trimmed_before)
        return self._count(np.arange(self._series), start, end)[1]

    def about(self, ids: Int64s, start: int, end: int) -> Int64s:
        """Return int64[n]: about how many samples of ``ids`` are in start..end, late ones apart.

        It takes no lock, so that appends go on.
        """
        return self._count(ids, max(start, self._trimmed_before), end)[1]

    def delete(self, ids: Int64s, start: int, end: int) -> None:
        """Forget the samples of ``ids`` in start..end, late ones too; newer ones may come again.

        Not beside a flush.

        Raises:
            QvmonError: EXHAUSTED, when there is no room to copy what stays; delete again later.
        """
        with self._lock:
            released = np.empty(int(self._state[kernels.FRESH]) + 1, np.int32)
            number = kernels.delete_rows(
                np.ascontiguousarray(ids),
                self._series,
                start,
                end,
                self._first,
                self._last,
                self._filled,
                self._following,
                self._preceding,
                self._times,
                self._bits,
                self._free,
                self._state,
                self._newest,
                released,
            )
            done = number if number >= 0 else -1 - number
            self._released.append((next(self._reader_numbers), released[:done].copy()))
            self._reuse_released()
            if number < 0:
                raise QvmonError(ErrorKind.EXHAUSTED, "the head has no room to delete samples")
            self._late = self._late.without(ids, start, end)
            self._flushing = self._flushing.without(ids, start, end)

    def settle(self, before: int) -> None:
        """From now on take samples older than ``before`` as late: they are about to be flushed."""
        with self._lock:
            self.settled_before = max(self.settled_before, before)

    def trim(self, before: int) -> None:
        """Forget the samples older than ``before``: blocks have them."""
        released = np.empty(int(self._state[kernels.FRESH]), np.int32)
        with self._lock:
            number = kernels.trim(
                before,
                self._series,
                self._first,
                self._last,
                self._filled,
                self._following,
                self._times,
                self._state,
                released,
            )
            self._trimmed_before = before
            self._released.append((next(self._reader_numbers), released[:number].copy()))
            self._reuse_released()

    def _reuse_released(self) -> None:
        oldest_reader = min(self._readers, default=LATEST)
        ready = [chunks for number, chunks in self._released if number < oldest_reader]
        self._released = self._released[len(ready) :]
        for chunks in ready:
            free = int(self._state[kernels.FREE])
            self._free[free : free + len(chunks)] = chunks
            self._state[kernels.FREE] = free + len(chunks)

    def freeze_late(self) -> LateSamples:
        """Set the late samples aside for a flush and return them; they stay readable.

        Those that an earlier flush could not write are among them.
        """
        with self._lock:
            self._flushing, self._late = self._flushing.plus(self._late), LateSamples()
            return self._flushing

    def drop_frozen_late(self) -> None:
        """Forget the late samples set aside; blocks have them."""
        with self._lock:
            self._flushing = LateSamples()


def _bits(batch: SampleBatch) -> Int64s:
    return np.ascontiguousarray(batch.values).view(np.int64)
