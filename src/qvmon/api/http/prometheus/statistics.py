"""What a query cost, as ``stats=true`` and ``stats=all`` tell it.

Source: Prometheus util/stats/query_stats.go.
"""

from __future__ import annotations

from typing import Any

import msgspec

from qvmon.stores.query.statistics import QueryStatistics

_BASIC, ALL = "true", "all"


def statistics_wanted(asked: str) -> QueryStatistics | None:
    """Return what a query shall fill in for the parameter ``stats``; None for nothing."""
    return QueryStatistics(per_step=asked == ALL) if asked else None


def statistics_warnings(asked: str) -> list[str]:
    """Return what is wrong with the parameter ``stats``."""
    if asked in ("", _BASIC, ALL):
        return []
    warning = (
        f'value "{asked}" for parameter "stats" is deprecated and will be rejected in the next'
        f' major release, use "{_BASIC}" or "{ALL}"'
    )
    return [warning]


def render_statistics(statistics: QueryStatistics) -> bytes:
    """Return the object ``stats`` of an answer."""
    return msgspec.json.encode({"timings": _timings(statistics), "samples": _samples(statistics)})


def _timings(statistics: QueryStatistics) -> dict[str, float]:
    return {
        "evalTotalTime": statistics.eval_total,
        "resultSortTime": statistics.result_sort,
        "queryPreparationTime": statistics.query_preparation,
        "innerEvalTime": statistics.inner_eval,
        "execQueueTime": statistics.exec_queue,
        "execTotalTime": statistics.exec_total,
    }


def _samples(statistics: QueryStatistics) -> dict[str, Any]:
    counted: dict[str, Any] = {
        "totalQueryableSamples": statistics.total_queryable,
        "samplesRead": statistics.read,
        "seriesTouched": statistics.series,
        "peakSamples": statistics.peak,
    }
    if not statistics.samples_per_step:
        return counted
    return counted | {
        "totalQueryableSamplesPerStep": _steps(statistics.samples_per_step),
        "samplesReadPerStep": _steps(statistics.read_per_step),
    }


def _steps(counts: list[tuple[int, int]]) -> list[list[float]]:
    return [[milliseconds / 1000, count] for milliseconds, count in counts]
