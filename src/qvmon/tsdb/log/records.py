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

SEGMENT_VERSION = 2
RECORD_VERSION = 1
SEGMENT_HEADER = struct.Struct("<6sHQQI")
RECORD_HEADER = struct.Struct("<BBHII")
_MAGIC = b"QVMWAL"
_PREFIX = struct.Struct("<6sHQ")
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


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes in a segment that are no record.

    Attributes:
        begin: The offset of the first of them.
        end: Where a record stands again, or the segment ends.
        reason: What is wrong with them.
        torn: They end the segment, and reach beyond its end or are zeros: a write that a crash cut
            short, not one that was acknowledged.
    """

    begin: int
    end: int
    reason: str
    torn: bool


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What the first bytes of a segment say.

    Attributes:
        version: Of the format.
        run: Equal in all segments of one process, in which an id then means the same series;
            0 where that is not known.
        size: Its bytes.
    """

    version: int
    run: int
    size: int


def segment_header(number: int, run: int) -> bytes:
    """Return the first bytes of a segment."""
    head = struct.pack("<6sHQQ", _MAGIC, SEGMENT_VERSION, number, run)
    return head + _COUNT.pack(zlib.crc32(head))


def read_header(segment: bytes) -> SegmentHeader | None:
    """Return what a segment begins with, None when that is not what a segment begins with."""
    if len(segment) < _PREFIX.size or segment[:6] != _MAGIC:
        return None
    _, version, _ = _PREFIX.unpack_from(segment)
    if version == 1:
        return SegmentHeader(1, 0, _PREFIX.size)
    if len(segment) < SEGMENT_HEADER.size:
        return None
    _, _, _, run, checksum = SEGMENT_HEADER.unpack_from(segment)
    if zlib.crc32(segment[: SEGMENT_HEADER.size - _COUNT.size]) != checksum:
        return None
    return SegmentHeader(version, run, SEGMENT_HEADER.size)


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
    """Return what ``series_record`` was given.

    Raises:
        QvmonError: CORRUPT, when the payload is not whole.
    """
    (count,) = _COUNT.unpack_from(payload.data)
    if len(payload) < 4 + 12 * count:
        raise QvmonError(ErrorKind.CORRUPT, "a series record is not whole")
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


def read_records(segment: bytes) -> Iterator[Record | Damage]:
    """Yield what stands in a segment, in order; after damage it goes on at the next whole record.

    A segment of a later version is damage as a whole.
    """
    if not segment:
        yield Damage(0, 0, "the segment is empty", torn=True)
    header = read_header(segment)
    if header is not None and header.version > SEGMENT_VERSION:
        known = f"the segment has version {header.version}, known is {SEGMENT_VERSION}"
        yield Damage(0, len(segment), known, torn=False)
        return
    at = header.size if header is not None else 0
    while at < len(segment):
        found = _record_at(segment, at) if at or header else _NO_HEADER
        each = found if isinstance(found, Record) else _damage(segment, at, found)
        yield each
        at = each.end


def _record_at(segment: bytes, at: int) -> Record | str:
    """Return the record at an offset, or why there is none."""
    start = at + RECORD_HEADER.size
    if start > len(segment):
        return _CUT_IN_HEADER
    version, kind, _, length, checksum = RECORD_HEADER.unpack_from(segment, at)
    end = start + length
    if end > len(segment):
        return _CUT
    payload = np.frombuffer(segment, np.uint8, length, start)
    if zlib.crc32(payload.data, zlib.crc32(segment[at : at + 8])) != checksum:
        return "a record's checksum does not hold"
    if version != RECORD_VERSION:
        return f"a record has version {version}, known is {RECORD_VERSION}"
    return Record(kind, payload, end)


_NO_HEADER = "the segment does not begin as a segment does"
_CUT_IN_HEADER = "the segment ends inside a record's header"
_CUT = "the segment ends inside a record"


def _damage(segment: bytes, at: int, reason: str) -> Damage:
    end = _next_record(segment, at + 1)
    short = reason in (_CUT, _CUT_IN_HEADER) or (not at and len(segment) < SEGMENT_HEADER.size)
    torn = end == len(segment) and (short or not any(segment[at:]))
    return Damage(at, end, reason, torn)


def _next_record(segment: bytes, start: int) -> int:
    """Return where the next whole record begins, the segment's length when there is none."""
    content = np.frombuffer(segment, np.uint8)
    headers = content[start : max(start, len(content) - RECORD_HEADER.size + 1)]
    version, kind, zero, zeros = (content[start + i :][: len(headers)] for i in range(4))
    known = (version == RECORD_VERSION) & (kind >= 1) & (kind <= max(RecordKind))
    for place in np.flatnonzero(known & (zero == 0) & (zeros == 0)).tolist():
        if isinstance(_record_at(segment, start + place), Record):
            return int(start + place)
    return len(segment)
