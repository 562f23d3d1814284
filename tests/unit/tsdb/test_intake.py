"""Which samples are taken, and which are refused for what."""

from __future__ import annotations

from tests.unit.tsdb.conftest import NOW, Small


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


def test_a_refused_sample_changes_nothing_that_a_cache_holds(small):
    small.append((1, 5_000, 1.0))
    token = small.database.changes.token()
    small.append((1, 100, 1.0), (2, 6_000, 1.0))
    assert small.database.changes.oldest_since(token) == 6_000


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
