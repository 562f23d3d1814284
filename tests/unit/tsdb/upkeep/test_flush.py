"""From the head to blocks: nothing lost, nothing twice, the first value stays."""

from __future__ import annotations

import numpy as np
import pytest

from qvmon.tsdb.block import writer
from qvmon.tsdb.recovery import head_state
from tests.unit.tsdb.conftest import Small


def test_the_first_of_two_values_stays_when_its_block_is_merged_with_the_seconds(tmp_path):
    small = Small(tmp_path, out_of_order_window_ms=10**6)
    small.append(*((1, t, 1.0) for t in range(0, 3_000, 10)))
    small.database.upkeep.flush()
    small.append(*((1, t, 2.0) for t in range(0, 900, 5)), (1, 5_000, 1.0))
    small.database.upkeep.flush()
    small.append(*((1, t, 3.0) for t in range(0, 900, 5)), (1, 9_000, 1.0))
    small.database.upkeep.flush()
    before = small.read()
    assert dict(before[1])[10] == 1.0
    assert dict(before[1])[5] == 2.0
    assert small.database.upkeep.compact()
    assert small.read() == before
    small.database.close()


def test_a_late_sample_that_a_block_has_is_not_stored_again(tmp_path):
    """Repeats are dropped in silence, other values are counted; either way the first one stays."""
    small = Small(tmp_path, out_of_order_window_ms=10**6)
    small.append(*((1, t, 1.0) for t in range(0, 3_000, 100)))
    small.database.upkeep.flush()
    blocks = len(small.database.blocks)
    before = small.read()
    small.append((1, 100, 1.0), (1, 200, 7.0), (1, 300, np.nan))
    assert small.read() == before
    small.append((1, 4_000, 1.0))
    assert small.database.upkeep.flush() == 1
    assert len(small.database.blocks) == blocks + 1
    assert small.database.upkeep.overruled == 2
    assert small.read() == {1: [*before[1], (4_000, 1.0)]}
    small.database.close()


def test_of_late_blocks_of_any_length_the_first_value_wins_after_any_merge(tmp_path):
    """A block that spans many stretches lies between two that are merged without it."""
    small = Small(tmp_path, out_of_order_window_ms=10**9)
    small.append(*((1, t, 0.0) for t in range(0, 300_000, 1_000)))
    small.database.upkeep.flush()
    small.append(*((1, t + 1, 1.0) for t in range(0, 300_000, 1_000)), (1, 301_000, 0.0))
    small.database.upkeep.flush()
    small.append((1, 1, 2.0), (1, 2, 2.0), (1, 1_001, 2.0), (1, 303_000, 0.0))
    small.database.upkeep.flush()
    before = small.read()
    assert dict(before[1])[1] == 1.0
    while small.database.upkeep.compact():
        assert small.read() == before
    small.database.close()


def test_late_samples_whose_flush_failed_are_flushed_with_the_next(tmp_path, monkeypatch):
    small = Small(tmp_path, out_of_order_window_ms=10**6, late_samples=1)
    small.append((1, 1_400, 1.0))
    small.append((1, 10, 1.0))
    with monkeypatch.context() as patch:
        patch.setattr(writer, "publish_directory", _no_space)
        with pytest.raises(OSError, match="No space"):
            small.database.upkeep.flush()
    small.append((1, 20, 1.0))
    expected = {1: [(10, 1.0), (20, 1.0), (1_400, 1.0)]}
    assert small.read() == expected
    small.database.upkeep.flush()
    assert small.read() == expected
    small.reopen()
    assert small.read() == expected
    small.database.close()


def _no_space(*_):
    raise OSError("No space left on device")


def test_a_long_history_becomes_few_blocks(small):
    """Also where it is a sample a day, or one of another age."""
    rows = [(1, -(10**12), 0.0), *((2, t, 1.0) for t in range(0, 10**6, 2_000))]
    small.append(*rows)
    before = small.read()
    assert 1 < small.database.upkeep.flush() < 300
    assert small.read() == before
    while small.database.upkeep.compact():
        pass
    small.reopen()
    assert small.read() == before


def test_a_flush_that_fails_loses_nothing_and_leaves_nothing(small, monkeypatch):
    """As when the disk is full: the samples stay in the head, the half-written block goes."""
    small.append(*((1, t, 1.0) for t in range(0, 4_000, 100)))
    before = small.read()

    def fail(*_):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(writer, "publish_directory", fail)
        with pytest.raises(OSError, match="No space"):
            small.database.upkeep.flush()
    assert list(small.database.paths.blocks.iterdir()) == []
    assert small.read() == before
    assert small.append((1, 50, 1.0)).refused["too_old"].tolist() == [0]
    assert small.database.upkeep.flush() > 0
    assert small.read() == before


def test_what_blocks_have_is_noted_with_the_next_round_when_it_could_not_be(small, monkeypatch):
    """Otherwise the log would keep it for another stretch, and a start read it again."""
    small.append(*((1, t, 1.0) for t in range(0, 2_000, 100)))
    with monkeypatch.context() as patch:
        patch.setattr(head_state, "replace_file", _no_space)
        with pytest.raises(OSError, match="No space"):
            small.database.upkeep.flush()
    assert small.database.upkeep.flush() == 0
    before = small.read()
    small.reopen()
    assert small.database.recovery.samples == 10
    assert small.read() == before


def test_the_log_keeps_only_what_is_not_in_blocks(small):
    for start in range(0, 20_000, 500):
        small.append(*((s, t, 1.0) for t in range(start, start + 500, 100) for s in range(20)))
        small.database.upkeep.flush()
    assert small.database.wal.segments <= 3
    small.reopen()
    assert len(small.read()[7]) == 200
