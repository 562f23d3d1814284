"""Samples that come while the log is still replayed: durable at once, in the head afterwards."""

from __future__ import annotations

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Bytes, SampleBatch
from qvmon.tsdb.head import kernels
from qvmon.tsdb.head.head import Admission, Head
from qvmon.tsdb.rows import LATEST

_MOST_WAITING = 1 << 24


class EarlySamples:
    """Batches in the order in which they came. Not locked: the database's write lock covers it.

    What their series have is not known yet. So one that turns out not to be newer than its series
    is kept as a late one, whatever the window; what blocks settled is refused or late as ever.

    Args:
        settled_before_ms: Samples older are in blocks.
    """

    def __init__(self, settled_before_ms: int) -> None:
        self._settled_before = settled_before_ms
        self._batches: list[SampleBatch] = []
        self._count = 0

    def admit(self, batch: SampleBatch, admission: Admission) -> Bytes:
        """Keep what can be stored later and return uint8[n], a verdict for each row.

        Raises:
            QvmonError: UNAVAILABLE, when too much waits already.
        """
        if self._count + len(batch) > _MOST_WAITING:
            message = f"{self._count} samples wait until the log is replayed; send these later"
            raise QvmonError(ErrorKind.UNAVAILABLE, message)
        verdicts = np.full(len(batch), kernels.STORED, np.uint8)
        settled = kernels.LATE if admission.window_ms > 0 else kernels.TOO_OLD
        verdicts[batch.timestamps < self._settled_before] = settled
        verdicts[batch.timestamps > admission.not_after_ms] = kernels.TOO_NEW
        unknown = (batch.series < 0) | (batch.series >= admission.series_count)
        verdicts[unknown] = kernels.SERIES_LIMIT
        rows = np.flatnonzero((verdicts == kernels.STORED) | (verdicts == kernels.LATE))
        kept = SampleBatch(batch.series[rows], batch.timestamps[rows], batch.values[rows])
        self._batches.append(kept)
        self._count += len(kept)
        return verdicts

    def store(self, head: Head, series_count: int) -> int:
        """Move everything to ``head``; return how many had another value there at their time."""
        different = 0
        for batch in self._batches:
            verdicts = head.append(batch, Admission(series_count, LATEST, LATEST))
            different += int(np.count_nonzero(verdicts == kernels.DUPLICATE))
            if np.any(verdicts == kernels.NO_MEMORY):
                raise QvmonError(ErrorKind.EXHAUSTED, "the head has no room for more samples")
        self._batches.clear()
        return different
