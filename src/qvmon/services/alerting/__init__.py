"""Turns values into alerts, and alerts into messages for people: the only place that does."""

from qvmon.services.alerting.alert_facts import ALERTS
from qvmon.services.alerting.config import AlertingConfig, RouteConfig
from qvmon.services.alerting.group import NOTIFICATION_GROUPS
from qvmon.services.alerting.obligation import OBLIGATIONS
from qvmon.services.alerting.ports import Queries, Readiness
from qvmon.services.alerting.service import AlertingService
from qvmon.services.alerting.status import ActiveAlert, RuleGroupStatus, RuleStatus

PROJECTIONS = (ALERTS, OBLIGATIONS, NOTIFICATION_GROUPS)
"""Every table this service's facts make."""

__all__ = [
    "PROJECTIONS",
    "ActiveAlert",
    "AlertingConfig",
    "AlertingService",
    "Queries",
    "Readiness",
    "RouteConfig",
    "RuleGroupStatus",
    "RuleStatus",
]
