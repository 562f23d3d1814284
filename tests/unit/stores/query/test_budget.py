"""A query costs what it may, and stops when nobody waits for it."""

from __future__ import annotations

import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.stores.query.budget import SAMPLE_BYTES, Budget, MemoryPool
from qvmon.stores.query.config import QueryConfig
from qvmon.stores.query.limits import Bounds, QueryLimits, bounds

WIDE = Bounds(samples=10**6, series=10**6, bytes=10**9, seconds=10)


@pytest.mark.parametrize(
    ("limits", "series", "samples", "message"),
    [
        (Bounds(100, 10**6, 10**9, 1), 1, 126, r"126 samples, and at most 100 .*max_samples"),
        (Bounds(10**6, 4, 10**9, 1), 6, 6, r"6 series, and at most 4 .*max_series"),
        (Bounds(10**6, 10**6, 100, 1), 1, 10, r"160 bytes, and at most 100 .*max_bytes"),
    ],
)
def test_too_much_is_refused_before_it_is_read(
    limits: Bounds, series: int, samples: int, message: str
) -> None:
    """The message says which limit, how much was asked, and what is allowed."""
    with pytest.raises(QvmonError, match=message) as caught:
        Budget(limits, MemoryPool(10**9), never_refused=False).reading(series, samples)
    assert caught.value.kind is ErrorKind.EXHAUSTED


def test_an_estimate_a_little_over_a_limit_is_read_and_then_judged() -> None:
    budget = Budget(Bounds(100, 10, 10**9, 1), MemoryPool(10**9), never_refused=False)
    budget.reading(1, 110)
    budget.has_read(1, 100, 0)
    with pytest.raises(QvmonError):
        budget.has_read(1, 101, 0)
    with pytest.raises(QvmonError, match="values at every step"):
        budget.has_read(1, 1, 101)


def test_a_caller_may_lower_a_limit_and_not_raise_it() -> None:
    config = QueryConfig(max_samples=10, max_series=10, max_bytes=10, timeout_seconds=10)
    assert bounds(config, QueryLimits()) == Bounds(10, 10, 10, 10)
    assert bounds(config, QueryLimits(20, 20, 20, 20)) == Bounds(10, 10, 10, 10)
    assert bounds(config, QueryLimits(5, 4, 3, 2)) == Bounds(5, 4, 3, 2)
    assert QueryLimits(seconds=3).within(2).seconds == QueryLimits(seconds=2).within(3).seconds == 2


def test_memory_is_shared_and_rules_are_never_refused() -> None:
    pool = MemoryPool(100 * SAMPLE_BYTES)
    first = Budget(WIDE, pool, never_refused=False)
    first.reading(1, 90)
    second = Budget(WIDE, pool, never_refused=False)
    with pytest.raises(QvmonError, match="max_total_bytes"):
        second.reading(1, 11)
    rule = Budget(WIDE, pool, never_refused=True)
    rule.reading(1, 50)
    first.release()
    rule.release()
    second.reading(1, 10)
    second.release()
    assert pool.taken == 0


def test_work_that_nobody_waits_for_ends_and_then_says_so() -> None:
    budget, ended = Budget(WIDE, MemoryPool(1), never_refused=False), []
    with pytest.raises(QvmonError) as caught, budget.at_work():  # noqa: PT012 - in between
        budget.check()
        assert not budget.end(lambda: ended.append("last thread"))
        assert not ended
        budget.check()
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert ended == ["last thread"]
    assert budget.end(lambda: ended.append("never"))
