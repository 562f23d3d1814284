"""The host this process runs on: its metrics under node_exporter's names, and its files."""

from qvmon.adapters.host.files import LocalFiles, matching, read
from qvmon.adapters.host.host import HostMetrics
from qvmon.adapters.host.process import watch_process

__all__ = ["HostMetrics", "LocalFiles", "matching", "read", "watch_process"]
