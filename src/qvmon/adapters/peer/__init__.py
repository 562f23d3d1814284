"""Reads series from another qvmon process."""

from typing import TYPE_CHECKING

from qvmon.adapters.peer.config import PeerConfig
from qvmon.model.front_door import opens_when_used

if TYPE_CHECKING:
    from qvmon.adapters.peer.source import PeerSource
else:
    __getattr__ = opens_when_used(
        __name__,
        source=("PeerSource",),
    )

__all__ = ["PeerConfig", "PeerSource"]
