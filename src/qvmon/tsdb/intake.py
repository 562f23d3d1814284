"""The way in: samples are judged, go to head and log, and are durable when that is said."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.ports import AppendResult
from qvmon.model.series import Bools, Bytes, Int64s, SampleBatch
from qvmon.tsdb.changes import Changes
from qvmon.tsdb.head import kernels
from qvmon.tsdb.head.head import Admission, Head
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.log.records import RecordKind
from qvmon.tsdb.log.wal import Segment, WriteAheadLog
from qvmon.tsdb.options import Options
from qvmon.tsdb.recovery.early import EarlySamples
from qvmon.tsdb.rows import EARLIEST, LATEST

REASONS = {
    kernels.OUT_OF_ORDER: "out_of_order",
    kernels.DUPLICATE: "duplicate_timestamp",
    kernels.TOO_OLD: "too_old",
    kernels.TOO_NEW: "too_far_in_future",
    kernels.SERIES_LIMIT: "series_limit",
}
"""Verdicts that refuse a sample, as ``AppendResult`` names them."""


class Intake:
    """Takes samples, from any thread, one group at a time.

    Args:
        options: Which samples are too late, too old or from a wrong clock.
        index: Their series.
        head: Where they go.
        wal: Makes them durable.
        changes: Is told what was stored.
        writing: Held while a group is stored.
        settled_before_ms: Samples older are in blocks; what is not yet, has to be replayed.
    """

    def __init__(
        self,
        *,
        options: Options,
        index: Index,
        head: Head,
        wal: WriteAheadLog,
        changes: Changes,
        writing: Lock,
        settled_before_ms: int,
    ) -> None:
        self._options = options
        self._index = index
        self._head = head
        self._wal = wal
        self._changes = changes
        self._writing = writing
        self._early: EarlySamples | None = EarlySamples(settled_before_ms)

    def follow(self, segments: Sequence[Segment]) -> int:
        """Store what came while ``segments`` were replayed; later samples need not wait.

        Returns:
            How many samples are dropped, as their time had another value already.
        """
        with self._writing:
            self._wal.follow(segments)
            different = 0
            if self._early is not None:
                different = self._early.store(self._head, len(self._index))
            self._early = None
            return different

    def append(self, batches: Sequence[SampleBatch], now_ms: int) -> list[AppendResult]:
        """Store batches as one group; when it returns they are durable and visible.

        Raises:
            QvmonError: UNAVAILABLE, when they could not be made durable: send them again.
                EXHAUSTED, when the head has no room left.
        """
        with self._writing:
            self._wal.make_room()
            verdicts = [self._store(self._columns(batch), now_ms) for batch in batches]
            self._wal.commit()
        return [_result(each) for each in verdicts]

    def _columns(self, batch: SampleBatch) -> SampleBatch:
        """Return ``batch`` as the kernels take it, without a copy where it is so already."""
        return SampleBatch(
            self._index.current(np.ascontiguousarray(batch.series, np.int64)),
            np.ascontiguousarray(batch.timestamps, np.int64),
            np.ascontiguousarray(batch.values, np.float64),
        )

    def _store(self, batch: SampleBatch, now_ms: int) -> Bytes:
        window = self._options.out_of_order_window_ms
        latest = now_ms + self._options.future_tolerance_ms
        admission = Admission(len(self._index), window, latest)
        oldest = int(batch.timestamps.min(initial=LATEST))
        if self._early is not None:
            verdicts = self._early.admit(batch, admission)
        elif oldest < (kept := self._kept_from(now_ms)):
            verdicts = np.full(len(batch), kernels.TOO_OLD, np.uint8)
            rows = np.flatnonzero(batch.timestamps >= kept)
            verdicts[rows] = self._head.append(_some(batch, rows), admission)
        else:
            verdicts = self._head.append(batch, admission)
        if verdicts.any():
            self._log(RecordKind.FLOAT, batch, verdicts == kernels.STORED)
            self._log(RecordKind.LATE_FLOAT, batch, verdicts == kernels.LATE)
        elif len(batch):  # all are ``STORED``, which is 0
            self._wal.write(RecordKind.FLOAT, batch)
            self._changes.wrote(oldest)
        if np.any(verdicts == kernels.NO_MEMORY):
            message = "the head has no room for more samples"
            raise QvmonError(ErrorKind.EXHAUSTED, message, head_bytes=self._options.head_bytes)
        return verdicts

    def _kept_from(self, now_ms: int) -> int:
        """Return from when on samples are taken: older ones would be deleted for their age at once.

        As for retention, neither a clock that is ahead nor samples of one make the others older.
        """
        newest, retention = self._head.newest, self._options.retention_ms
        if not retention or newest == EARLIEST:
            return EARLIEST
        return min(newest, now_ms) - max(retention, self._options.out_of_order_window_ms)

    def _log(self, kind: RecordKind, batch: SampleBatch, chosen: Bools) -> None:
        rows = np.flatnonzero(chosen)
        if len(rows):
            some = _some(batch, rows)
            self._wal.write(kind, some)
            self._changes.wrote(int(some.timestamps.min()))


def _some(batch: SampleBatch, rows: Int64s) -> SampleBatch:
    return SampleBatch(batch.series[rows], batch.timestamps[rows], batch.values[rows])


def _result(verdicts: Bytes) -> AppendResult:
    if not verdicts.any():  # all are ``STORED``, which is 0
        return AppendResult(len(verdicts))
    refused = {
        reason: np.flatnonzero(verdicts == verdict)
        for verdict, reason in REASONS.items()
        if np.any(verdicts == verdict)
    }
    return AppendResult(len(verdicts) - sum(map(len, refused.values())), refused)
