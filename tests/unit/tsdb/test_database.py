"""The database against an oracle of plain dictionaries, and its rules one by one."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.series import (
    STALE,
    STALE_BITS,
    DeferredColumns,
    SampleBatch,
    Selection,
    SeriesKeys,
)
from qvmon.tsdb import reading
from qvmon.tsdb.block import writer
from qvmon.tsdb.recovery import head_state
from qvmon.tsdb.snapshot import restore_snapshot
from tests.unit.tsdb.conftest import BLOCK, NOW, Small, labels_of
from tests.unit.tsdb.oracle import Oracle

ODD_VALUES = np.array([0.0, -0.0, 1.5, STALE, np.nan, np.inf, -1e300, 2.0**-1074])

samples = st.lists(
    st.tuples(st.integers(0, 3), st.integers(-500, 9_000), st.integers(0, len(ODD_VALUES) - 1)),
    max_size=60,
)
runs = st.builds(
    lambda series, start, step, count: [(series, start + i * step, i % 8) for i in range(count)],
    st.integers(0, 3),
    st.integers(0, 9_000),
    st.integers(1, 40),
    st.integers(1, 120),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("append"), samples),
        st.tuples(st.just("append"), runs),
        st.tuples(st.just("flush"), st.none()),
        st.tuples(st.just("compact"), st.none()),
        st.tuples(st.just("reopen"), st.none()),
        st.tuples(st.just("clean"), st.none()),
        st.tuples(st.just("retain"), st.none()),
        st.tuples(st.just("restore"), st.none()),
        st.tuples(
            st.just("delete"),
            st.tuples(
                st.sets(st.integers(0, 3), min_size=1),
                st.integers(-600, 9_000),
                st.one_of(st.integers(0, 300), st.integers(0, 9_000)),
            ),
        ),
        st.tuples(st.just("select"), st.tuples(st.integers(-600, 9_000), st.integers(0, 9_000))),
    ),
    min_size=4,
    max_size=30,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from([0, 700, 100_000]), st.sampled_from([0, 2_500]), steps)
def test_whatever_happens_it_holds_what_the_oracle_holds(window, retention, actions):
    """Appends (odd values, any order), deletions, flushes, merges, restarts: both agree.

    So they do after retention and in a restored copy. What is read at once is also what is read
    some series at a time.
    """
    now = 8_500
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as directory:
        patch.setattr(reading, "MANY", 1)
        small = Small(
            Path(directory) / "0",
            out_of_order_window_ms=window,
            future_tolerance_ms=100,
            retention_ms=retention,
        )
        oracle = Oracle(window, BLOCK, 100, retention)
        for number, (action, argument) in enumerate([*actions, ("select", (-600, 20_000))], 1):
            if action == "append":
                _append_to_both(small, oracle, argument, now)
            elif action == "flush":
                small.database.upkeep.flush()
                oracle.flush()
            elif action == "compact":
                while small.database.upkeep.compact():
                    pass
            elif action == "delete":
                chosen, start, length = argument
                small.delete(*chosen, start=start, end=start + length)
                oracle.delete(chosen, start, start + length)
            elif action == "clean":
                small.database.upkeep.clean_tombstones()
                assert not any(len(block.deleted) for block in small.database.blocks)
            elif action == "retain":
                small.database.upkeep.retain(now)
                oracle.retain(now, _as_bits(small.read()))
            elif action in {"reopen", "restore"}:
                if action == "restore":
                    copy = small.database.snapshot("copy")
                    small.directory = Path(directory) / str(number)
                    restore_snapshot(copy, small.directory)
                small.reopen()
                assert small.database.recovery.warnings == []
            else:
                start, length = argument
                found = small.read(start, start + length)
                assert _as_bits(found) == oracle.select(start, start + length)
                for at_once in (1, 2):
                    parts = small.read_in_parts(start, start + length, at_once)
                    assert _as_bits(parts) == _as_bits(found)
                listed = small.database.series([], start, start + length).all_labels()
                assert {labels_of(series) for series in found} <= set(listed)
        small.database.close()


def _append_to_both(small, oracle, rows, now):
    values = ODD_VALUES[[choice for _, _, choice in rows]] if rows else np.empty(0)
    bits = values.view(np.int64).tolist()
    expected, kept = {}, oracle.kept_from(now)
    for row, (series, time, _) in enumerate(rows):
        verdict = oracle.append(series, time, bits[row], now, kept)
        expected.setdefault(verdict, []).append(row)
    pairs = zip(rows, values, strict=True)
    result = small.append(*((s, t, value) for (s, t, _), value in pairs), now=now)
    assert result.accepted == len(expected.pop("accepted", []))
    assert {reason: found.tolist() for reason, found in result.refused.items()} == expected


def _as_bits(found):
    return {
        series: [(time, int(np.float64(value).view(np.int64))) for time, value in pairs]
        for series, pairs in found.items()
    }


def test_a_staleness_marker_survives_bit_for_bit_through_log_and_block(small):
    small.append((1, 0, STALE), (1, 2_000, 5.0))
    small.reopen()
    assert small.database.upkeep.flush() == 1
    marker = small.read()[1][0][1]
    assert np.float64(marker).view(np.uint64) == STALE_BITS


def test_a_repeat_is_accepted_and_another_value_at_the_same_time_refused(small):
    small.append((1, 10, 1.0), (1, 20, 2.0), (1, 30, 3.0))
    assert small.append((1, 20, 2.0), (1, 30, 3.0)).accepted == 2
    assert small.append((1, 20, 9.0)).refused["duplicate_timestamp"].tolist() == [0]
    assert small.append((1, 25, 9.0)).refused["out_of_order"].tolist() == [0]
    assert small.read() == {1: [(10, 1.0), (20, 2.0), (30, 3.0)]}


def test_a_sample_from_the_future_is_refused(small):
    late = NOW + small.database.options.future_tolerance_ms + 1
    result = small.append((1, late - 1, 1.0), (2, late, 1.0))
    assert result.accepted == 1
    assert result.refused["too_far_in_future"].tolist() == [1]


def test_series_over_the_limit_get_no_id_and_their_samples_are_refused(tmp_path):
    small = Small(tmp_path, max_series=2)
    keys = SeriesKeys.from_labels([labels_of(i) for i in range(4)])
    ids = small.database.series_ids(keys)
    assert ids.tolist() == [0, 1, -1, -1]
    batch = SampleBatch(ids, np.full(4, 10), np.ones(4))
    (result,) = small.database.append([batch], NOW)
    assert result.accepted == 2
    assert result.refused["series_limit"].tolist() == [2, 3]
    small.database.close()


def test_samples_of_any_age_are_taken_with_a_large_window(tmp_path):
    """Loading history into a store that has moved on: all there, in order, across flushes."""
    small = Small(tmp_path, out_of_order_window_ms=10**9)
    small.append(*((1, t, 1.0) for t in range(0, 10_000, 50)))
    small.database.upkeep.flush()
    history = [(2, t, float(t)) for t in range(9_950, -50_000, -50)]
    assert small.append(*history).accepted == len(history)
    expected = sorted((t, v) for _, t, v in history)
    assert small.read()[2] == expected
    small.append((1, 20_000, 1.0))
    small.database.upkeep.flush()
    assert small.database.head.late_count == 0
    assert small.read()[2] == expected
    small.reopen()
    assert small.read()[2] == expected
    small.database.close()


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


def test_series_lists_those_with_samples_in_the_interval(small):
    small.append((1, 0, 1.0), (2, 1_000, 1.0), (3, 5_000, 1.0))
    small.database.upkeep.flush()
    chosen = (Matcher("instance", MatchOp.NOT_EQUAL, "host-2"),)
    assert small.database.series([chosen], 0, 1_000).all_labels() == [labels_of(1)]
    assert len(small.database.series([], 0, 10_000)) == 3


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


def test_the_first_sample_of_a_series_is_not_taken_where_blocks_are(tmp_path):
    """As in Prometheus, a new series begins where the head does, or within the window."""
    for window, verdict in ((0, {"too_old"}), (2_000, set())):
        small = Small(tmp_path / str(window), out_of_order_window_ms=window)
        small.append(*((1, t, 1.0) for t in range(0, 4_000, 100)))
        small.database.upkeep.flush()
        for _ in range(2):
            assert set(small.append((2, 2_000, 1.0)).refused) == verdict
            assert set(small.append((3, 1_800, 1.0)).refused) == {"too_old"}
            assert small.append((4, 3_100, 1.0)).accepted == 1
            small.reopen()
        small.database.close()


def test_samples_older_than_retention_keeps_are_refused_in_a_fresh_store_too(tmp_path):
    small = Small(tmp_path, retention_ms=5_000)
    now = 20_000
    assert small.append((1, -(2**50), 1.0), now=now).accepted == 1
    small.append((1, 10_000, 1.0), now=now)
    result = small.append((2, 4_999, 1.0), (3, 5_000, 1.0), (4, 0, 1.0), now=now)
    assert {reason: rows.tolist() for reason, rows in result.refused.items()} == {"too_old": [0, 2]}
    assert small.read(0) == {1: [(10_000, 1.0)], 3: [(5_000, 1.0)]}
    small.append((1, 1_000_000, 1.0), now=10**6)
    assert small.append((4, 15_000, 1.0), now=now).accepted == 1
    small.database.close()


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


def test_a_refused_sample_changes_nothing_that_a_cache_holds(small):
    small.append((1, 5_000, 1.0))
    token = small.database.changes.token()
    small.append((1, 100, 1.0), (2, 6_000, 1.0))
    assert small.database.changes.oldest_since(token) == 6_000


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


def test_a_late_sample_after_a_restart_is_not_taken_for_one_flushed_before_it(tmp_path):
    """Segment numbers are never given twice, though the segments that had them are deleted."""
    small = Small(tmp_path, out_of_order_window_ms=100_000)
    small.append((1, 0, 1.0), (1, 1_500, 1.0))
    small.reopen()
    small.append((1, -1, 1.0))
    small.database.upkeep.flush()
    small.reopen()
    small.append((1, 1, 2.0))
    small.reopen()
    assert (1, 2.0) in small.read()[1]
    small.database.close()


def test_a_second_owner_is_refused(small):
    with pytest.raises(QvmonError, match="in use by another process") as caught:
        Small(small.directory)
    assert caught.value.kind is ErrorKind.CONFLICT


def test_queries_beside_appends_and_flushes_see_everything_acknowledged(small):
    """A reader never misses a sample acknowledged before it began, wherever it is just then."""
    acknowledged = [0]
    problems: list[str] = []
    done = threading.Event()

    def read():
        while not done.is_set():
            least = acknowledged[0]
            found = small.read().get(1, [])
            if [t for t, _ in found] != list(range(0, 10 * len(found), 10)) or len(found) < least:
                problems.append(f"{len(found)} samples, {least} acknowledged")

    def flush():
        while not done.is_set():
            small.database.upkeep.flush()
            small.database.upkeep.compact()

    threads = [threading.Thread(target=work) for work in (read, read, flush)]
    for thread in threads:
        thread.start()
    for first in range(0, 1_500, 5):
        small.append(*((1, 10 * i, float(i)) for i in range(first, first + 5)))
        acknowledged[0] = first + 5
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(small.database.blocks) > 0


def test_series_without_samples_are_forgotten_and_leave_room_for_others(tmp_path):
    """The limit is on series there are, not on those there ever were; ids are never given twice."""
    small = Small(tmp_path, max_series=5, retention_ms=2_000)
    for generation in range(3):
        start = 10_000 * generation
        numbers = range(4 * generation, 4 * generation + 4)
        rows = [(s, start + t, 1.0) for t in range(0, 4_000, 100) for s in numbers]
        assert small.append(*rows, (99, start + 9_000, 1.0)).accepted == len(rows) + 1
        small.database.upkeep.flush()
        assert small.database.upkeep.retain(start + 9_000) > 0
        assert small.database.index.live == 1
        assert small.read() == {99: [(start + 9_000, 1.0)]}
        assert small.database.series([], 0, 10**6).all_labels() == [labels_of(99)]
    assert len(small.database.index) == 13
    small.database.close()


def test_names_without_a_sample_take_nobodys_place(tmp_path):
    """As of a sender whose samples are all refused, each under another name."""
    small = Small(tmp_path, max_series=4, retention_ms=0)
    small.append((1, 1_000, 1.0))
    for number in (2, 3, 4):
        assert small.append((number, NOW * 2, 1.0)).accepted == 0
    assert small.append((5, 1_000, 1.0)).refused["series_limit"].tolist() == [0]
    small.database.upkeep.flush()
    assert small.database.index.live == 1
    assert small.append((5, 1_000, 1.0)).accepted == 1
    assert small.append((2, 1_000, 1.0)).accepted == 1
    assert small.read() == {number: [(1_000, 1.0)] for number in (1, 2, 5)}
    small.database.close()


def test_series_whose_last_sample_was_deleted_are_forgotten_with_the_next_flush(small):
    small.append((1, 0, 1.0), *((2, t, 1.0) for t in range(0, 2_000, 100)))
    small.delete(1)
    small.database.upkeep.flush()
    assert small.database.index.live == 1
    assert small.append((1, 1_900, 1.0)).accepted == 1
    assert small.read(1_900) == {1: [(1_900, 1.0)], 2: [(1_900, 1.0)]}


def test_a_series_is_not_forgotten_while_it_has_to_go_on_behind_a_deleted_sample(small):
    small.append((1, 1_800, 1.0), *((2, t, 1.0) for t in range(0, 2_000, 100)))
    small.delete(1, start=1_700, end=1_900)
    small.database.upkeep.flush()
    assert small.append((1, 1_600, 1.0)).refused["out_of_order"].tolist() == [0]
    small.append(*((2, t, 1.0) for t in range(2_000, 5_000, 100)))
    small.database.upkeep.flush()
    assert small.database.index.live == 1


def test_a_forgotten_series_comes_back_for_whoever_kept_its_id(tmp_path):
    small = Small(tmp_path, retention_ms=2_000)
    old = small.id(1)
    small.append(*((1, t, 1.0) for t in range(0, 1_000, 100)), (2, 9_000, 1.0))
    small.database.upkeep.flush()
    small.database.upkeep.retain(9_000)
    assert small.database.index.live == 1
    assert small.read() == {2: [(9_000, 1.0)]}
    batch = SampleBatch(np.array([old, small.id(2), -1]), np.full(3, 9_500), np.ones(3))
    (result,) = small.database.append([batch], NOW)
    assert result.accepted == 2
    assert result.refused["series_limit"].tolist() == [2]
    expected = {1: [(9_500, 1.0)], 2: [(9_000, 1.0), (9_500, 1.0)]}
    for _ in range(2):
        assert small.read() == expected
        assert set(small.database.series([], 0, 10**6).all_labels()) == {labels_of(1), labels_of(2)}
        small.reopen()
    small.database.close()


def test_series_of_one_metric_over_its_limit_are_refused_and_counted(tmp_path):
    small = Small(tmp_path, max_metric_series=2, metric_limits=(("many", 3), ("none", 0)))
    names = ["few", "few", "few", "many", "many", "many", "many", "none", "other", ""]
    labels = [Labels(__name__=name, n=str(n)) for n, name in enumerate(names)]
    keys = SeriesKeys.from_labels(labels)
    ids = small.database.series_ids(keys)
    assert (ids < 0).tolist() == [False, False, True, *[False] * 3, True, True, False, False]
    assert small.database.series_ids(keys).tolist() == ids.tolist()
    refused = {each.name: each.value for each in small.database.index.refused(10)}
    assert refused == {"few": 2, "many": 2, "none": 2}
    assert len(small.database.index.refused(1)) == 1
    small.database.close()


def test_what_is_stored_is_served_also_when_limits_were_lowered(tmp_path):
    small = Small(tmp_path)
    small.append(*((s, t, 1.0) for t in range(0, 2_000, 100) for s in range(5)))
    small.database.upkeep.flush()
    before = small.read()
    small.database.close()
    small.changes = {"max_series": 2, "max_metric_series": 1}
    small.open()
    assert small.read() == before
    assert small.append((9, 2_000, 1.0)).refused["series_limit"].tolist() == [0]
    assert small.append((1, 2_000, 1.0)).accepted == 1
    small.database.close()


def test_blocks_with_more_series_than_there_is_room_for_are_not_merged(tmp_path):
    """They would lose the samples of those that are not known."""
    small = Small(tmp_path)
    small.append(*((s, t, 1.0) for t in range(0, 4_000, 100) for s in range(12)))
    small.database.upkeep.flush()
    before = small.read()
    small.database.close()
    small.changes = {"max_series": 1}
    small.open()
    with pytest.raises(QvmonError, match="no room for all series") as caught:
        small.database.upkeep.compact()
    assert caught.value.kind is ErrorKind.EXHAUSTED
    small.database.close()
    small.changes = {}
    small.open()
    assert small.read() == before
    assert small.database.upkeep.compact()
    assert small.read() == before
    small.database.close()


def test_refusals_over_the_total_name_no_metric_that_was_never_there(tmp_path):
    small = Small(tmp_path, max_series=1)
    keys = SeriesKeys.from_labels([Labels(__name__=name) for name in ("a", "b", "c")])
    small.database.series_ids(keys)
    assert [(each.name, each.value) for each in small.database.index.refused(10)] == [("", 2)]
    small.database.close()


def test_samples_to_be_read_in_parts_are_those_of_the_moment_they_were_asked_for(
    small, monkeypatch
):
    """A flush meanwhile, appends, and a second look, take nothing away and add nothing."""
    monkeypatch.setattr(reading, "MANY", 1)
    small.append(*((0, time, float(time)) for time in range(600)))
    name = Matcher("__name__", MatchOp.EQUAL, "requests_total")
    found = small.database.select(Selection((name,), 0, 2**62), in_parts=True)
    assert isinstance(found, DeferredColumns)
    small.append(*((0, time, 0.0) for time in range(600, 4_000)))
    small.database.upkeep.flush()
    small.append(*((0, time, 1.0) for time in range(4_000, 5_000)))
    for _ in range(2):
        assert found.part(0, 1).timestamps.tolist() == list(range(600))
    assert found.values.tolist() == list(range(600))
    assert found.sizes.tolist() == [600]
