"""Turns values into alerts, and alerts into messages for people: the only place that does."""

from typing import TYPE_CHECKING

from qvmon.model.front_door import opens_when_used
from qvmon.services.alerting.config import AlertingConfig, RouteConfig

if TYPE_CHECKING:
    from qvmon.services.alerting.ports import Queries, Readiness
    from qvmon.services.alerting.projections import PROJECTIONS
    from qvmon.services.alerting.service import AlertingService
    from qvmon.services.alerting.status import ActiveAlert, RuleGroupStatus, RuleStatus
else:
    __getattr__ = opens_when_used(
        __name__,
        ports=("Queries", "Readiness"),
        projections=("PROJECTIONS",),
        service=("AlertingService",),
        status=("ActiveAlert", "RuleGroupStatus", "RuleStatus"),
    )

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
