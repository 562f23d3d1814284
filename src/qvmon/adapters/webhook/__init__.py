"""Webhooks: messages by HTTP POST."""

from qvmon.adapters.webhook.config import WebhookConfig
from qvmon.adapters.webhook.sink import WebhookSink

__all__ = ["WebhookConfig", "WebhookSink"]
