"""The series and samples every measurement uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qvmon.model.labels import Labels
from qvmon.model.series import Float64s, Int64s, SeriesKeys

SERVICES, VENUES, STRATEGIES, EXPOSED_BUCKETS = 50, 5, 10, 20
BOUNDS = ("0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.5", "1", "+Inf")
STEP_MS = 15_000

Slice = tuple[Int64s, Int64s, Float64s]
"""Rows of series, timestamps in milliseconds and values of some samples, row by row."""


@dataclass(frozen=True, slots=True)
class Workload:
    """How much of everything.

    Attributes:
        sent_series: Series in each remote-write request, with one sample each.
        sent_requests: How many such requests are measured.
        targets: How many targets are scraped each second.
        target_series: How many series each of them has.
        scrape_seconds: How long the scraping is watched.
        active_series: Series whose memory is measured.
        disk_series: Series of either kind whose bytes on disk are measured.
        disk_samples: How many samples each of them has.
        counters: Series with a history that queries read; likewise ``buckets`` and ``gauges``.
        history_hours: How long the history is, at a sample every 15 seconds.
        rules: How many recording rules and how many alerting rules are evaluated each second.
        repeats: How often each query is repeated.
        part_series: Series of the measurements inside this process.
        part_samples: How many samples each of them has.
    """

    sent_series: int = 20_000
    sent_requests: int = 80
    targets: int = 10
    target_series: int = 5_000
    scrape_seconds: float = 15.0
    active_series: int = 200_000
    disk_series: int = 1_000
    disk_samples: int = 2_880
    counters: int = 10_000
    buckets: int = 10_000
    gauges: int = 2_000
    history_hours: int = 6
    rules: int = 20
    repeats: int = 5
    part_series: int = 10_000
    part_samples: int = 200

    @classmethod
    def quick(cls) -> Workload:
        """Return a small one, to see that everything works."""
        return cls(
            sent_series=1000,
            sent_requests=10,
            targets=2,
            target_series=500,
            scrape_seconds=4,
            active_series=5000,
            disk_series=100,
            disk_samples=960,
            counters=500,
            buckets=500,
            gauges=100,
            history_hours=1,
            rules=5,
            repeats=3,
            part_series=1000,
            part_samples=60,
        )


def exposition(series: int, turn: int) -> bytes:
    """Return what a target exposes at its ``turn``-th scrape: histograms of order latencies."""
    lines = ["# TYPE bench_order_to_ack_seconds histogram"]
    for row in range(series):
        bucket, rest = row % EXPOSED_BUCKETS, row // EXPOSED_BUCKETS
        venue, strategy = rest % VENUES, rest // VENUES % STRATEGIES
        lines.append(
            f'bench_order_to_ack_seconds_bucket{{venue="venue-{venue}",'
            f'strategy="strategy-{strategy}",desk="desk-{rest // (VENUES * STRATEGIES)}",'
            f'le="0.{bucket:03}"}} {1000 * turn + 17 * row + turn * bucket}'
        )
    return ("\n".join(lines) + "\n").encode()


def counter_keys(count: int, name: str = "bench_orders_total") -> SeriesKeys:
    """Return ``count`` series called ``name`` of 50 services."""
    return SeriesKeys.from_labels(
        Labels(
            __name__=name,
            service=f"service-{row % SERVICES}",
            instance=f"10.0.{row // SERVICES % 256}.{row // SERVICES // 256}:9100",
            venue=f"venue-{row % VENUES}",
            account=f"account-{row:06}",
            job="bench",
        )
        for row in range(count)
    )


def bucket_keys(count: int) -> SeriesKeys:
    """Return the ``count`` buckets of histograms of 50 services."""
    wide = len(BOUNDS)
    return SeriesKeys.from_labels(
        Labels(
            __name__="bench_ack_seconds_bucket",
            service=f"service-{row // wide % SERVICES}",
            instance=f"instance-{row // wide // SERVICES}",
            le=BOUNDS[row % wide],
            job="bench",
        )
        for row in range(count)
    )


def counted(rng: np.random.Generator, series: int, samples: int) -> Float64s:
    """Return float64[series, samples]: what counters of that many events add, now and then none."""
    rate = rng.choice([0.0, 0.3, 5.0, 80.0], size=(series, 1), p=[0.1, 0.3, 0.4, 0.2])
    return np.cumsum(rng.poisson(rate, (series, samples)), axis=1).astype(np.float64)


def walked(rng: np.random.Generator, series: int, samples: int) -> Float64s:
    """Return float64[series, samples]: walks rounded to three decimals."""
    begin = rng.uniform(10, 1000, (series, 1))
    steps = rng.normal(0, 0.05 * np.sqrt(begin), (series, samples))
    return np.round(begin + np.cumsum(steps, axis=1), 3)


def accumulated(rng: np.random.Generator, series: int, samples: int) -> Float64s:
    """Return float64[series, samples]: what buckets of histograms add, each with those below."""
    wide = len(BOUNDS)
    added = rng.poisson(0.8, (series // wide, wide, samples))
    return np.cumsum(np.cumsum(added, axis=1), axis=2).reshape(series, samples).astype(np.float64)


@dataclass(frozen=True, slots=True)
class History:
    """What the queries read.

    Attributes:
        keys: Counters, then buckets, then gauges.
        end_ms: The time of the last samples, in whole minutes.
        slices: Ten minutes each, in order of time.
    """

    keys: SeriesKeys
    end_ms: int
    slices: Iterator[Slice]


def history(workload: Workload, end_ms: int) -> History:
    """Return counters, buckets and gauges sampled every 15 seconds."""
    named = [
        counter_keys(workload.counters),
        bucket_keys(workload.buckets),
        counter_keys(workload.gauges, "bench_queue_depth"),
    ]
    keys = SeriesKeys.from_bytes([each.key(row) for each in named for row in range(len(each))])
    end = end_ms // 60_000 * 60_000
    return History(keys, end, _slices(workload, end))


def _slices(workload: Workload, end_ms: int) -> Iterator[Slice]:
    rng, step = np.random.default_rng(7), 600_000 // STEP_MS
    counts = workload.counters, workload.buckets, workload.gauges
    before = np.zeros((sum(counts[:2]), 1))
    for at in range(workload.history_hours * 6):
        begin = end_ms - (workload.history_hours * 6 - at) * 600_000 + STEP_MS
        grown = before + np.concatenate(
            [counted(rng, counts[0], step), accumulated(rng, counts[1], step)]
        )
        before = grown[:, -1:]
        yield columns(np.concatenate([grown, walked(rng, counts[2], step)]), begin)


def columns(values: Float64s, begin_ms: int, step_ms: int = STEP_MS) -> Slice:
    """Return float64[series, samples] as rows, timestamps and values."""
    series, samples = values.shape
    rows = np.repeat(np.arange(series), samples)
    times = np.tile(begin_ms + np.arange(samples) * step_ms, series)
    return rows, times, np.ascontiguousarray(values).ravel()
