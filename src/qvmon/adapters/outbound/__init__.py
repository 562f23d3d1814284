"""HTTP to the outside: one pooled client that holds the egress policy."""

from qvmon.adapters.outbound.client import HttpOutbound
from qvmon.adapters.outbound.config import EgressPolicy, OutboundConfig

__all__ = ["EgressPolicy", "HttpOutbound", "OutboundConfig"]
