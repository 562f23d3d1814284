"""The series that Prometheus writes about each scrape: ``up`` and its companions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qvmon.model.labels import METRIC_NAME
from qvmon.model.ports import SampleSink
from qvmon.model.series import Int64s, MetricMetadata, SampleBatch, SeriesKeys
from qvmon.services.collection.target import Target
from qvmon.wire.prometheus_scrape import ScrapeConfig

_ALWAYS = (
    MetricMetadata(
        "up",
        "gauge",
        "Health of the scrape target. 1 means the target is healthy, 0 if the scrape failed.",
    ),
    MetricMetadata(
        "scrape_duration_seconds", "gauge", "Duration of the last scrape in seconds.", "seconds"
    ),
    MetricMetadata("scrape_samples_scraped", "gauge", "Number of samples last scraped."),
    MetricMetadata(
        "scrape_samples_post_metric_relabeling",
        "gauge",
        "Number of samples remaining after metric relabeling was applied.",
    ),
    MetricMetadata("scrape_series_added", "gauge", "Number of series in the last scrape."),
)
_EXTRA = (
    MetricMetadata(
        "scrape_timeout_seconds",
        "gauge",
        "The configured scrape timeout for a target.",
        "seconds",
    ),
    MetricMetadata(
        "scrape_sample_limit",
        "gauge",
        "The configured sample limit for a target. Returns zero if there is no limit configured.",
    ),
    MetricMetadata(
        "scrape_body_size_bytes",
        "gauge",
        "The uncompressed size of the last scrape response, if successful. Scrapes failing because "
        "body_size_limit is exceeded report -1, other scrape failures report 0.",
        "bytes",
    ),
)


@dataclass(frozen=True, slots=True)
class ScrapeReport:
    """What is said about one scrape."""

    up: bool
    duration_seconds: float
    scraped: int
    kept: int
    series_added: int
    body_bytes: int


class ReportSeries:
    """The report series of one target."""

    def __init__(self, target: Target, job: ScrapeConfig, sink: SampleSink) -> None:
        self._job = job
        self._timeout_seconds = target.timeout_ms / 1000
        metrics = _ALWAYS + (_EXTRA if job.extra_scrape_metrics else ())
        labels = [target.labels.merged({METRIC_NAME: each.name}) for each in metrics]
        self.ids = sink.series_ids(SeriesKeys.from_labels(labels))
        sink.describe(metrics)

    def samples(self, report: ScrapeReport, at_ms: int) -> SampleBatch:
        """Return the samples of one report."""
        values = [
            float(report.up),
            report.duration_seconds,
            report.scraped,
            report.kept,
            report.series_added,
            self._timeout_seconds,
            self._job.sample_limit,
            report.body_bytes,
        ]
        count = len(self.ids)
        times: Int64s = np.full(count, at_ms, np.int64)
        return SampleBatch(self.ids, times, np.array(values[:count], np.float64))
