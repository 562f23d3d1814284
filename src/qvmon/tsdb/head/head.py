"""The head: the newest samples of every series, in arrays that never move."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import count
from threading import Lock

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Bools, Bytes, Int32s, Int64s, SampleBatch
from qvmon.tsdb.head import kernels
from qvmon.tsdb.head.chunks import Chunks, Snapshot
from qvmon.tsdb.head.late import LateSamples, LateView
from qvmon.tsdb.rows import EARLIEST, LATEST, Part, Rows, merged

_SERIES_AT_ONCE = 1 << 14


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


class _Reader:
    """Says by its existence that somebody reads.

    Args:
        number: Which one.
        ended: Is told the number at the end, without a lock: that may come at any moment.
    """

    def __init__(self, number: int, ended: deque[int]) -> None:
        self.number = number
        self._ended = ended

    def __del__(self) -> None:
        self._ended.append(self.number)


class Head:
    """Newest samples of all series; one thread appends, any thread reads beside it.

    A reader holds the lock while it notes what there is, not while it unpacks: packed samples stay
    as they are, and cells that a flush releases wait for the readers that began before.

    Args:
        max_series: One more than the largest series id.
        max_bytes: Address space for packed samples; memory is taken as they come.
    """

    def __init__(self, max_series: int, max_bytes: int) -> None:
        self.settled_before = EARLIEST
        self._trimmed_before = EARLIEST
        self._lock = Lock()
        self._chunks = Chunks(max_series, max_bytes)
        self._late = LateSamples()
        self._flushing = LateSamples()
        self._reader_numbers = count()
        self._readers: set[int] = set()
        self._ended: deque[int] = deque()
        self._released: list[tuple[int, Int32s]] = []

    @property
    def newest(self) -> int:
        """The newest sample's time, ``EARLIEST`` when there never was one."""
        return int(self._chunks.state[kernels.NEWEST])

    @property
    def oldest(self) -> int:
        """The oldest sample's time (late ones apart), ``LATEST`` when there is none."""
        return int(self._chunks.state[kernels.OLDEST])

    @property
    def late_count(self) -> int:
        """How many late samples wait to be flushed."""
        return self._late.count + self._flushing.count

    @property
    def chunk_bytes(self) -> int:
        """Bytes of samples, packed or not yet."""
        return self._chunks.bytes

    @property
    def chunks(self) -> int:
        """How many stretches of samples there are: packed ones, and those not packed yet."""
        with self._lock:
            return self._chunks.count()

    def earliest(self) -> int:
        """Return the oldest sample's time, late ones included, ``LATEST`` when there is none."""
        with self._lock:
            late = self._late_views()
        return min(self.oldest, *(int(view.times.min(initial=LATEST)) for view in late))

    def active_series(self) -> int:
        """Return how many series have samples here, late ones apart."""
        return len(self._chunks.active())

    def active(self) -> Int64s:
        """Return the ascending ids of the series that have samples here, late ones included."""
        with self._lock:
            late = self._late_views()
            ids = self._chunks.active()
        several = [np.unique(view.series) for view in late if view.count]
        return np.unique(np.concatenate((ids, *several))) if several else ids

    def known(self) -> Int64s:
        """Return the ids of the series that have samples here, or whose last one is deleted.

        The latter are to be newer than that until it is settled.
        """
        return np.union1d(self.active(), self._chunks.unsettled(self.settled_before))

    def append(self, batch: SampleBatch, admission: Admission) -> Bytes:
        """Store a batch and return uint8[n], a verdict of ``kernels`` for each row."""
        verdicts = np.empty(len(batch), np.uint8)
        times, bits = np.ascontiguousarray(batch.timestamps), _bits(batch)
        series = np.ascontiguousarray(batch.series)
        with self._lock:
            self._chunks.admit_series(admission.series_count)
            limits = self.settled_before, admission.window_ms, admission.not_after_ms
            self._chunks.append(series, times, bits, limits, verdicts)
            if admission.window_ms > 0 and np.any(verdicts == kernels.LATE):
                self._flushing.compare(series, times, bits, verdicts)
                self._late.append(series, times, bits, verdicts)
        return verdicts

    def read(self, ids: Int64s, start: int, end: int) -> Rows:
        """Return the samples of ``ids`` in start..end, late ones included."""
        return merged(self.parts(ids, start, end))

    def read_in_order(self, ids: Int64s, start: int, end: int) -> Rows:
        """Return the samples of ``ids`` in start..end, late ones apart."""
        return merged([self._noted(ids, start, end)[0]])

    def parts(self, ids: Int64s, start: int, end: int) -> list[Part]:
        """Return the samples of ``ids`` in start..end; what is appended later does not count."""
        snapshot, late = self._noted(ids, start, end)
        series = max(int(ids.max(initial=-1)) + 1, self._chunks.series)
        return [snapshot, *(view.read(ids, series, start, end) for view in late if view.count)]

    def present(self, ids: Int64s, start: int, end: int) -> Bools:
        """Return bool[n]: which of ``ids`` have samples in start..end, late ones included."""
        snapshot, late = self._noted(ids, start, end)
        found: Bools = snapshot.counts > 0
        for view in late:
            found |= np.isin(ids, view.between(start, end))
        return found

    def _noted(self, ids: Int64s, start: int, end: int) -> tuple[Snapshot, list[LateView]]:
        """Return what there is of ``ids``, in order and late, which stays as long as it is kept.

        Appends may go on between some series and others.
        """
        with self._lock:
            self._see_readers_out()
            reader = _Reader(next(self._reader_numbers), self._ended)
            self._readers.add(reader.number)
            late = self._late_views()
            snapshot = self._chunks.snapshot(ids, max(start, self._trimmed_before), end, reader)
        for begin in range(0, len(ids), _SERIES_AT_ONCE):
            with self._lock:
                self._chunks.note(snapshot, slice(begin, begin + _SERIES_AT_ONCE))
        return snapshot, late

    def _see_readers_out(self) -> None:
        while self._ended:
            self._readers.discard(self._ended.popleft())

    def _late_views(self) -> list[LateView]:
        return [self._flushing.view(), self._late.view()]

    def counts(self, start: int, end: int) -> Int64s:
        """Return int64[series]: about how many samples each has in start..end, late ones apart.

        It is 0 only where there is none.
        """
        return self.about(np.arange(self._chunks.series), start, end)

    def about(self, ids: Int64s, start: int, end: int) -> Int64s:
        """Return int64[n]: about how many samples of ``ids`` are in start..end, late ones apart.

        It is 0 only where there is none. Appends may go on between some series and others.
        """
        counts = [np.empty(0, np.int64)]
        for begin in range(0, len(ids), _SERIES_AT_ONCE):
            some = ids[begin : begin + _SERIES_AT_ONCE]
            with self._lock:
                low = max(start, self._trimmed_before)
                counts.append(self._chunks.estimate(some, low, end))
        return np.concatenate(counts)

    def delete(self, ids: Int64s, start: int, end: int) -> None:
        """Forget the samples of ``ids`` in start..end, late ones too; newer ones may come again.

        Raises:
            QvmonError: EXHAUSTED, when there is no room to copy what stays; delete again later.
        """
        with self._lock:
            released, done = self._chunks.remove(np.ascontiguousarray(ids), start, end)
            self._release(released)
            if start <= self.newest <= end:
                self._chunks.step_back(max(self.settled_before, EARLIEST + 1) - 1)
            if not done:
                raise QvmonError(ErrorKind.EXHAUSTED, "the head has no room to delete samples")
            self._late = self._late.without(ids, start, end)
            self._flushing = self._flushing.without(ids, start, end)

    def settle(self, before: int) -> None:
        """From now on take samples older than ``before`` as late: they are about to be flushed."""
        with self._lock:
            self.settled_before = max(self.settled_before, before)

    def trim(self, before: int) -> None:
        """Forget the samples older than ``before``: blocks have them. Newer ones may come again."""
        with self._lock:
            self.settled_before = self._trimmed_before = before
            self._release(self._chunks.trim(before))

    def _release(self, cells: Int32s) -> None:
        """Reuse cells when the readers of now have ended, and others for which that is so."""
        self._see_readers_out()
        self._released.append((next(self._reader_numbers), cells))
        oldest_reader = min(self._readers, default=LATEST)
        ready = [some for number, some in self._released if number < oldest_reader]
        self._released = self._released[len(ready) :]
        for some in ready:
            self._chunks.reuse(some)

    def freeze_late(self) -> None:
        """Set the late samples aside for a flush; they stay readable.

        Those that an earlier flush could not write are among them.
        """
        with self._lock:
            self._flushing, self._late = self._flushing.plus(self._late), LateSamples()

    def frozen_late(self) -> LateView:
        """Return the late samples that were set aside, less those deleted since."""
        with self._lock:
            return self._flushing.view()

    def drop_frozen_late(self) -> None:
        """Forget the late samples set aside; blocks have them."""
        with self._lock:
            self._flushing = LateSamples()


def _bits(batch: SampleBatch) -> Int64s:
    return np.ascontiguousarray(batch.values).view(np.int64)
