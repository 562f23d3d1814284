"""Records of the write-ahead log, byte by byte as ``docs/formats/wal.md`` draws them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Bytes, Int64s, SampleBatch, SeriesKeys
from qvmon.tsdb.log import kernels

SEGMENT_VERSION = 1
RECORD_VERSION = 1
SEGMENT_HEADER = struct.Struct("<6sHQ")
RECORD_HEADER = struct.Struct("<BBHII")
_MAGIC = b"QVMWAL"
_COUNT = struct.Struct("<I")
_MOST_PACKED = 10


class RecordKind(IntEnum):
    """What a record holds; the ones never written yet keep their number."""

    SERIES = 1
    FLOAT = 2
    LATE_FLOAT = 3
    DELTA = 4
    HISTOGRAM = 5
    EXEMPLAR = 6
    METADATA = 7
    UNKNOWN = 8
    TOMBSTONE = 9


@dataclass(frozen=True, slots=True)
class Record:
    """One whole record whose checksum holds.

    Attributes:
        kind: Its kind byte (a ``RecordKind``, or a number of a later version).
        payload: Its bytes after the header.
        end: The offset in the segment just behind it.
    """

    kind: int
    payload: Bytes
    end: int


class BadRecordError(QvmonError):
    """Bytes in a segment that are no record.

    Attributes:
        offset: Where the bad record begins.
        torn: It reaches beyond the end of the segment, or nothing but zeros follows: a write that
            a crash cut short, not one that was acknowledged.
    """

    def __init__(self, offset: int, reason: str, *, torn: bool) -> None:
        super().__init__(ErrorKind.CORRUPT, reason, offset=offset)
        self.offset = offset
        self.torn = torn


def segment_header(number: int) -> bytes:
    """Return the first bytes of a segment."""
    return SEGMENT_HEADER.pack(_MAGIC, SEGMENT_VERSION, number)


def framed(kind: RecordKind, payload: bytes) -> bytes:
    """Return a record: header with length and checksum, then ``payload``."""
    head = struct.pack("<BBHI", RECORD_VERSION, kind, 0, len(payload))
    checksum = zlib.crc32(payload, zlib.crc32(head))
    return head + _COUNT.pack(checksum) + payload


def series_record(ids: Int64s, keys: SeriesKeys) -> bytes:
    """Return a record that says which canonical label bytes each of ``ids`` stands for."""
    lengths = np.diff(keys.offsets).astype("<u4")
    parts = (_COUNT.pack(len(ids)), ids.astype("<i8"), lengths, keys.arena)
    return framed(RecordKind.SERIES, b"".join(bytes(part) for part in parts))


def read_series(payload: Bytes) -> tuple[Int64s, SeriesKeys]:
    """Return what ``series_record`` was given."""
    (count,) = _COUNT.unpack_from(payload.data)
    ids = np.frombuffer(payload, "<i8", count, 4)
    lengths = np.frombuffer(payload, "<u4", count, 4 + 8 * count)
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return ids, SeriesKeys(payload[4 + 12 * count :], offsets)


def samples_record(kind: RecordKind, batch: SampleBatch) -> bytes:
    """Return a record of samples: packed series ids, packed times, raw values."""
    count = len(batch)
    packed: Bytes = np.empty(2 * _MOST_PACKED * count, np.uint8)
    end = kernels.pack(batch.series, packed, 0)
    end = kernels.pack(batch.timestamps, packed, end)
    values = np.ascontiguousarray(batch.values, "<f8")
    return framed(kind, _COUNT.pack(count) + packed[:end].tobytes() + values.tobytes())


def read_samples(payload: Bytes) -> SampleBatch:
    """Return what ``samples_record`` was given.

    Raises:
        QvmonError: CORRUPT, when the payload is not whole.
    """
    (count,) = _COUNT.unpack_from(payload.data)
    series, times = np.empty(count, np.int64), np.empty(count, np.int64)
    at = kernels.unpack(payload, 4, series)
    at = kernels.unpack(payload, at, times) if at >= 0 else -1
    if at < 0 or len(payload) - at != 8 * count:
        raise QvmonError(ErrorKind.CORRUPT, "a samples record is not whole")
    return SampleBatch(series, times, np.frombuffer(payload, "<f8", count, at))


def read_records(segment: bytes) -> Iterator[Record]:
    """Yield the records of a segment.

    Raises:
        BadRecordError: When something else stands there; the records before it have been yielded.
    """
    at = _after_header(segment)
    while at < len(segment):
        record = _record_at(segment, at)
        yield record
        at = record.end


def _after_header(segment: bytes) -> int:
    if len(segment) < SEGMENT_HEADER.size:
        raise BadRecordError(0, "the segment ends inside its header", torn=True)
    magic, version, _ = SEGMENT_HEADER.unpack_from(segment)
    if magic != _MAGIC:
        torn = not any(segment)
        raise BadRecordError(0, "the segment does not begin as a segment does", torn=torn)
    if version != SEGMENT_VERSION:
        raise BadRecordError(0, f"the segment has version {version}, known is 1", torn=False)
    return SEGMENT_HEADER.size


def _record_at(segment: bytes, at: int) -> Record:
    start = at + RECORD_HEADER.size
    if start > len(segment):
        raise BadRecordError(at, "the segment ends inside a record's header", torn=True)
    version, kind, _, length, checksum = RECORD_HEADER.unpack_from(segment, at)
    end = start + length
    if end > len(segment):
        raise BadRecordError(at, "the segment ends inside a record", torn=True)
    payload = np.frombuffer(segment, np.uint8, length, start)
    if zlib.crc32(payload.data, zlib.crc32(segment[at : at + 8])) != checksum:
        torn = not any(segment[at:])
        raise BadRecordError(at, "a record's checksum does not hold", torn=torn)
    if version != RECORD_VERSION:
        raise BadRecordError(at, f"a record has version {version}, known is 1", torn=False)
    return Record(kind, payload, end)
