"""The series cache remembers exactly what a dictionary would."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.services.collection.series_cache import DROPPED, REFUSED, SeriesCache


def hashes(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def ids(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def scrape(cache: SeriesCache, *texts: int) -> tuple[list[int], list[int]]:
    """One scrape as collection does it: each text is its own id. Returns (returned, gone)."""
    wanted = hashes(*texts)
    found = cache.look_up(wanted)
    fresh = np.unique(wanted[found.rows < 0])
    if len(fresh):
        cache.learn(fresh, fresh.astype(np.int64))
    rows, returned = found.rows.copy(), found.returned.copy()
    again = cache.look_up(wanted[rows < 0])
    returned[rows < 0], rows[rows < 0] = again.returned, again.rows
    assert cache.ids(rows).tolist() == list(texts)
    gone = cache.finish(rows, good=True)
    return [t for t, r in zip(texts, returned, strict=True) if r], gone.tolist()


def test_what_was_never_seen_is_not_found() -> None:
    assert SeriesCache().look_up(hashes(0, 1, 2**64 - 1)).rows.tolist() == [-1, -1, -1]


def test_what_was_learnt_is_found() -> None:
    cache = SeriesCache()
    cache.learn(hashes(0, 64, 128, 2**64 - 1), ids(7, 8, DROPPED, REFUSED))
    found = cache.look_up(hashes(128, 0, 5, 64, 2**64 - 1))
    assert found.rows.tolist() == [2, 0, -1, 1, 3]
    assert cache.ids(found.rows[[0, 1]]).tolist() == [DROPPED, 7]


def test_a_repeat_in_one_scrape_is_noticed() -> None:
    cache = SeriesCache()
    cache.learn(hashes(1), ids(1))
    assert cache.look_up(hashes(1, 1, 2, 2)).repeated.tolist() == [False, True, False, False]


def test_a_failed_scrape_ends_everything_once() -> None:
    cache = SeriesCache()
    scrape(cache, 1, 2)
    assert cache.finish(ids(), good=False).tolist() == [1, 2]
    assert cache.finish(ids(), good=False).tolist() == []
    assert scrape(cache, 1, 2) == ([], [])


def test_old_series_are_forgotten_once_they_outnumber_the_living() -> None:
    cache = SeriesCache()
    for first in range(0, 20_000, 1000):
        scrape(cache, *range(first, first + 1000))
    assert len(cache) < 5000
    assert scrape(cache, *range(19_000, 20_000)) == ([], [])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 300), unique=True, max_size=200), min_size=1, max_size=30))
def test_it_agrees_with_sets(rounds: list[list[int]]) -> None:
    cache, previous = SeriesCache(), set()
    for texts in rounds:
        returned, gone = scrape(cache, *texts)
        assert set(returned) == set(texts) - previous
        assert set(gone) == previous - set(texts)
        previous = set(texts)
