"""What the API says about itself."""

from __future__ import annotations

from qvmon.model.metrics import counter, gauge, histogram

REQUEST_SECONDS = histogram(
    "qvmon_api_request_duration_seconds",
    "Time from a request's first byte to its answer's last, by route and status code.",
    (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    "handler",
    "method",
    "code",
)
REQUESTS_IN_FLIGHT = gauge("qvmon_api_requests_in_flight", "Requests being answered.")
INGESTED_SAMPLES = counter(
    "qvmon_api_remote_write_samples_total",
    "Samples that arrived by remote write, by what became of them.",
    "outcome",
)
EVENT_CLIENTS = gauge("qvmon_api_event_clients", "Clients that listen to events.")
EVENTS_MISSED = counter(
    "qvmon_api_events_missed_total", "Events that slow clients were told they missed."
)
