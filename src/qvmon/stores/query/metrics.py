"""What the query engine says about itself."""

from __future__ import annotations

from qvmon.model.metrics import counter, gauge, histogram

QUERIES = counter(
    "qvmon_query_queries_total", "Queries answered, by kind and outcome.", "kind", "outcome"
)
DURATION = histogram(
    "qvmon_query_duration_seconds",
    "Time from the arrival of a query to its answer, by stage.",
    (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0),
    "stage",
)
RUNNING = gauge("qvmon_query_running_queries", "Queries that are running.", "priority")
WAITING = gauge("qvmon_query_waiting_queries", "Queries that wait for a place.", "priority")
SHED = counter(
    "qvmon_query_shed_total", "Queries sent away because the queue was full.", "priority"
)
MEMORY = gauge("qvmon_query_memory_bytes", "What running queries hold, as they count it.")
INTERRUPTED = gauge(
    "qvmon_query_interrupted_queries",
    "Queries that were running when the process before this one ended without warning.",
)
CACHED_STEPS = counter(
    "qvmon_query_cached_steps_total",
    "Steps of range queries that may be cached: reused from an earlier answer, or computed.",
    "outcome",
)
CACHE_BYTES = gauge("qvmon_query_cache_bytes", "Results of range queries that are kept.")
SHARED = counter(
    "qvmon_query_shared_results_total",
    "Parts of rules' expressions whose result another rule due at the same time had computed.",
)
SAMPLES = counter("qvmon_query_samples_read_total", "Samples that queries have read.")
PLANS = counter(
    "qvmon_query_plans_total", "Plans asked for, by whether they were remembered.", "cache"
)
