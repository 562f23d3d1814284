"""Work side by side: all of it, in order, and none of it left behind."""

from __future__ import annotations

import threading

import pytest

from qvmon.model.threads import side_by_side, stretches


def test_results_come_in_the_order_of_the_items():
    assert side_by_side(lambda item: item * item, list(range(50))) == [i * i for i in range(50)]
    assert side_by_side(lambda item: item, []) == []


@pytest.mark.parametrize("failing", [0, 3])
def test_a_failure_is_raised_when_nothing_runs_any_more(failing):
    running, ended, lock = set(), set(), threading.Lock()

    def work(item: int) -> None:
        with lock:
            running.add(item)
        try:
            if item == failing:
                raise ValueError(item)
        finally:
            with lock:
                ended.add(item)

    with pytest.raises(ValueError, match=str(failing)):
        side_by_side(work, list(range(8)))
    assert running == ended == set(range(8))


@pytest.mark.parametrize("count", [0, 1, 511, 513, 5_000, 100_003])
def test_stretches_cover_everything_once(count):
    parts = stretches(count)
    assert [row for part in parts for row in part] == list(range(count))
    assert len(parts) == 1 or min(map(len, parts)) >= 512


def test_work_may_come_back_from_every_thread_at_once():
    """Each thread would wait for another one otherwise."""

    def outer(item: int) -> int:
        return sum(side_by_side(lambda inner: item * inner, list(range(20))))

    assert side_by_side(outer, list(range(20))) == [190 * item for item in range(20)]
