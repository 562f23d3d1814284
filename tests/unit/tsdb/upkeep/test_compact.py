"""Which blocks are merged: a pure choice."""

from __future__ import annotations

from qvmon.tsdb.block.meta import BlockMeta
from qvmon.tsdb.upkeep.compact import mergeable, ranges
from tests.unit.tsdb.conftest import options


def meta(number: int, start: int, end: int) -> BlockMeta:
    return BlockMeta(1, number, number, (), start, end, 1, 1)


def chosen(blocks, settled=10**9, **changes):
    return [each.number for each in mergeable(blocks, settled, options(**changes))]


def test_lengths_grow_threefold_up_to_a_tenth_of_the_retention():
    assert list(ranges(options(retention_ms=100_000))) == [1_000, 3_000, 9_000]
    assert list(ranges(options(retention_ms=5_000))) == [1_000]


def test_three_blocks_of_one_aligned_range_are_merged():
    blocks = [meta(i, 1_000 * i, 1_000 * i + 999) for i in range(1, 6)]
    assert chosen(blocks, retention_ms=30_000) == [3, 4, 5]
    assert chosen(blocks[:4], retention_ms=30_000) == []


def test_a_range_is_merged_only_when_its_last_stretch_was_flushed():
    blocks = [meta(i, 1_000 * i, 1_000 * i + 999) for i in range(3)]
    assert chosen(blocks, settled=2_000) == []
    assert chosen(blocks, settled=2_001) == [0, 1, 2]


def test_blocks_of_late_samples_are_merged_with_the_stretch_they_belong_to():
    blocks = [meta(1, 0, 999), meta(5, 10, 20), meta(6, 500, 700)]
    assert chosen(blocks) == [1, 5, 6]


def test_large_blocks_are_merged_when_small_ones_are_done():
    blocks = [meta(i, 3_000 * i, 3_000 * i + 2_999) for i in range(3)]
    assert chosen(blocks) == [0, 1, 2]
    assert chosen(blocks, retention_ms=30_000) == []
