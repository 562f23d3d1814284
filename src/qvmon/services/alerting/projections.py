"""Every table this service's facts make."""

from __future__ import annotations

from qvmon.services.alerting.alert_facts import ALERTS
from qvmon.services.alerting.group import NOTIFICATION_GROUPS
from qvmon.services.alerting.obligation import OBLIGATIONS

PROJECTIONS = (ALERTS, OBLIGATIONS, NOTIFICATION_GROUPS)
