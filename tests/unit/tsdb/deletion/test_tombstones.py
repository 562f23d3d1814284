"""Deletion: gone for every read at once, for good, and only what was there before."""

from __future__ import annotations

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Matcher, MatchOp
from qvmon.tsdb.deletion import tombstones as tombstones_module
from qvmon.tsdb.deletion.tombstones import Tombstone, TombstoneBook, open_tombstones
from qvmon.tsdb.files.sealed import unsealed
from tests.unit.tsdb.conftest import Small, labels_of


def fill(small, *numbers, until=4_000):
    """Give each series a sample every 100 ms: first stretches in blocks, the rest in the head."""
    small.append(*((s, t, float(t)) for t in range(0, until, 100) for s in numbers))
    small.database.upkeep.flush()


def values_in_files(small):
    """Return the samples that stand in the files of blocks, whether they count or not."""
    found = []
    for file in small.database.paths.blocks.glob("*/samples.parquet"):
        series = pq.read_table(file.with_name("series.parquet")).select(["series", "base"])
        rows = pq.read_table(file).join(series, "series")
        found += pc.add(rows["base"], rows["mantissa"]).to_pylist()
    return sorted(found)


def test_deleted_samples_are_gone_from_head_and_blocks_also_after_a_restart(small):
    fill(small, 1, 2)
    small.delete(1, start=500, end=3_700)
    expected = [(t, float(t)) for t in range(0, 4_000, 100)]
    left = [pair for pair in expected if not 500 <= pair[0] <= 3_700]
    assert small.read() == {1: left, 2: expected}
    small.reopen()
    assert small.read() == {1: left, 2: expected}


def test_a_series_without_samples_left_is_not_listed(small):
    fill(small, 1, 2)
    small.delete(1)
    assert small.database.series([], 0, 10_000).all_labels() == [labels_of(2)]
    small.delete(2, start=0, end=1_500)
    assert small.database.series([], 0, 1_400).all_labels() == []
    assert small.database.series([], 0, 1_600).all_labels() == [labels_of(2)]


def test_a_deletion_of_all_time_may_say_so_with_any_numbers(small):
    fill(small, 1, 2)
    small.delete(1, start=-(2**70), end=2**70)
    small.reopen()
    assert list(small.read()) == [2]
    assert small.append((1, -(2**40), 1.0)).refused["too_old"].tolist() == [0]
    assert small.append((1, 3_000, 1.0)).accepted == 1


def test_a_deleted_stretch_of_the_head_can_be_filled_anew(small):
    small.append((1, 10, 1.0), (1, 20, 2.0), (1, 30, 3.0))
    small.delete(1, start=20, end=30)
    assert small.append((1, 20, 9.0), (1, 25, 9.5)).accepted == 2
    assert small.append((1, 15, 9.0)).refused["out_of_order"].tolist() == [0]
    for _ in range(2):
        assert small.read() == {1: [(10, 1.0), (20, 9.0), (25, 9.5)]}
        small.reopen()


def test_a_deleted_stretch_of_blocks_can_be_filled_with_late_samples(tmp_path):
    small = Small(tmp_path, out_of_order_window_ms=10**6)
    fill(small, 1)
    small.delete(1, start=0, end=950)
    small.append((1, 300, -1.0), (1, 301, -2.0))
    expected = [(300, -1.0), (301, -2.0)]
    assert small.read(0, 999) == {1: expected}
    small.append((1, 9_000, 1.0))
    small.database.upkeep.flush()
    assert small.read(0, 999) == {1: expected}
    while small.database.upkeep.compact():
        pass
    small.database.upkeep.clean_tombstones()
    small.reopen()
    assert small.read(0, 999) == {1: expected}
    small.database.close()


def test_merging_leaves_deleted_samples_behind(small):
    fill(small, 1, until=7_000)
    small.delete(1, start=0, end=4_000)
    assert small.database.upkeep.compact()
    assert not any(0 <= value <= 2_900 for value in values_in_files(small))
    small.database.upkeep.clean_tombstones()
    assert min(values_in_files(small)) == 4_100.0


