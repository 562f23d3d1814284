"""Tells those outside: topics, webhooks, mail, each with receipts."""

from typing import TYPE_CHECKING

from qvmon.model.front_door import opens_when_used
from qvmon.services.distribution.config import DeliveryPolicy, DistributionConfig

if TYPE_CHECKING:
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
else:
    __getattr__ = opens_when_used(
        __name__,
        message=("Content", "Message", "Part", "Receipt"),
        outlet=("Outlet",),
        ports=("Jitter", "Sink"),
        projections=("PROJECTIONS",),
        rendering=(
            "AlertEvents",
            "IncidentEvents",
            "MailNotifications",
            "Rendering",
            "WebhookNotifications",
        ),
        service=("DistributionService",),
    )

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
