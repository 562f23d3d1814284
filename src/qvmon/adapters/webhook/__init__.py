"""Webhooks: messages by HTTP POST."""

from typing import TYPE_CHECKING

from qvmon.adapters.webhook.config import WebhookConfig
from qvmon.model.front_door import opens_when_used

if TYPE_CHECKING:
    from qvmon.adapters.webhook.sink import WebhookSink
else:
    __getattr__ = opens_when_used(
        __name__,
        sink=("WebhookSink",),
    )

__all__ = ["WebhookConfig", "WebhookSink"]
