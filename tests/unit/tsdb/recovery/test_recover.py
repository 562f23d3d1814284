"""Opening a directory whose files are not what was written."""

from __future__ import annotations

import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.tsdb.log.records import RECORD_HEADER, SEGMENT_HEADER, RecordKind, framed
from qvmon.tsdb.options import Options
from tests.unit.tsdb.conftest import Small

GROUPS = 20


def _filled(directory, **changes):
    """Return a closed database's Small and its log's size after each group of three samples."""
    small = Small(directory, segment_bytes=1 << 20, **changes)
    sizes = []
    for group in range(GROUPS):
        small.append(*((series, 10 * group, float(group)) for series in range(3)))
        sizes.append(small.database.wal.total_bytes)
    small.database.close()
    return small, sizes


def _log(small):
    (number,) = small.database.paths.segments()
    return small.database.paths.segment(number)


def _seams(content):
    """Return the offsets between the records of a segment."""
    ends = [SEGMENT_HEADER.size]
    while ends[-1] < len(content):
        length = int.from_bytes(content[ends[-1] + 4 : ends[-1] + 8], "little")
        ends.append(ends[-1] + RECORD_HEADER.size + length)
    return ends


def _groups(small):
    found = small.read()
    for samples in found.values():
        assert samples == [(10 * i, float(i)) for i in range(len(samples))]
    return {len(samples) for samples in found.values()} or {0}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_log_cut_anywhere_gives_every_group_that_was_whole(tmp_path_factory, data):
    small, sizes = _filled(tmp_path_factory.mktemp("cut"))
    log = _log(small)
    log_before = log.read_bytes()
    cut = data.draw(st.integers(0, sizes[-1]))
    os.truncate(log, cut)
    small.open()
    whole = sum(size <= cut for size in sizes)
    assert _groups(small) == {whole}
    if cut not in _seams(log_before):
        assert "cut off" in small.database.recovery.warnings[0]
    else:
        assert small.database.recovery.warnings == []
    small.append((0, 5_000, 1.0))
    small.reopen()
    assert small.database.recovery.warnings == []
    assert small.read(5_000)[0] == [(5_000, 1.0)]
    small.database.close()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_flipped_byte_loses_the_record_it_is_in_and_says_where(tmp_path_factory, data):
    """The first record names the series: without it nothing is known; the others are groups."""
    small, _ = _filled(tmp_path_factory.mktemp("flip"))
    log = _log(small)
    content = bytearray(log.read_bytes())
    seams = _seams(content)
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    log.write_bytes(content)
    small.open()
    hit = sum(seam <= at for seam in seams) - 1
    times = [10 * group for group in range(GROUPS) if group != hit - 1] if hit else []
    expected = {series: [(time, time / 10) for time in times] for series in range(3) if times}
    assert small.read() == expected
    first, *others = small.database.recovery.warnings
    assert str(log) in first
    assert f"offset {seams[hit] if hit >= 0 else 0}:" in first
    assert [f"{3 * GROUPS} samples are lost" in each for each in others] == [True] * (hit == 0)
    if "copied" in first:
        (kept,) = small.database.paths.quarantine.iterdir()
        assert kept.read_bytes() in content
    small.append((0, 5_000, 1.0))
    small.reopen()
    assert small.read(5_000)[0] == [(5_000, 1.0)]
    small.database.close()


def test_names_lost_in_one_segment_are_found_in_another_of_the_same_run(tmp_path):
    """And not in one of another run, where the same number is another series."""
    small = Small(tmp_path, segment_bytes=1 << 10)
    for group in range(60):
        small.append(*((series, 10 * group, float(group)) for series in (3, 1, 2)))
    small.reopen()
    small.append(*((series, 5_000, -1.0) for series in (2, 1, 3)))
    small.database.close()
    numbers = small.database.paths.segments()
    assert len(numbers) > 4
    damaged = small.database.paths.segment(numbers[1])
    content = bytearray(damaged.read_bytes())
    content[SEGMENT_HEADER.size + RECORD_HEADER.size + 4] ^= 1
    damaged.write_bytes(content)
    small.open()
    everything = [(10 * group, float(group)) for group in range(60)] + [(5_000, -1.0)]
    assert small.read() == dict.fromkeys((1, 2, 3), everything)
    assert len(small.database.recovery.warnings) == 1
    small.database.close()


