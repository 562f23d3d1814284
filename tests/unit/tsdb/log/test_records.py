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
    SEGMENT_HEADER,
    Damage,
    Record,
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
    segment = segment_header(1, 7) + samples_record(RecordKind.FLOAT, batch)
    (record,) = read_records(segment)
    found = read_samples(record.payload)
    assert found.series.tolist() == series.tolist()
    assert found.timestamps.tolist() == times.tolist()
    assert found.values.view(np.int64).tolist() == bits.tolist()
    assert record.end == len(segment)


def test_series_come_back():
    keys = SeriesKeys.from_labels([Labels(a="1"), Labels(), Labels(b="ü" * 200)])
    record = series_record(np.array([7, 2**40, 0]), keys)
    (read,) = read_records(segment_header(1, 7) + record)
    ids, found = read_series(read.payload)
    assert ids.tolist() == [7, 2**40, 0]
    assert [found.key(i) for i in range(3)] == [keys.key(i) for i in range(3)]


def test_the_bytes_are_those_of_the_format_version_2():
    """Written out by hand from docs/formats/wal.md, so that no later code may change them."""
    batch = SampleBatch(np.array([3, 4, 2]), np.array([1000, 1000, 999]), np.array([0.5, 1, 2]))
    packed = bytes([6, 2, 3]) + bytes([0xD0, 0x0F, 0, 1])
    payload = struct.pack("<I", 3) + packed + struct.pack("<3d", 0.5, 1, 2)
    head = struct.pack("<BBHI", 1, 2, 0, len(payload))
    checksum = struct.pack("<I", zlib.crc32(head + payload))
    assert samples_record(RecordKind.FLOAT, batch) == head + checksum + payload
    start = b"QVMWAL" + struct.pack("<HQQ", 2, 9, 7)
    assert segment_header(9, 7) == start + struct.pack("<I", zlib.crc32(start))
    keys = SeriesKeys.from_labels([Labels(ab="c")])
    series = struct.pack("<IqI", 1, 5, 5) + b"\x02ab\x01c"
    assert series_record(np.array([5]), keys)[12:] == series


def _segment(records: int) -> tuple[bytes, list[int]]:
    """Return a segment of float records and the offsets between them."""
    segment, seams = segment_header(1, 7), [SEGMENT_HEADER.size]
    for number in range(records):
        columns = np.arange(3), np.full(3, number), np.full(3, float(number))
        segment += samples_record(RecordKind.FLOAT, SampleBatch(*columns))
        seams.append(len(segment))
    return segment, seams


def _numbers(found: list[Record | Damage]) -> list[int]:
    records = [each for each in found if isinstance(each, Record)]
    batches = [read_samples(each.payload) for each in records]
    assert all(np.array_equal(each.timestamps, each.values) for each in batches)
    return [int(each.timestamps[0]) for each in batches]


@given(st.data())
def test_a_changed_byte_costs_the_record_it_is_in_and_no_other(data):
    segment, seams = _segment(8)
    at = data.draw(st.integers(0, len(segment) - 1))
    changed = bytearray(segment)
    changed[at] ^= data.draw(st.integers(1, 255))
    found = list(read_records(bytes(changed)))
    whole = _numbers(found)
    hit = sum(seam <= at for seam in seams) - 1
    assert whole == [number for number in range(8) if number != hit]
    (damage,) = [each for each in found if isinstance(each, Damage)]
    begin = seams[hit] if hit >= 0 else 0
    assert (damage.begin, damage.end) == (begin, seams[hit + 1])
    assert not damage.torn or hit == 7


@given(st.data())
def test_bytes_that_are_missing_in_the_middle_cost_the_records_they_were_in(data):
    segment, seams = _segment(8)
    begin = data.draw(st.integers(seams[0], len(segment) - 1))
    end = data.draw(st.integers(begin + 1, len(segment)))
    found = list(read_records(segment[:begin] + segment[end:]))
    kept = {n for n in range(8) if seams[n + 1] <= begin or seams[n] >= end}
    assert kept <= set(_numbers(found))


def test_a_segment_of_a_later_version_is_left_alone():
    start = b"QVMWAL" + struct.pack("<HQQ", 3, 9, 7)
    segment = start + struct.pack("<I", zlib.crc32(start)) + _segment(1)[0][SEGMENT_HEADER.size :]
    (damage,) = read_records(segment)
    assert isinstance(damage, Damage)
    assert (damage.begin, damage.end, damage.torn) == (0, len(segment), False)
    assert "version 3" in damage.reason


def test_random_bytes_are_one_stretch_of_damage():
    noise = np.random.default_rng(3).integers(0, 256, 1 << 16, np.uint8).tobytes()
    (damage,) = read_records(noise)
    assert isinstance(damage, Damage)
    assert (damage.begin, damage.end) == (0, len(noise))
    assert not damage.torn
