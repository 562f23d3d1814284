"""Apache Pulsar: events on topics."""

from typing import TYPE_CHECKING

from qvmon.adapters.pulsar.config import PulsarConfig
from qvmon.model.front_door import opens_when_used

if TYPE_CHECKING:
    from qvmon.adapters.pulsar.bus import PulsarBus
    from qvmon.adapters.pulsar.sink import PulsarSink
else:
    __getattr__ = opens_when_used(
        __name__,
        bus=("PulsarBus",),
        sink=("PulsarSink",),
    )

__all__ = ["PulsarBus", "PulsarConfig", "PulsarSink"]
