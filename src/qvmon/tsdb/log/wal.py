"""The write-ahead log: what was acknowledged and is not in blocks yet.

Every segment explains itself: before a series' first sample in it stands a record with the series'
label bytes. So segments can be deleted, damaged or quarantined one by one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Int64s, SampleBatch, SeriesKeys
from qvmon.tsdb.files.durable import sync
from qvmon.tsdb.files.paths import DataPaths
from qvmon.tsdb.log import kernels
from qvmon.tsdb.log.records import (
    SEGMENT_HEADER,
    RecordKind,
    samples_record,
    segment_header,
    series_record,
)
from qvmon.tsdb.reserve import reserved
from qvmon.tsdb.rows import EARLIEST

_MOST_UNSYNCED = 256 << 20


@dataclass(slots=True)
class Segment:
    """One file of the log.

    Attributes:
        number: Its place in the log.
        newest: The newest sample in it that came in order.
        size: Its bytes.
    """

    number: int
    newest: int
    size: int


class WriteAheadLog:
    """Appends records and makes them durable a group at a time. One thread at a time calls it.

    Records that a failed write or sync left in doubt are kept and written again, to a new segment,
    before anything else counts as durable.

    Args:
        paths: Where the segments are.
        keys_of: Gives the canonical label bytes of series ids.
        max_series: One more than the largest series id.
        segment_bytes: A segment that is at least this long is followed by a new one.
        first: The number of the first new segment.
    """

    def __init__(
        self,
        paths: DataPaths,
        keys_of: Callable[[Int64s], SeriesKeys],
        max_series: int,
        segment_bytes: int,
        *,
        first: int = 1,
    ) -> None:
        self._run = int.from_bytes(os.urandom(8), "little") | 1
        self._paths = paths
        self._keys_of = keys_of
        self._segment_bytes = segment_bytes
        self._logged_in: Int64s = reserved(max_series, np.int64)
        self._closed: list[Segment] = []
        self._file: int | None = None
        self._open = Segment(first, EARLIEST, 0)
        self._unsynced: list[bytes] = []
        self._unsynced_bytes = 0
        self._failed = False

    def follow(self, segments: Sequence[Segment]) -> None:
        """Keep those of earlier runs as long as they are needed; they are never appended to."""
        self._closed = [*segments, *self._closed]

    @property
    def current(self) -> int:
        """The number of the segment that is being written."""
        return self._open.number

    @property
    def segments(self) -> int:
        """How many segments there are."""
        return len(self._closed) + 1

    @property
    def total_bytes(self) -> int:
        """Bytes of all segments."""
        return self._open.size + sum(segment.size for segment in self._closed)

    def write(self, kind: RecordKind, batch: SampleBatch) -> None:
        """Enter samples into the group that the next ``commit`` makes durable."""
        fresh = kernels.first_uses(self._open.number, batch.series, self._logged_in)
        if len(fresh):
            self._enter(series_record(fresh, self._keys_of(fresh)))
        self._enter(samples_record(kind, batch))
        if kind is RecordKind.FLOAT:
            self._open.newest = max(self._open.newest, int(batch.timestamps.max()))

    def _enter(self, record: bytes) -> None:
        self._unsynced.append(record)
        self._unsynced_bytes += len(record)

    def make_room(self) -> None:
        """Write what earlier commits could not, before more of it gathers than memory bears.

        Raises:
            QvmonError: UNAVAILABLE, when that still fails; nothing may be added then.
        """
        if self._unsynced_bytes > _MOST_UNSYNCED:
            self.commit()

    def commit(self) -> None:
        """Make everything written so far durable.

        Raises:
            QvmonError: UNAVAILABLE, when the file system refuses; ``commit`` may be tried again.
        """
        if not self._unsynced:
            return
        try:
            if self._failed:
                self._start_over()
            self._write_out()
        except OSError as error:
            self._failed = True
            message = f"cannot write {self._path(self._open)}: {error}"
            raise QvmonError(ErrorKind.UNAVAILABLE, message) from error
        self._unsynced.clear()
        self._unsynced_bytes = 0
        if self._open.size >= self._segment_bytes:
            self.rotate()

    def _write_out(self) -> None:
        if self._file is None:
            self._create()
        assert self._file is not None  # noqa: S101 - _create sets it or raises
        content = memoryview(b"".join(self._unsynced))
        while content:
            content = content[os.write(self._file, content) :]
        os.fdatasync(self._file)
        self._open.size += self._unsynced_bytes

    def _create(self) -> None:
        path = self._path(self._open)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        try:
            os.write(file, segment_header(self._open.number, self._run))
            sync(path.parent)
        except OSError:
            os.close(file)
            path.unlink()
            raise
        self._file = file
        self._open.size = SEGMENT_HEADER.size

    def _start_over(self) -> None:
        """Take back what is in doubt; what the segment has of durable records stays behind."""
        if self._file is not None:
            os.ftruncate(self._file, self._open.size)
            os.fsync(self._file)
        if self._open.size > SEGMENT_HEADER.size:
            self._leave_segment()
        self._failed = False

    def _leave_segment(self) -> None:
        newest = self._open.newest
        self._next_segment()
        self._open.newest = newest
        ids = np.flatnonzero(self._logged_in == self._open.number - 1)
        if len(ids):
            self._logged_in[ids] = self._open.number
            record = series_record(ids, self._keys_of(ids))
            self._unsynced.insert(0, record)
            self._unsynced_bytes += len(record)

    def rotate(self) -> int:
        """Go on in a new segment, unless the present one is empty; return its number."""
        if self._file is not None and not self._failed:
            self._next_segment()
        return self._open.number

    def _next_segment(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
            self._closed.append(self._open)
        self._open = Segment(self._open.number + 1, EARLIEST, 0)

    def drop(self, settled_before: int, late_before_segment: int) -> None:
        """Delete the segments all of whose samples are in blocks.

        Args:
            settled_before: Samples in order are in blocks when they are older than this.
            late_before_segment: Late samples are in blocks when their segment is before this one.
        """
        done = [
            each
            for each in self._closed
            if each.newest < settled_before and each.number < late_before_segment
        ]
        for segment in done:
            self._path(segment).unlink(missing_ok=True)
        self._closed = [each for each in self._closed if each not in done]

    def close(self) -> None:
        """Close the file; what was committed stays durable."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _path(self, segment: Segment) -> Path:
        return self._paths.segment(segment.number)
