"""Scrapes keep their place in the interval, whatever the clock does."""

from hypothesis import given
from hypothesis import strategies as st

from qvmon.services.collection.schedule import aligned, first_delay, next_planned

SECOND = 1_000_000_000
INTERVAL = 10 * SECOND


@given(st.integers(0, 2**62), st.integers(0, 2**64 - 1))
def test_the_first_scrape_is_within_one_interval_at_the_targets_place(
    now: int, spread: int
) -> None:
    delay = first_delay(now, INTERVAL, spread)
    assert 0 <= delay < INTERVAL
    assert (now + delay) % INTERVAL == spread % INTERVAL


def test_a_start_within_two_milliseconds_bears_the_planned_time() -> None:
    plan = 5 * INTERVAL
    assert aligned(plan + 1_999_999, plan, INTERVAL) == plan
    assert aligned(plan - 10_000, plan, INTERVAL) == plan
    assert aligned(plan + 2_000_001, plan, INTERVAL) == plan + 2_000_001


def test_the_tolerance_is_at_most_one_percent_of_the_interval() -> None:
    assert aligned(SECOND + 500_000, SECOND, SECOND // 20) == SECOND
    assert aligned(SECOND + 500_001, SECOND, SECOND // 20) == SECOND + 500_001


def test_the_next_scrape_is_one_interval_later() -> None:
    assert next_planned(INTERVAL, INTERVAL, INTERVAL) == 2 * INTERVAL
    assert next_planned(INTERVAL + SECOND, INTERVAL, INTERVAL) == 2 * INTERVAL


def test_missed_scrapes_are_left_out() -> None:
    assert next_planned(INTERVAL * 4 + SECOND, INTERVAL, INTERVAL) == INTERVAL * 5


def test_a_clock_set_back_by_hours_does_not_stop_scraping() -> None:
    plan = 1000 * INTERVAL
    assert next_planned(plan - 3600 * SECOND, plan, INTERVAL) == plan - 3600 * SECOND + INTERVAL


@given(st.integers(INTERVAL, 2**61), st.integers(-(2**60), 2**60))
def test_the_next_scrape_is_always_ahead_and_never_far(plan: int, drift: int) -> None:
    scraped = max(0, plan + drift)
    assert scraped < next_planned(scraped, plan, INTERVAL) <= scraped + INTERVAL
