"""When a target is scraped, and which time its samples bear. Pure; nanoseconds throughout.

Source: Prometheus, scrape/target.go (offset) and scrape/scrape.go (aligned timestamps).
"""

from __future__ import annotations

_TOLERANCE_NS = 2_000_000


def first_delay(now: int, interval: int, spread: int) -> int:
    """Return how long to wait for a target's next place in its interval.

    The place depends on ``spread`` and on wall time alone, so that a restart keeps it.
    """
    return (spread % interval - now) % interval


def aligned(now: int, planned: int, interval: int) -> int:
    """Return the time that a scrape started at ``now`` bears: ``planned`` if that is near enough.

    Timestamps at exact multiples compress far better than ones that jitter by a millisecond.
    """
    tolerance = min(interval // 100, _TOLERANCE_NS)
    return planned if abs(now - planned) <= tolerance else now


def next_planned(scraped: int, planned: int, interval: int) -> int:
    """Return the first planned time after ``scraped``, an aligned time; missed ones are left out.

    A wall clock that was set back by more than an interval starts a new row of times.
    """
    if scraped + interval < planned:
        return scraped + interval
    return planned + ((scraped - planned) // interval + 1) * interval