@pytest.mark.parametrize("content", [struct.pack("<6sHQQI", b"QVMWAL", 9, 1, 7, 0), b"noise" * 99])
def test_a_segment_that_cannot_be_understood_is_moved_away_whole(tmp_path, content):
    content = content[:24] + struct.pack("<I", zlib.crc32(content[:24])) + content[28:] + b"more"
    small, _ = _filled(tmp_path)
    strange = small.database.paths.segment(7)
    strange.write_bytes(content)
    small.open()
    assert _groups(small) == {GROUPS}
    assert f"{strange}: the segment" in small.database.recovery.warnings[0]
    assert (small.database.paths.quarantine / strange.name).read_bytes() == content
    small.reopen()
    assert small.database.recovery.warnings == []
    small.database.close()


def test_zeros_at_the_end_of_a_log_are_a_torn_write(tmp_path):
    small, _ = _filled(tmp_path)
    with _log(small).open("ab") as log:
        log.write(bytes(4096))
    small.open()
    assert _groups(small) == {GROUPS}
    assert "cut off 4096 bytes" in small.database.recovery.warnings[0]
    small.database.close()


def test_a_record_of_a_kind_not_written_yet_is_left_out_with_a_warning(tmp_path):
    small, _ = _filled(tmp_path)
    with _log(small).open("ab") as log:
        log.write(framed(RecordKind.HISTOGRAM, b"whatever"))
    small.open()
    assert _groups(small) == {GROUPS}
    assert "kind 5 was left out" in small.database.recovery.warnings[0]
    small.database.close()


@pytest.mark.parametrize("name", ["samples.parquet", "series.parquet", "meta.json"])
def test_an_unreadable_block_is_set_aside_and_the_rest_served(tmp_path, name):
    small = Small(tmp_path)
    small.append(*((1, t, 1.0) for t in range(0, 4_000, 100)))
    small.database.upkeep.flush()
    small.database.close()
    block = small.database.paths.block(2).directory / name
    os.truncate(block, block.stat().st_size // 2)
    small.open()
    assert "moved to" in small.database.recovery.warnings[0]
    assert len(small.read()[1]) == 30
    assert (small.database.paths.quarantine / "00000002").is_dir()
    small.database.close()


@pytest.fixture
def damaged(tmp_path):
    """An open database of three blocks; a byte in the samples of the second one is flipped."""
    rng = np.random.default_rng(5)
    small = Small(tmp_path)
    values = rng.normal(size=5_000).tolist()
    small.append(*((1, t, value) for t, value in enumerate(values)))
    small.database.upkeep.flush()
    small.database.close()
    path = small.database.paths.block(2).samples
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)
    small.open()
    yield small
    small.database.close()


def _is_set_aside(small):
    (sentence,) = small.database.blocks.damaged
    assert "00000002/samples.parquet: row group 0 cannot be read" in sentence
    assert "moved to" in sentence
    assert (small.database.paths.quarantine / "00000002" / "samples.parquet").exists()
    times = [time for time, _ in small.read()[1]]
    return times == [*range(1_000), *range(2_000, 5_000)]


def test_a_query_that_meets_a_damaged_page_sets_the_block_aside_and_serves_the_rest(damaged):
    damaged.read()
    assert _is_set_aside(damaged)


def test_a_merge_that_meets_a_damaged_page_sets_the_block_aside(damaged):
    while damaged.database.upkeep.compact():
        pass
    assert _is_set_aside(damaged)


def test_a_crash_between_writing_a_merged_block_and_deleting_its_sources_is_mended(tmp_path):
    small = Small(tmp_path)
    small.append(*((1, t, 1.0) for t in range(0, 8_000, 100)))
    small.database.upkeep.flush()
    before = small.read()
    removed = []
    small.database.blocks.remove = removed.extend
    assert small.database.upkeep.compact()
    small.reopen()
    numbers = {block.meta.number for block in removed}
    assert not numbers & set(small.database.paths.block_numbers())
    assert small.read() == before
    small.database.close()


def test_a_half_written_block_is_forgotten(tmp_path):
    small, _ = _filled(tmp_path)
    leftover = small.database.paths.block(7).temporary.directory
    leftover.mkdir()
    (leftover / "samples.parquet").write_bytes(b"PAR1")
    small.open()
    assert not leftover.exists()
    assert _groups(small) == {GROUPS}
    small.database.close()


def test_an_unreadable_head_state_repeats_work_and_loses_nothing(tmp_path):
    small = Small(tmp_path)
    small.append(*((1, t, 1.0) for t in range(0, 4_000, 100)))
    small.database.upkeep.flush()
    before = small.read()
    small.database.paths.head_state.write_bytes(b"{")
    small.reopen()
    assert small.read() == before
    small.database.close()


def test_the_defaults_keep_fifteen_days_and_refuse_late_samples():
    assert Options().retention_ms == 15 * 24 * 3_600_000
    assert Options().out_of_order_window_ms == 0
