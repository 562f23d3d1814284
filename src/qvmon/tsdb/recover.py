"""What a directory holds when it is opened, after a clean stop or a crash alike."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from qvmon.model.errors import QvmonError
from qvmon.model.series import Bools, Int64s, SampleBatch
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.block.cache import PageCache
from qvmon.tsdb.durable import remove_directory, replace_file, set_aside
from qvmon.tsdb.head.head import Admission, Head
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.log.records import (
    BadRecordError,
    Record,
    RecordKind,
    read_records,
    read_samples,
    read_series,
)
from qvmon.tsdb.log.wal import Segment
from qvmon.tsdb.paths import DataPaths
from qvmon.tsdb.rows import EARLIEST, LATEST
from qvmon.tsdb.tombstones import Tombstone, TombstoneBook, open_tombstones

_STATE_VERSION = 1


@dataclass(frozen=True, slots=True)
class HeadState:
    """What of the write-ahead log is in blocks.

    Attributes:
        settled_before_ms: Samples in order that are older.
        late_before_segment: Late samples whose segment is before this one.
    """

    settled_before_ms: int = EARLIEST
    late_before_segment: int = 0

    def save(self, path: Path) -> None:
        """Write it, all or nothing."""
        replace_file(path, json.dumps({"version": _STATE_VERSION, **asdict(self)}).encode())

    @classmethod
    def load(cls, path: Path) -> HeadState:
        """Return what was saved; where nothing readable is, that nothing is in blocks.

        Then samples are replayed that blocks have too, which does no harm.
        """
        try:
            fields = json.loads(path.read_bytes())
            return cls(int(fields["settled_before_ms"]), int(fields["late_before_segment"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()


@dataclass(slots=True)
class Recovery:
    """What was found.

    Attributes:
        state: How far the head is in blocks.
        blocks: The readable blocks.
        segments: The segments of the write-ahead log.
        samples: How many samples were replayed.
        warnings: A sentence for everything that was not as it should be.
    """

    state: HeadState
    blocks: list[Block] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    samples: int = 0
    warnings: list[str] = field(default_factory=list)
    tombstones: TombstoneBook = field(init=False)


def recover(paths: DataPaths, index: Index, head: Head, cache: PageCache) -> Recovery:
    """Fill ``index`` and ``head`` from ``paths`` and return what else was found."""
    recovery = Recovery(HeadState.load(paths.head_state))
    head.settle(recovery.state.settled_before_ms)
    recovery.tombstones = open_tombstones(paths.tombstones, paths.quarantine, recovery.warnings)
    _open_blocks(paths, index, cache, recovery)
    deletions = _Deletions(index, head, recovery)
    for number in paths.segments():
        deletions.repeat_before(number)
        _Replay(paths, index, head, recovery, number).run()
    deletions.repeat_before(LATEST)
    return recovery


class _Deletions:
    """Repeats deletions where they came in the order of the log."""

    def __init__(self, index: Index, head: Head, recovery: Recovery) -> None:
        self._index = index
        self._head = head
        self._blocks = recovery.blocks
        self._waiting = list(recovery.tombstones.entries)

    def repeat_before(self, segment: int) -> None:
        """Repeat those that were made before ``segment`` was begun."""
        while self._waiting and self._waiting[0].before_segment <= segment:
            self._repeat(self._waiting.pop(0))

    def _repeat(self, tombstone: Tombstone) -> None:
        ids = self._index.match(tombstone.matchers)
        self._head.delete(ids, tombstone.start_ms, tombstone.end_ms)
        for block in self._blocks:
            if block.meta.number <= tombstone.through_block:
                block.delete(ids, tombstone.start_ms, tombstone.end_ms)


def _open_blocks(paths: DataPaths, index: Index, cache: PageCache, recovery: Recovery) -> None:
    for leftover in paths.unfinished_blocks():
        shutil.rmtree(leftover)
    for number in paths.block_numbers():
        try:
            recovery.blocks.append(Block(paths.block(number), index, cache))
        except QvmonError as error:
            place = set_aside(paths.block(number).directory, paths.quarantine)
            recovery.warnings.append(f"{error.message}; moved to {place}")
    replaced = {number for block in recovery.blocks for number in block.meta.sources}
    for block in [block for block in recovery.blocks if block.meta.number in replaced]:
        remove_directory(block.paths.directory)
        recovery.blocks.remove(block)


class _Replay:
    """One segment on its way back into the head."""

    def __init__(
        self, paths: DataPaths, index: Index, head: Head, recovery: Recovery, number: int
    ) -> None:
        self._paths = paths
        self._index = index
        self._head = head
        self._recovery = recovery
        self._file = paths.segment(number)
        self._segment = Segment(number, EARLIEST, 0)
        self._ids: Int64s = np.full(1024, -1, np.int64)

    def run(self) -> None:
        """Replay every whole record; cut off and report what is none."""
        content = self._file.read_bytes()
        try:
            for record in read_records(content):
                self._apply(record)
        except BadRecordError as error:
            self._cut(content, error)
        if self._file.exists():
            self._segment.size = self._file.stat().st_size
            self._recovery.segments.append(self._segment)

    def _apply(self, record: Record) -> None:
        if record.kind == RecordKind.SERIES:
            self._learn(record)
        elif record.kind == RecordKind.FLOAT:
            batch = read_samples(record.payload)
            self._segment.newest = max(self._segment.newest, int(batch.timestamps.max()))
            self._append(batch, batch.timestamps >= self._recovery.state.settled_before_ms)
        elif record.kind == RecordKind.LATE_FLOAT:
            flushed = self._segment.number < self._recovery.state.late_before_segment
            batch = read_samples(record.payload)
            self._append(batch, np.full(len(batch), not flushed))
        else:
            warning = f"{self._file}: a record of kind {record.kind} was left out: not known here"
            self._recovery.warnings.append(warning)

    def _learn(self, record: Record) -> None:
        ids, keys = read_series(record.payload)
        length = int(ids.max(initial=0)) + 1
        if length > len(self._ids):
            longer = np.full(2 * length, -1, np.int64)
            longer[: len(self._ids)] = self._ids
            self._ids = longer
        self._ids[ids] = self._index.ids(keys)

    def _append(self, batch: SampleBatch, wanted: Bools) -> None:
        if not np.all(wanted):
            columns = batch.series[wanted], batch.timestamps[wanted], batch.values[wanted]
            batch = SampleBatch(*columns)
        known = SampleBatch(self._ids[batch.series], batch.timestamps, batch.values)
        self._head.append(known, Admission(len(self._index), LATEST, LATEST))
        self._recovery.samples += len(batch)

    def _cut(self, content: bytes, error: BadRecordError) -> None:
        rest = content[error.offset :]
        where = f"{self._file}, offset {error.offset}: {error.message}"
        if error.torn:
            warning = f"{where}; cut off {len(rest)} bytes that were never acknowledged"
        else:
            self._paths.quarantine.mkdir(exist_ok=True)
            place = self._paths.quarantine / f"{self._file.name}.{error.offset}"
            place.write_bytes(rest)
            warning = f"{where}; moved the {len(rest)} bytes from there on to {place}"
        if error.offset:
            os.truncate(self._file, error.offset)
        else:
            self._file.unlink()
        self._recovery.warnings.append(warning)
