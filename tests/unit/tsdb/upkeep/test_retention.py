"""What is too old or too much goes, the oldest first."""

from __future__ import annotations

from tests.unit.tsdb.conftest import Small


def test_retention_deletes_the_oldest_blocks_by_time_and_by_size(tmp_path):
    small = Small(tmp_path, retention_ms=5_000)
    small.append(*((1, t, 1.0) for t in range(0, 10_000, 100)))
    small.database.upkeep.flush()
    assert small.database.upkeep.retain(10_000) == 4
    assert small.read()[1][0][0] == 4_000
    small.database.close()
    small.changes = {"retention_bytes": 1, "retention_ms": 0}
    small.open()
    small.database.upkeep.retain(10_000)
    assert len(small.database.blocks) == 0
    small.database.close()


def test_retention_by_size_deletes_only_the_oldest_beyond_and_counts_the_log(tmp_path):
    small = Small(tmp_path)
    small.append(*((1, t, 1.0) for t in range(0, 10_000, 100)))
    small.database.upkeep.flush()
    blocks = list(small.database.blocks)
    total = small.database.blocks.total_bytes + small.database.wal.total_bytes
    small.database.close()
    small.changes = {"retention_bytes": total}
    small.open()
    assert small.database.upkeep.retain(10_000) == 0
    small.database.close()
    small.changes = {"retention_bytes": total - 1}
    small.open()
    assert small.database.upkeep.retain(10_000) == 1
    assert [block.meta for block in small.database.blocks] == [each.meta for each in blocks[1:]]
    assert small.read()[1][0][0] == 1_000
    small.database.close()


def test_retention_keeps_a_block_until_its_newest_sample_is_too_old(tmp_path):
    small = Small(tmp_path, retention_ms=2_000)
    small.append(*((1, t, 1.0) for t in range(0, 4_000, 100)))
    small.database.upkeep.flush()
    assert small.database.upkeep.retain(900 + 2_000) == 0
    assert small.database.upkeep.retain(900 + 2_001) == 1
    assert small.database.upkeep.retain(10**9) == 0
    assert small.read()[1][0][0] == 1_000
    small.database.close()
