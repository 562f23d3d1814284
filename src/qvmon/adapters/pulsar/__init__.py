"""Apache Pulsar: events on topics."""

from qvmon.adapters.pulsar.bus import PulsarBus
from qvmon.adapters.pulsar.config import PulsarConfig
from qvmon.adapters.pulsar.sink import PulsarSink

__all__ = ["PulsarBus", "PulsarConfig", "PulsarSink"]
