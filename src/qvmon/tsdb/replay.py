"""The write-ahead log on its way back into the head."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Bools, SampleBatch
from qvmon.tsdb.durable import put_away
from qvmon.tsdb.head import kernels
from qvmon.tsdb.head.head import Admission, Head
from qvmon.tsdb.head_state import HeadState
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.log.names import SeriesNames
from qvmon.tsdb.log.records import Damage, Record, RecordKind, read_records, read_samples
from qvmon.tsdb.log.wal import Segment
from qvmon.tsdb.paths import DataPaths
from qvmon.tsdb.rows import EARLIEST, LATEST


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
        nameless = 0
        for each in read_records(content):
            if isinstance(each, Record):
                nameless += self._guarded(file, segment, each)
            elif each.torn:
                self._cut(file, segment, each)
            else:
                self._keep_for_a_person(file, segment, content, each)
        if nameless:
            message = f"{file}: {nameless} samples are lost: the names of their series are damaged"
            self._warnings.append(message)
        if file.exists():
            self.segments.append(segment)

    def _guarded(self, file: Path, segment: Segment, record: Record) -> int:
        """Apply a record and return how many of its samples have no known series."""
        try:
            return self._apply(file, segment, record)
        except QvmonError as error:
            if error.kind is ErrorKind.EXHAUSTED:
                raise
            self._warnings.append(f"{file}, record that ends at {record.end}: {error.message}")
            return 0

    def _apply(self, file: Path, segment: Segment, record: Record) -> int:
        if record.kind == RecordKind.SERIES:
            self._names.learn(record)
        elif record.kind == RecordKind.FLOAT:
            batch = read_samples(record.payload)
            newest = int(batch.timestamps.max(initial=EARLIEST))
            segment.newest = max(segment.newest, newest)
            if newest >= self._state.settled_before_ms:
                wanted = batch.timestamps >= self._state.settled_before_ms
                return self._append(segment, _chosen(batch, wanted))
        elif record.kind == RecordKind.LATE_FLOAT:
            if segment.number >= self._state.late_before_segment:
                return self._append(segment, read_samples(record.payload))
        else:
            warning = f"{file}: a record of kind {record.kind} was left out: not known here"
            self._warnings.append(warning)
        return 0

    def _append(self, segment: Segment, batch: SampleBatch) -> int:
        ids = self._names.of(batch.series)
        if np.any(ids < 0):
            others = [number for number in self._paths.segments() if number != segment.number]
            self._names.search([self._paths.segment(number) for number in others])
            ids = self._names.of(batch.series)
        named = SampleBatch(ids, batch.timestamps, batch.values)
        verdicts = self._head.append(named, Admission(len(self._index), LATEST, LATEST))
        if np.any(verdicts == kernels.NO_MEMORY):
            message = "the head has no room for what the write-ahead log holds"
            raise QvmonError(ErrorKind.EXHAUSTED, message)
        nameless = int(np.count_nonzero(ids < 0))
        self.samples += len(batch) - nameless
        return nameless

    def _cut(self, file: Path, segment: Segment, damage: Damage) -> None:
        """Take away a write that a crash cut short."""
        cut = f"cut off {damage.end - damage.begin} bytes that were never acknowledged"
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
