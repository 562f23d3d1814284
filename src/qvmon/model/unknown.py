"""Unknown is not zero: the stretches of time about which nothing can be said, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from qvmon.model.labels import METRIC_NAME, Labels, Matcher, MatchOp

UNKNOWN_METRIC = "qv_unknown"
"""The metric as which rules read unknown intervals; nobody else can write it."""

REASON = "reason"

QVMON_DOWN = "qvmon_down"
"""The reason of what was missed while no qvmon ran here; its scope is everything."""


@dataclass(frozen=True, slots=True)
class UnknownInterval:
    """A stretch of time, ``start_ms <= t < end_ms``, in which a scope was not observed.

    Attributes:
        scope: Labels that every series concerned carries; without any it is everything.
        start_ms: The last moment that is known before it.
        end_ms: The first moment that is known after it; None while there is none.
        reason: A word such as ``scrape_timeout``.
    """

    scope: Labels
    start_ms: int
    end_ms: int | None
    reason: str

    def labels(self) -> Labels:
        """Return the labels of the series that shows this interval."""
        return self.scope.merged({METRIC_NAME: UNKNOWN_METRIC, REASON: self.reason})

    def overlaps(self, start_ms: int, end_ms: int) -> bool:
        """Return whether any moment of the interval lies between two, both included."""
        return self.start_ms <= end_ms and (self.end_ms is None or self.end_ms > start_ms)


class UnknownSource(Protocol):
    """Where unknown intervals are read: the embedded store, or a peer process."""

    async def unknown(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> list[UnknownInterval]:
        """Return the intervals that overlap a stretch and whose labels match any set.

        No set at all means every interval; they are ordered by start, then labels.
        """
        ...


def asks_for_unknown(matchers: Sequence[Matcher]) -> bool:
    """Return whether a selector names the metric of unknown intervals."""
    return any(
        each.name == METRIC_NAME and each.op is MatchOp.EQUAL and each.value == UNKNOWN_METRIC
        for each in matchers
    )


def matching_any(labels: Labels, matcher_sets: Sequence[tuple[Matcher, ...]]) -> bool:
    """Return whether ``labels`` satisfy every matcher of any set; of no set, all do."""
    return not matcher_sets or any(
        all(each.matches(labels.get(each.name, "")) for each in matchers)
        for matchers in matcher_sets
    )
