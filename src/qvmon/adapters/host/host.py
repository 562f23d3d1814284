"""The host this process runs on, under node_exporter's metric names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from qvmon.adapters.host import cpu, disk, memory, network, system
from qvmon.adapters.host.family import GAUGE, HostFamily, single, written
from qvmon.model.clock import Clock

log = structlog.get_logger(__name__)

Collector = Callable[[Path], Iterator[HostFamily]]

COLLECTORS: dict[str, Collector] = {
    "cpu": cpu.cpu,
    "diskstats": disk.diskstats,
    "filefd": system.filefd,
    "filesystem": disk.filesystem,
    "loadavg": cpu.load,
    "meminfo": memory.meminfo,
    "netclass": network.netclass,
    "netdev": network.netdev,
    "netstat": network.netstat,
    "pressure": memory.pressure,
    "sockstat": network.sockstat,
    "stat": cpu.stat,
    "uname": system.uname,
    "vmstat": memory.vmstat,
}
"""What is looked at, by node_exporter's names for it."""


class HostMetrics:
    """The metrics of this host, as a source that collection scrapes.

    Args:
        clock: What time it is.
        proc: Where the kernel shows itself.
    """

    name = "node"

    def __init__(self, clock: Clock, proc: Path = Path("/proc")) -> None:
        self._clock = clock
        self._proc = proc

    def collect(self) -> bytes:
        """Return the exposition text; a collector that fails is left out and says so."""
        families: list[HostFamily] = []
        successes, durations = [], []
        for name, collector in COLLECTORS.items():
            began = self._clock.monotonic()
            found = self._collected(name, collector)
            families += found or []
            labels = {"collector": name}
            successes.append((labels, float(found is not None)))
            durations.append((labels, self._clock.monotonic() - began))
        return written(
            [
                *families,
                single(
                    "node_time_seconds",
                    GAUGE,
                    "System time in seconds since epoch (1970).",
                    self._clock.now_ns() / 1e9,
                ),
                HostFamily(
                    "node_scrape_collector_success",
                    GAUGE,
                    "node_exporter: Whether a collector succeeded.",
                    tuple(successes),
                ),
                HostFamily(
                    "node_scrape_collector_duration_seconds",
                    GAUGE,
                    "node_exporter: Duration of a collector scrape.",
                    tuple(durations),
                ),
            ]
        )

    def _collected(self, name: str, collector: Collector) -> list[HostFamily] | None:
        try:
            return list(collector(self._proc))
        except Exception as error:  # noqa: BLE001 - psutil raises its own; the metric says so
            log.debug("host collector failed", collector=name, error=repr(error))
            return None
