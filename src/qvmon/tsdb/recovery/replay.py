"""The write-ahead log on its way back into the head."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Bools, SampleBatch
from qvmon.tsdb.files.durable import put_away
from qvmon.tsdb.files.paths import DataPaths
from qvmon.tsdb.head import kernels
from qvmon.tsdb.head.head import Admission, Head
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.log.names import SeriesNames
from qvmon.tsdb.log.records import Damage, Record, RecordKind, read_records, read_samples
from qvmon.tsdb.log.wal import Segment
from qvmon.tsdb.recovery.ahead import ahead
from qvmon.tsdb.recovery.head_state import HeadState
from qvmon.tsdb.rows import EARLIEST, LATEST

_ROWS_AT_ONCE = 1 << 15


class Replay:
    """Segments in their order, each read as far as it can be.

    Attributes:
        segments: Those that are still there.
        samples: How many samples went to the head.

    Args:
        paths: Where the segments are.
        index: Learns their series.
        head: Gets their samples.
        state: Says which samples blocks have already.
        warnings: A sentence is added for everything that is not as it should be.
    """

    def __init__(
        self, paths: DataPaths, index: Index, head: Head, state: HeadState, warnings: list[str]
    ) -> None:
        self._paths = paths
        self._index = index
        self._head = head
        self._state = state
        self._warnings = warnings
        self._names = SeriesNames(index)
        self._nameless = 0
        self.segments: list[Segment] = []
        self.samples = 0

    def segment(self, number: int) -> None:
        """Replay one segment; what stands in it and is no record is reported.

        Raises:
            QvmonError: EXHAUSTED, when the head has no room for it.
        """
        file = self._paths.segment(number)
        try:
            content = file.read_bytes()
        except OSError as error:
            self._warnings.append(f"{file} cannot be read and is left out: {error}")
            self.segments.append(Segment(number, LATEST, file.stat().st_size))
            return
        segment = Segment(number, EARLIEST, len(content))
        self._names.begin(content)
        for batch in ahead(self._batches(file, segment, content)):
            self._append(batch)
        if file.exists():
            self.segments.append(segment)

    def _batches(self, file: Path, segment: Segment, content: bytes) -> Iterator[SampleBatch]:
        """Yield what goes to the head, small batches together."""
        gathered = _Gathered(RecordKind.FLOAT)
        self._nameless = 0
        for each in read_records(content):
            if not isinstance(each, Record):
                self._report(file, segment, content, each)
                continue
            samples = self._read(file, each)
            if samples is not None:
                if each.kind != gathered.kind or gathered.rows >= _ROWS_AT_ONCE:
                    yield self._wanted(segment, gathered)
                    gathered = _Gathered(RecordKind(each.kind))
                gathered.add(samples)
        yield self._wanted(segment, gathered)
        if self._nameless:
            lost = f"{self._nameless} samples are lost: the names of their series are damaged"
            self._warnings.append(f"{file}: {lost}")

    def _read(self, file: Path, record: Record) -> SampleBatch | None:
        """Return the samples of a record that has some; take in what another one says."""
        try:
            if record.kind in (RecordKind.FLOAT, RecordKind.LATE_FLOAT):
                return read_samples(record.payload)
            if record.kind == RecordKind.SERIES:
                self._names.learn(record)
            else:
                warning = f"{file}: a record of kind {record.kind} was left out: not known here"
                self._warnings.append(warning)
        except QvmonError as error:
            self._warnings.append(f"{file}, record that ends at {record.end}: {error.message}")
        return None

    def _wanted(self, segment: Segment, gathered: _Gathered) -> SampleBatch:
        """Return the samples that blocks do not have, with the index's ids."""
        batch = gathered.together()
        if gathered.kind is RecordKind.FLOAT:
            segment.newest = max(segment.newest, int(batch.timestamps.max(initial=EARLIEST)))
            batch = _chosen(batch, batch.timestamps >= self._state.settled_before_ms)
        elif segment.number < self._state.late_before_segment:
            batch = _chosen(batch, np.zeros(len(batch), np.bool_))
        return self._named(segment, batch)

    def _named(self, segment: Segment, batch: SampleBatch) -> SampleBatch:
        """Return ``batch`` with the index's ids, less samples whose series is not known."""
        ids = self._names.of(batch.series)
        if np.any(ids < 0):
            others = [number for number in self._paths.segments() if number != segment.number]
            self._names.search([self._paths.segment(number) for number in others])
            ids = self._names.of(batch.series)
        self._nameless += int(np.count_nonzero(ids < 0))
        return _chosen(SampleBatch(ids, batch.timestamps, batch.values), ids >= 0)

    def _append(self, batch: SampleBatch) -> None:
        verdicts = self._head.append(batch, Admission(len(self._index), LATEST, LATEST))
        if np.any(verdicts == kernels.NO_MEMORY):
            message = "the head has no room for what the write-ahead log holds"
            raise QvmonError(ErrorKind.EXHAUSTED, message)
        self.samples += len(batch)

    def _report(self, file: Path, segment: Segment, content: bytes, damage: Damage) -> None:
        if damage.torn:
            self._cut(file, segment, damage)
        else:
            self._keep_for_a_person(file, segment, content, damage)

    def _cut(self, file: Path, segment: Segment, damage: Damage) -> None:
        """Take away a write that a crash cut short."""
        cut = f"cut off {damage.end - damage.begin} bytes of a write that did not end"
        self._warnings.append(f"{file}, offset {damage.begin}: {damage.reason}; {cut}")
        if damage.begin:
            os.truncate(file, damage.begin)
        else:
            file.unlink()
        segment.size = damage.begin

    def _keep_for_a_person(
        self, file: Path, segment: Segment, content: bytes, damage: Damage
    ) -> None:
        """Move or copy what cannot be read; the rest stays until blocks have its samples."""
        if damage.end - damage.begin == len(content):
            done = put_away(file, self._paths.quarantine)
            self._warnings.append(f"{file}: {damage.reason}; {done}")
            segment.newest = LATEST
            return
        place = self._paths.quarantine / f"{file.name}.{damage.begin}"
        lost = f"the {damage.end - damage.begin} bytes up to {damage.end} are lost"
        message = f"{file}, offset {damage.begin}: {damage.reason}; {lost}, what follows is served"
        try:
            place.parent.mkdir(exist_ok=True)
            place.write_bytes(content[damage.begin : damage.end])
            self._warnings.append(f"{message}; copied to {place}")
        except OSError as error:
            self._warnings.append(f"{message}; not copied to {place}: {error}")


def _chosen(batch: SampleBatch, wanted: Bools) -> SampleBatch:
    if np.all(wanted):
        return batch
    return SampleBatch(batch.series[wanted], batch.timestamps[wanted], batch.values[wanted])


class _Gathered:
    """Batches of one kind on their way to be one."""

    def __init__(self, kind: RecordKind) -> None:
        self.kind = kind
        self.rows = 0
        self._batches: list[SampleBatch] = []

    def add(self, batch: SampleBatch) -> None:
        self._batches.append(batch)
        self.rows += len(batch)

    def together(self) -> SampleBatch:
        if len(self._batches) == 1:
            return self._batches[0]
        none = np.empty(0, np.int64)
        return SampleBatch(
            np.concatenate([none, *(each.series for each in self._batches)]),
            np.concatenate([none, *(each.timestamps for each in self._batches)]),
            np.concatenate([none.view(np.float64), *(each.values for each in self._batches)]),
        )
