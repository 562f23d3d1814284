"""Reads series from another qvmon process."""

from qvmon.adapters.peer.config import PeerConfig
from qvmon.adapters.peer.source import PeerSource

__all__ = ["PeerConfig", "PeerSource"]
