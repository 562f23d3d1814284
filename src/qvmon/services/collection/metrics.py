"""What collection says about itself."""

from __future__ import annotations

from qvmon.model.metrics import counter, gauge, histogram

SCRAPES = counter(
    "qvmon_collection_scrapes_total",
    "Scrapes by their job and outcome (up or down).",
    "scrape_job",
    "outcome",
)
SCRAPE_DURATION = histogram(
    "qvmon_collection_scrape_duration_seconds",
    "Time from the start of a scrape until its samples are durable.",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
SCRAPE_LATENESS = histogram(
    "qvmon_collection_scrape_lateness_seconds",
    "How late scrapes start.",
    (0.001, 0.002, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0),
)
SAMPLES = counter("qvmon_collection_samples_total", "Samples made durable, by way in.", "source")
REFUSED_SAMPLES = counter(
    "qvmon_collection_samples_refused_total",
    "Samples refused, by reason and by who sent them: a scrape job, a remote writer's name or its "
    "address.",
    "reason",
    "sender",
)
UNSTORED_PARTS = counter(
    "qvmon_collection_write_parts_unstored_total",
    "Parts of remote writes that are not stored (damaged exemplars, native histograms).",
    "part",
)
MALFORMED_EXEMPLARS = counter(
    "qvmon_collection_exemplars_malformed_total", "Exemplars of pages that could not be read."
)
LIMITED_SCRAPES = counter(
    "qvmon_collection_scrapes_limited_total",
    "Scrapes that failed because of a limit.",
    "scrape_job",
)
STALE_MARKERS = counter(
    "qvmon_collection_stale_markers_total", "Markers written for series that ended."
)
DEFECTS = counter(
    "qvmon_collection_defects_total",
    "Scrapes and refreshes that failed by a defect of qvmon itself.",
)
TARGETS = gauge("qvmon_collection_targets", "Targets being scraped.", "scrape_job")
DROPPED_TARGETS = gauge(
    "qvmon_collection_targets_dropped", "Discovered targets that relabelling dropped.", "scrape_job"
)
REFUSED_TARGETS = gauge(
    "qvmon_collection_targets_refused", "Discovered targets that make no sense.", "scrape_job"
)
UNREADABLE_FILES = gauge(
    "qvmon_collection_discovery_files_unreadable", "Target lists that cannot be used.", "scrape_job"
)
