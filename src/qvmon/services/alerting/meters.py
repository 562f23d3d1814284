"""The live instruments of the alerting service."""

from __future__ import annotations

from qvmon.model.metrics import Registry
from qvmon.services.alerting import metrics


class Meters:
    """Every family of ``metrics``, taken from one registry."""

    def __init__(self, registry: Registry) -> None:
        self.evaluations = registry.family(metrics.EVALUATIONS)
        self.failures = registry.family(metrics.FAILURES)
        self.evaluation_seconds = registry.distribution(metrics.EVALUATION_SECONDS)
        self.group_seconds = registry.family(metrics.GROUP_SECONDS)
        self.group_last_evaluation = registry.family(metrics.GROUP_LAST_EVALUATION)
        self.missed_ticks = registry.family(metrics.MISSED_TICKS)
        self.refused_samples = registry.family(metrics.REFUSED_SAMPLES)
        self.transitions = registry.family(metrics.TRANSITIONS)
        self.active = registry.family(metrics.ACTIVE)
        self.held = registry.value(metrics.HELD)
        self.template_failures = registry.value(metrics.TEMPLATE_FAILURES)
        self.event_to_decided = registry.distribution(metrics.EVENT_TO_DECIDED)
        self.decided_to_recorded = registry.distribution(metrics.DECIDED_TO_RECORDED)
        self.recorded_to_routed = registry.distribution(metrics.RECORDED_TO_ROUTED)
        self.routed_to_queued = registry.distribution(metrics.ROUTED_TO_QUEUED)
        self.notifications = registry.family(metrics.NOTIFICATIONS)
        self.obligations = registry.family(metrics.OBLIGATIONS)
        self.unaccounted = registry.value(metrics.UNACCOUNTED)
        self.ledger_failures = registry.family(metrics.LEDGER_FAILURES)
