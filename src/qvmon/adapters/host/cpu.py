"""CPU time, load, and what the kernel counts in ``/proc/stat``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

from qvmon.adapters.host.family import COUNTER, GAUGE, HostFamily, single

_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_GUEST_MODES = {"user": "guest", "nice": "guest_nice"}
_KERNEL = {
    "intr": ("node_intr_total", COUNTER, "Total number of interrupts serviced."),
    "ctxt": ("node_context_switches_total", COUNTER, "Total number of context switches."),
    "processes": ("node_forks_total", COUNTER, "Total number of forks."),
    "btime": ("node_boot_time_seconds", GAUGE, "Node boot time, in unixtime."),
    "procs_running": (
        "node_procs_running",
        GAUGE,
        "Number of processes in runnable state.",
    ),
    "procs_blocked": (
        "node_procs_blocked",
        GAUGE,
        "Number of processes blocked waiting for I/O to complete.",
    ),
}


def cpu(_: Path) -> Iterator[HostFamily]:
    """Yield the seconds each CPU spent in each mode."""
    times = list(enumerate(psutil.cpu_times(percpu=True)))
    yield HostFamily(
        "node_cpu_seconds_total",
        COUNTER,
        "Seconds the CPUs spent in each mode.",
        tuple(
            ({"cpu": str(number), "mode": mode}, getattr(each, mode))
            for number, each in times
            for mode in _MODES
            if hasattr(each, mode)
        ),
    )
    yield HostFamily(
        "node_cpu_guest_seconds_total",
        COUNTER,
        "Seconds the CPUs spent in guests (VMs) for each mode.",
        tuple(
            ({"cpu": str(number), "mode": mode}, getattr(each, field))
            for number, each in times
            for mode, field in _GUEST_MODES.items()
            if hasattr(each, field)
        ),
    )


def load(_: Path) -> Iterator[HostFamily]:
    """Yield the load averages."""
    for minutes, value in zip((1, 5, 15), psutil.getloadavg(), strict=True):
        yield single(f"node_load{minutes}", GAUGE, f"{minutes}m load average.", value)


def stat(proc: Path) -> Iterator[HostFamily]:
    """Yield interrupts, context switches, forks, boot time and process states."""
    for line in (proc / "stat").read_text().splitlines():
        key, _, rest = line.partition(" ")
        if key in _KERNEL:
            yield single(*_KERNEL[key], float(rest.split(" ", 1)[0]))
