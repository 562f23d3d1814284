"""Settings of the telemetry store."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from qvmon.tsdb.options import Options

_DAY = 86_400


class TelemetryConfig(BaseModel):
    """How much is kept, how it is cut, and what is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retention_seconds: float = Field(15 * _DAY, ge=0, description="Blocks older go; 0 keeps all.")
    retention_bytes: int = Field(
        0, ge=0, description="The oldest blocks beyond, the log counted, go; 0: no limit."
    )
    out_of_order_window_seconds: float = Field(
        0,
        ge=0,
        description="How late a sample may be behind the newest of all; 0 refuses late ones.",
    )
    future_tolerance_seconds: float = Field(600, ge=0, description="How far ahead a sample may be.")
    max_series: int = Field(2_000_000, ge=1, description="Series beyond are refused.")
    max_series_per_metric: int = Field(
        0, ge=0, description="Series of one metric beyond are refused; 0 for no limit."
    )
    metric_series_limits: dict[str, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict, description="The same for some metrics; 0 refuses the metric."
    )
    block_seconds: float = Field(7200, gt=0, description="The stretch of time of a new block.")
    segment_bytes: int = Field(128 << 20, ge=1 << 10, description="Size of a log segment.")
    cache_bytes: int = Field(256 << 20, ge=0, description="Decoded pages kept in memory.")
    max_pending_samples: int = Field(
        8_000_000, ge=1, description="Samples that may wait to become durable; more are refused."
    )
    max_unknown_intervals: int = Field(
        100_000, ge=1, description="Unknown intervals kept; the oldest beyond go first."
    )
    max_exemplars: int = Field(
        100_000, ge=0, description="Exemplars kept in memory, of all series; 0 keeps none."
    )
    open_within_seconds: float = Field(
        0, ge=0, description="How long a start waits for replay before samples are taken."
    )
    upkeep_interval_seconds: float = Field(
        15, gt=0, description="How often flush, compaction and retention are looked at."
    )
    query_threads: int = Field(4, ge=1, description="Selections that run at once.")

    def options(self) -> Options:
        """Return the engine's options."""
        return Options(
            max_series=self.max_series,
            max_metric_series=self.max_series_per_metric,
            metric_limits=tuple(self.metric_series_limits.items()),
            out_of_order_window_ms=int(self.out_of_order_window_seconds * 1000),
            future_tolerance_ms=int(self.future_tolerance_seconds * 1000),
            block_ms=int(self.block_seconds * 1000),
            retention_ms=int(self.retention_seconds * 1000),
            retention_bytes=self.retention_bytes,
            segment_bytes=self.segment_bytes,
            cache_bytes=self.cache_bytes,
        )