def test_cleaning_rewrites_only_the_blocks_that_hold_something_deleted(small):
    fill(small, 1, 2)
    untouched = small.database.paths.block(1).directory.stat().st_ino
    small.delete(1, start=1_000, end=1_999)
    before = small.read()
    assert small.database.upkeep.clean_tombstones() == 1
    assert small.read() == before
    assert small.database.paths.block(1).directory.stat().st_ino == untouched
    assert [block.meta.samples for block in small.database.blocks] == [20, 10, 20]
    assert small.database.upkeep.clean_tombstones() == 0


def test_a_block_without_a_sample_left_goes_when_it_is_cleaned(small):
    fill(small, 1)
    blocks = len(small.database.blocks)
    small.delete(1, start=0, end=999)
    small.database.upkeep.clean_tombstones()
    assert len(small.database.blocks) == blocks - 1
    small.reopen()
    assert min(small.read()[1]) == (1_000, 1_000.0)


def test_a_deletion_is_forgotten_when_no_file_has_what_it_deleted(small):
    fill(small, 1)
    small.delete(1, start=0, end=1_500)
    assert len(small.database.deletions.entries) == 1
    small.append(*((1, t, 1.0) for t in range(4_000, 9_000, 100)))
    small.database.upkeep.flush()
    small.database.upkeep.clean_tombstones()
    assert small.database.deletions.entries == ()
    small.reopen()
    assert min(small.read()[1]) == (1_600, 1_600.0)


def test_new_files_are_not_taken_for_those_a_deletion_was_about(tmp_path):
    """Numbers of blocks and segments are not given again while a tombstone names them."""
    small = Small(tmp_path, retention_ms=2_000)
    fill(small, 1)
    small.delete(1, start=0, end=100_000)
    small.database.upkeep.retain(10**6)
    for path in small.database.paths.wal.iterdir():
        path.unlink()
    small.reopen()
    small.append(*((1, t, 5.0) for t in range(4_000, 9_000, 100)))
    small.database.upkeep.flush()
    small.reopen()
    assert len(small.read()[1]) == 50
    small.database.close()


def test_a_deletion_the_disk_refuses_deletes_nothing(small, monkeypatch):
    fill(small, 1)
    before = small.read()

    def fail(*_):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tombstones_module, "replace_file", fail)
        with pytest.raises(QvmonError, match="No space left") as caught:
            small.delete(1)
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert small.read() == before


def test_a_deletion_must_say_of_what_and_when(small):
    with pytest.raises(QvmonError, match="needs matchers"):
        small.database.delete([], 0, 1)
    with pytest.raises(QvmonError, match="needs matchers"):
        small.database.delete([(Matcher("a", MatchOp.EQUAL, "b"),)], 2, 1)


def test_a_file_of_tombstones_that_cannot_be_read_is_set_aside_and_named(small):
    fill(small, 1)
    small.delete(1)
    path = small.database.paths.tombstones
    small.database.close()
    path.write_bytes(b"{")
    small.open()
    (warning,) = small.database.recovery.warnings
    assert "tombstones.json" in warning
    assert "visible again" in warning
    assert (small.database.paths.quarantine / "tombstones.json").read_bytes() == b"{"
    assert len(small.read()[1]) == 40


def test_the_file_says_what_it_was_told(tmp_path):
    matchers = (Matcher("__name__", MatchOp.EQUAL, "up"), Matcher("job", MatchOp.NOT_REGEX, "a.*"))
    entry = Tombstone(matchers, -5, 10, 3, 7)
    book = TombstoneBook(tmp_path / "tombstones.json")
    book.add([entry])
    warnings: list[str] = []
    assert open_tombstones(tmp_path / "tombstones.json", tmp_path, warnings).entries == (entry,)
    assert warnings == []
    assert unsealed((tmp_path / "tombstones.json").read_bytes()) == {
        "version": 1,
        "tombstones": [
            {
                "matchers": [["__name__", "=", "up"], ["job", "!~", "a.*"]],
                "start_ms": -5,
                "end_ms": 10,
                "before_segment": 3,
                "through_block": 7,
            }
        ],
    }
