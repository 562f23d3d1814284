"""Samples that come before the log is replayed."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Matcher, MatchOp
from qvmon.tsdb.database import Database
from qvmon.tsdb.recovery import early
from tests.unit.tsdb.conftest import NOW, Small, options

REQUESTS = ((Matcher("__name__", MatchOp.EQUAL, "requests_total"),),)


@pytest.fixture
def restarted(tmp_path):
    """A database with samples at 0, 10, ... 90 of series 1 that is open and not replayed."""
    small = Small(tmp_path)
    small.append(*((1, t, 1.0) for t in range(0, 100, 10)))
    _restart(small)
    yield small
    small.database.close()


def _restart(small: Small) -> None:
    small.database.close()
    small.database = Database(small.directory, options(**small.changes), replay=False)
    assert small.database.replaying


def test_they_follow_what_was_replayed(restarted):
    restarted.append((1, 100, 2.0), (2, 50, 3.0))
    restarted.database.replay()
    assert not restarted.database.replaying
    expected = {1: [*((t, 1.0) for t in range(0, 100, 10)), (100, 2.0)], 2: [(50, 3.0)]}
    assert restarted.read() == expected
    restarted.reopen()
    assert restarted.read() == expected
    assert restarted.database.recovery.warnings == []


def test_they_are_durable_before_the_replay(restarted):
    restarted.append((1, 100, 2.0))
    restarted.reopen()
    assert restarted.read()[1][-1] == (100, 2.0)


def test_one_that_turns_out_late_was_acknowledged_and_is_kept(restarted):
    """The window is 0: after the replay the same sample would have been refused."""
    assert restarted.append((1, 55, 7.0)).accepted == 1
    restarted.database.replay()
    assert (55, 7.0) in restarted.read()[1]
    assert list(restarted.append((1, 56, 7.0)).refused) == ["out_of_order"]
    restarted.append(*((2, t, 0.0) for t in range(100, 4_000, 100)))
    assert restarted.database.upkeep.flush() > 0
    restarted.reopen()
    assert (55, 7.0) in restarted.read()[1]


def test_another_value_at_a_time_that_is_stored_is_dropped_with_a_warning(restarted):
    assert restarted.append((1, 50, 7.0), (1, 60, 1.0)).accepted == 2
    restarted.database.replay()
    assert restarted.read()[1] == [(t, 1.0) for t in range(0, 100, 10)]
    (warning,) = restarted.database.recovery.warnings
    assert "1 samples came during replay with another value" in warning


def test_what_is_known_to_be_wrong_is_refused_at_once(tmp_path):
    small = Small(tmp_path)
    small.append(*((1, t, 1.0) for t in range(0, 4_000, 100)))
    small.database.upkeep.flush()
    _restart(small)
    result = small.append((1, 10, 1.0), (1, 5_000, 1.0), (1, NOW + 10**9, 1.0))
    assert {reason: rows.tolist() for reason, rows in result.refused.items()} == {
        "too_old": [0],
        "too_far_in_future": [2],
    }
    small.database.replay()
    assert len(small.read()[1]) == 41
    small.database.close()


def test_too_many_are_refused_until_the_replay_ends(restarted, monkeypatch):
    monkeypatch.setattr(early, "_MOST_WAITING", 3)
    restarted.append((1, 100, 1.0), (1, 101, 1.0))
    with pytest.raises(QvmonError) as caught:
        restarted.append((1, 102, 1.0), (1, 103, 1.0))
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    restarted.database.replay()
    assert restarted.append((1, 102, 1.0), (1, 103, 1.0)).accepted == 2


def test_queries_deletions_and_flushes_wait_for_the_replay(restarted):
    found = []
    waiting = [
        threading.Thread(target=lambda: found.append(restarted.read())),
        threading.Thread(target=restarted.database.upkeep.flush),
        threading.Thread(target=restarted.database.delete, args=(REQUESTS, 0, 0)),
    ]
    for thread in waiting:
        thread.start()
    restarted.append((1, 100, 2.0))
    assert found == []
    assert all(thread.is_alive() for thread in waiting)
    restarted.database.replay()
    for thread in waiting:
        thread.join()
    assert found[0][1][-1] == (100, 2.0)
    assert restarted.read()[1][0] == (10, 1.0)


def test_a_replay_that_fails_stops_upkeep_and_queries_and_loses_nothing(restarted, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("qvmon.tsdb.recovery.replay.Replay.segment", _fail)
        with pytest.raises(MemoryError):
            restarted.database.replay()
        for work in (
            restarted.read,
            restarted.database.upkeep.flush,
            restarted.database.upkeep.compact,
        ):
            with pytest.raises(QvmonError, match="could not be read back"):
                work()
        restarted.append((1, 100, 2.0))
    restarted.reopen()
    assert len(restarted.read()[1]) == 11


def _fail(*_: object) -> None:
    raise MemoryError


rows = st.lists(st.tuples(st.integers(1, 2), st.integers(0, 3_000)), min_size=1, max_size=30)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(rows, st.sampled_from(["restart", "replay", "flush", "go on"])), max_size=8)
)
def test_every_acknowledged_sample_is_there_however_starts_and_appends_mix(tmp_path_factory, steps):
    small = Small(tmp_path_factory.mktemp("mix"))
    expected: dict[int, set[int]] = {1: set(), 2: set()}
    for batch, then in steps:
        result = small.append(*((series, time, float(time)) for series, time in batch))
        refused = {row for rows in result.refused.values() for row in rows.tolist()}
        for row, (series, time) in enumerate(batch):
            if row not in refused:
                expected[series].add(time)
        if then != "go on" and small.database.replaying:
            small.database.replay()
        if then == "restart":
            _restart(small)
        elif then == "flush":
            small.database.upkeep.flush()
    small.reopen()
    found = {series: {time for time, _ in samples} for series, samples in small.read().items()}
    assert found == {series: times for series, times in expected.items() if times}
    small.database.close()
