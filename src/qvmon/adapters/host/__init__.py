"""The host this process runs on: its metrics under node_exporter's names, and its files."""

from qvmon.adapters.host.files import LocalFiles
from qvmon.adapters.host.host import HostMetrics

__all__ = ["HostMetrics", "LocalFiles"]
