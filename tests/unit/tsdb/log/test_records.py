"""Records: what is written is read, and the bytes are those of the documented format."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qvmon.model.labels import Labels
from qvmon.model.series import SampleBatch, SeriesKeys
from qvmon.tsdb.log.records import (
    RecordKind,
    read_records,
    read_samples,
    read_series,
    samples_record,
    segment_header,
    series_record,
)

numbers = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.tuples(numbers, numbers, numbers), max_size=50))
def test_samples_come_back_bit_for_bit(rows):
    columns = np.array(rows, np.int64).reshape(-1, 3)
    series, times, bits = (np.ascontiguousarray(columns[:, i]) for i in range(3))
    batch = SampleBatch(series, times, bits.view(np.float64))
    segment = segment_header(1) + samples_record(RecordKind.FLOAT, batch)
    (record,) = read_records(segment)
    found = read_samples(record.payload)
    assert found.series.tolist() == series.tolist()
    assert found.timestamps.tolist() == times.tolist()
    assert found.values.view(np.int64).tolist() == bits.tolist()
    assert record.end == len(segment)


def test_series_come_back():
    keys = SeriesKeys.from_labels([Labels(a="1"), Labels(), Labels(b="ü" * 200)])
    record = series_record(np.array([7, 2**40, 0]), keys)
    (read,) = read_records(segment_header(1) + record)
    ids, found = read_series(read.payload)
    assert ids.tolist() == [7, 2**40, 0]
    assert [found.key(i) for i in range(3)] == [keys.key(i) for i in range(3)]


def test_the_bytes_are_those_of_the_format_version_1():
    """Written out by hand from docs/formats/wal.md, so that no later code may change them."""
    batch = SampleBatch(np.array([3, 4, 2]), np.array([1000, 1000, 999]), np.array([0.5, 1, 2]))
    packed = bytes([6, 2, 3]) + bytes([0xD0, 0x0F, 0, 1])
    payload = struct.pack("<I", 3) + packed + struct.pack("<3d", 0.5, 1, 2)
    head = struct.pack("<BBHI", 1, 2, 0, len(payload))
    checksum = struct.pack("<I", zlib.crc32(head + payload))
    assert samples_record(RecordKind.FLOAT, batch) == head + checksum + payload
    assert segment_header(9) == b"QVMWAL" + struct.pack("<HQ", 1, 9)
    keys = SeriesKeys.from_labels([Labels(ab="c")])
    series = struct.pack("<IqI", 1, 5, 5) + b"\x02ab\x01c"
    assert series_record(np.array([5]), keys)[12:] == series
