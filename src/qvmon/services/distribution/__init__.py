"""Tells those outside: topics, webhooks, mail, each with receipts."""

from qvmon.services.distribution.config import DeliveryPolicy, DistributionConfig
from qvmon.services.distribution.message import Content, Message, Part, Receipt
from qvmon.services.distribution.outlet import Outlet
from qvmon.services.distribution.ports import Jitter, Sink
from qvmon.services.distribution.projections import PROJECTIONS
from qvmon.services.distribution.rendering import (
    AlertEvents,
    IncidentEvents,
    MailNotifications,
    Rendering,
    WebhookNotifications,
)
from qvmon.services.distribution.service import DistributionService

__all__ = [
    "PROJECTIONS",
    "AlertEvents",
    "Content",
    "DeliveryPolicy",
    "DistributionConfig",
    "DistributionService",
    "IncidentEvents",
    "Jitter",
    "MailNotifications",
    "Message",
    "Outlet",
    "Part",
    "Receipt",
    "Rendering",
    "Sink",
    "WebhookNotifications",
]
