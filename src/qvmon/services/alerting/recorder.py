"""Writes the series of one rule, and marks those that vanished as stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.ports import SampleSink
from qvmon.model.series import STALE_BITS, Float64s, Int64s, SampleBatch, SeriesKeys
from qvmon.services.alerting.meters import Meters


class Recorder:
    """The series one rule wrote at its last tick, and where they go.

    It is quick when it is given the very same ``keys`` object again, which must not change.

    Args:
        sink: Takes the samples.
        meters: Count what it refuses.
    """

    def __init__(self, sink: SampleSink, meters: Meters) -> None:
        self._sink = sink
        self._meters = meters
        self._written: dict[bytes, int] = {}
        self._keys: Sequence[bytes] | None = None
        self._series = np.zeros(0, np.int64)

    async def write(self, keys: Sequence[bytes], values: Float64s, time_ms: int) -> None:
        """Append one sample a key, and a staleness marker for each key that is gone.

        Returns once they are durable. A refused marker is no failure: another rule still writes
        that series.

        Raises:
            QvmonError: The store is away, and the next call marks what this one should have;
                or CONFLICT, when it refused samples.
        """
        series, gone = self._series, np.zeros(0, np.int64)
        if keys is not self._keys:
            series, current = self._ids(keys), frozenset(keys)
            gone = np.array([i for key, i in self._written.items() if key not in current], np.int64)
        if not len(series) and not len(gone):
            return
        batch = SampleBatch(
            np.concatenate([series, gone]),
            np.full(len(series) + len(gone), time_ms, np.int64),
            np.concatenate([values, _stale(len(gone))]),
        )
        result = await self._sink.append(batch)
        if keys is not self._keys:
            self._keys, self._series = keys, series
            self._written = dict(zip(keys, series.tolist(), strict=True))
        self._complain({why: int((at < len(series)).sum()) for why, at in result.refused.items()})

    def _complain(self, refused: Mapping[str, int]) -> None:
        told = {why: count for why, count in refused.items() if count}
        for why, count in told.items():
            self._meters.refused_samples.value(why).add(count)
        if told:
            shown = ", ".join(f"{count} {why}" for why, count in told.items())
            raise QvmonError(ErrorKind.CONFLICT, f"the store refused samples: {shown}")

    def resume(self, keys: Sequence[bytes]) -> None:
        """Take ``keys`` for written by a process before this one, so that they end properly."""
        self._written = dict(zip(keys, self._ids(keys).tolist(), strict=True))

    def _ids(self, keys: Sequence[bytes]) -> Int64s:
        new = [key for key in keys if key not in self._written]
        ids: list[int] = self._sink.series_ids(SeriesKeys.from_bytes(new)).tolist() if new else []
        known = {**self._written, **dict(zip(new, ids, strict=True))}
        return np.array([known[key] for key in keys], np.int64)


def _stale(count: int) -> Float64s:
    return np.full(count, STALE_BITS, np.uint64).view(np.float64)
