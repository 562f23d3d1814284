"""Every metric of the alerting service."""

from qvmon.model.metrics import counter, gauge, histogram

_STAGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)

EVALUATIONS = counter(
    "qvmon_alerting_rule_evaluations_total", "Rules evaluated, by group.", "file", "group"
)
FAILURES = counter(
    "qvmon_alerting_rule_failures_total",
    "Rule evaluations that failed and changed nothing, by group and kind of error.",
    "file",
    "group",
    "kind",
)
EVALUATION_SECONDS = histogram(
    "qvmon_alerting_rule_evaluation_seconds",
    "How long one rule took, from its query to its samples being durable.",
    (0.001, 0.0025, *_STAGES),
)
GROUP_SECONDS = gauge(
    "qvmon_alerting_group_last_duration_seconds",
    "How long the last evaluation of a group took.",
    "file",
    "group",
)
GROUP_LAST_EVALUATION = gauge(
    "qvmon_alerting_group_last_evaluation_timestamp_seconds",
    "The instant a group was last evaluated for.",
    "file",
    "group",
)
MISSED_TICKS = counter(
    "qvmon_alerting_missed_ticks_total",
    "Evaluations that were due and not made, because the one before took too long.",
    "file",
    "group",
)
REFUSED_SAMPLES = counter(
    "qvmon_alerting_refused_samples_total",
    "Samples of rules that the store refused, by reason.",
    "reason",
)
TRANSITIONS = counter(
    "qvmon_alerting_transitions_total", "Changes of alerts' states, by the new state.", "state"
)
ACTIVE = gauge("qvmon_alerting_alerts", "Alerts that are active now, by state.", "state")
HELD = gauge(
    "qvmon_alerting_held_alerts",
    "Alerts that stay active without samples because nothing is known of their targets.",
)
TEMPLATE_FAILURES = counter(
    "qvmon_alerting_template_failures_total",
    "Labels and annotations whose template failed; the text says how.",
)
EVENT_TO_DECIDED = histogram(
    "qvmon_alerting_event_to_decided_seconds",
    "From the instant of the evaluation that changed an alert to its decision.",
    _STAGES,
)
DECIDED_TO_RECORDED = histogram(
    "qvmon_alerting_decided_to_recorded_seconds",
    "From the decision about an alert to its fact being durable.",
    _STAGES,
)
RECORDED_TO_ROUTED = histogram(
    "qvmon_alerting_recorded_to_routed_seconds",
    "From the fact about an alert to the obligations to tell of it.",
    _STAGES,
)
ROUTED_TO_QUEUED = histogram(
    "qvmon_alerting_routed_to_queued_seconds",
    "From an obligation to the notification that settles it; the group's waiting included.",
    _STAGES,
)
NOTIFICATIONS = counter(
    "qvmon_alerting_notifications_total", "Notifications queued, by reason.", "reason"
)
OBLIGATIONS = gauge(
    "qvmon_alerting_obligations",
    "Obligations to tell a receiver of an alert's change, by what became of them.",
    "state",
)
UNACCOUNTED = gauge(
    "qvmon_alerting_obligations_unaccounted",
    "Obligations that wait for a notification no group knows of; anything but 0 is a defect.",
)
LEDGER_FAILURES = counter(
    "qvmon_alerting_ledger_failures_total",
    "Times a part could not go on, mostly for want of the ledger, and tried again, by part.",
    "part",
)
