"""Series without a sample leave the index."""

from __future__ import annotations

import numpy as np

from qvmon.model.series import (
    SampleBatch,
)
from tests.unit.tsdb.conftest import NOW, Small, labels_of


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
