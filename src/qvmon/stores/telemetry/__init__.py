"""What machines emit: metrics, stored by ``tsdb``, with one owner a data directory."""

from qvmon.stores.telemetry.config import TelemetryConfig
from qvmon.stores.telemetry.exemplars import ExemplarRing
from qvmon.stores.telemetry.restore import Restored, restore
from qvmon.stores.telemetry.store import TelemetryStore

__all__ = ["ExemplarRing", "Restored", "TelemetryConfig", "TelemetryStore", "restore"]
