"""Every metric of the distribution service."""

from qvmon.model.metrics import counter, gauge, histogram

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)

ATTEMPTS = counter(
    "qvmon_distribution_attempts_total",
    "Attempts to deliver, by sink and what followed (succeed, retry, die).",
    "sink",
    "action",
)
ATTEMPT_SECONDS = histogram(
    "qvmon_distribution_attempt_seconds",
    "How long the sink took to answer or to fail.",
    _SECONDS,
    "sink",
)
DELIVERY_SECONDS = histogram(
    "qvmon_distribution_delivery_seconds",
    "From the moment the fact was recorded to the sink's receipt.",
    _SECONDS,
    "sink",
)
PENDING = gauge(
    "qvmon_distribution_pending_messages",
    "Messages read from the ledger and not finished.",
    "sink",
)
CIRCUIT_OPEN = gauge(
    "qvmon_distribution_circuit_open_state",
    "1 while the sink counts as away and is left alone, else 0.",
    "sink",
)
REPEATED = counter(
    "qvmon_distribution_possibly_repeated_total",
    "Messages delivered that may have arrived before.",
    "sink",
)
FAILURES = counter(
    "qvmon_distribution_failures_total",
    "Times a sink's queue could not go on for want of the ledger, by kind of error.",
    "sink",
    "kind",
)
