"""Every metric of the incidents service."""

from qvmon.model.metrics import counter, histogram

TRANSITIONS = counter(
    "qvmon_incidents_transitions_total",
    "Facts written about incidents, by type and by who did it (service or person).",
    "type",
    "by",
)
DETECTION = histogram(
    "qvmon_incidents_detection_seconds",
    "From the moment an alert's condition first held to the incident it opened.",
    (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900),
)
FAILURES = counter(
    "qvmon_incidents_failures_total",
    "Times the service could not go on and tried again, by kind of error.",
    "kind",
)
