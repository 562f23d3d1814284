"""Exemplars: single observations, mostly with a trace id, that stand for a sample of a series."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from qvmon.model.labels import Labels, Matcher

LONGEST_LABELS = 128
"""Characters that names and values of an exemplar's labels may have together (OpenMetrics)."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation.

    Attributes:
        labels: What identifies it, such as ``trace_id``.
        value: What was observed.
        time_ms: When; where its source did not say, when it was scraped.
        timed: Whether its source said when.
    """

    labels: Labels
    value: float
    time_ms: int
    timed: bool = True


@dataclass(frozen=True, slots=True)
class SeriesExemplars:
    """The exemplars of one series, oldest first."""

    labels: Labels
    exemplars: Sequence[Exemplar]


class ExemplarSink(Protocol):
    """Where exemplars are kept."""

    def keep(self, exemplars: Iterable[tuple[bytes, Exemplar]]) -> None:
        """Remember exemplars, each with the canonical label bytes of its series.

        What repeats or precedes the newest of its series, or is too long, is counted and left out.
        """
        ...


class ExemplarSource(Protocol):
    """Where exemplars are read."""

    def exemplars(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> list[SeriesExemplars]:
        """Return the exemplars of an interval, of the series that match any set, in label order."""
        ...
