"""The series and samples every measurement uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qvmon.model.labels import Labels
from qvmon.model.series import Float64s, Int64s, SeriesKeys

VENUES, STRATEGIES, BUCKETS = 5, 10, 20


@dataclass(frozen=True, slots=True)
class Workload:
    """How much of everything.

    Attributes:
        targets: How many targets are scraped.
        series_per_target: How many series each of them has.
        history_series: How many series have a history (within the hour that Prometheus takes).
        history_samples: How many samples each of them has.
        history_step_ms: How far apart they are.
        scrape_seconds: How long the scraping is watched.
        rules: How many recording rules and how many alerting rules are evaluated each second.
        queries: How often each query is repeated.
    """

    targets: int = 10
    series_per_target: int = 2000
    history_series: int = 10_000
    history_samples: int = 200
    history_step_ms: int = 15_000
    scrape_seconds: float = 20.0
    rules: int = 20
    queries: int = 7

    @classmethod
    def quick(cls) -> Workload:
        """Return a small one, to see that everything works."""
        return cls(
            targets=2, history_series=1000, history_samples=60, scrape_seconds=5, rules=5, queries=3
        )


def exposition(target: int, series: int, turn: int) -> bytes:
    """Return what a target exposes at its ``turn``-th scrape: histograms of order latencies."""
    lines = ["# TYPE bench_order_to_ack_seconds histogram"]
    for row in range(series):
        bucket, rest = row % BUCKETS, row // BUCKETS
        venue, strategy = rest % VENUES, rest // VENUES % STRATEGIES
        lines.append(
            f'bench_order_to_ack_seconds_bucket{{venue="venue-{venue}",'
            f'strategy="strategy-{strategy}",desk="desk-{rest // (VENUES * STRATEGIES)}",'
            f'target="{target}",le="0.{bucket:03}"}} {1000 * turn + 17 * row + turn * bucket}'
        )
    return ("\n".join(lines) + "\n").encode()


def history_keys(workload: Workload) -> SeriesKeys:
    """Return the series that have a history."""
    return SeriesKeys.from_labels(
        Labels(
            __name__="bench_orders_total",
            venue=f"venue-{row % VENUES}",
            strategy=f"strategy-{row // VENUES % STRATEGIES}",
            account=f"account-{row:06}",
            job="history",
        )
        for row in range(workload.history_series)
    )


def history(
    workload: Workload, end_ms: int, slices: int
) -> Iterator[tuple[Int64s, Int64s, Float64s]]:
    """Yield the history in order of time, as rows, timestamps and values."""
    span = workload.history_samples * workload.history_step_ms
    offsets = np.arange(workload.history_series) * 7 % workload.history_step_ms
    rows = np.arange(workload.history_series)
    for numbers in np.array_split(np.arange(workload.history_samples), slices):
        when = end_ms - span + numbers[None, :] * workload.history_step_ms + offsets[:, None]
        value = numbers[None, :] * (rows[:, None] % 13 + 1.5)
        yield np.repeat(rows, len(numbers)), when.ravel(), value.ravel().astype(np.float64)
