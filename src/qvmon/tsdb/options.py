"""What a database is told once, when it is opened."""

from __future__ import annotations

from dataclasses import dataclass

from qvmon.tsdb.reserve import machine_bytes

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Options:
    """Limits and sizes of one database.

    Attributes:
        max_series: Series beyond this are refused.
        max_metric_series: Series of one metric beyond this are refused; 0 for no limit.
        metric_limits: The same for some metrics, as (name, limit); 0 refuses the metric.
        out_of_order_window_ms: How much older than the newest sample of all a sample that is not
            newer than its series may be; 0 refuses them all.
        future_tolerance_ms: How far a sample may be ahead of the clock.
        block_ms: The stretch of time of a block as it leaves the head.
        retention_ms: Blocks that are wholly older are deleted; 0 keeps them.
        retention_bytes: The oldest blocks are deleted while blocks and log have more bytes; 0 for
            no limit.
        segment_bytes: The size at which a segment of the write-ahead log is followed by another.
        cache_bytes: Decoded pages of blocks that are kept in memory.
        late_samples: Late samples that are flushed without waiting for a block to be due.
        head_bytes: Address space for the head's samples.
    """

    max_series: int = 2_000_000
    max_metric_series: int = 0
    metric_limits: tuple[tuple[str, int], ...] = ()
    out_of_order_window_ms: int = 0
    future_tolerance_ms: int = 600_000
    block_ms: int = 2 * HOUR_MS
    retention_ms: int = 15 * 24 * HOUR_MS
    retention_bytes: int = 0
    segment_bytes: int = 128 << 20
    cache_bytes: int = 256 << 20
    late_samples: int = 1_000_000
    head_bytes: int = machine_bytes()
