"""The running process, under the names every Prometheus client library uses."""

from __future__ import annotations

import psutil

from qvmon.model.metrics import Registry, counter, gauge

CPU = counter("process_cpu_seconds_total", "Total user and system CPU time spent in seconds.")
RESIDENT = gauge("process_resident_memory_bytes", "Resident memory size in bytes.")
VIRTUAL = gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.")
OPEN_FILES = gauge("process_open_fds", "Number of open file descriptors.")
MOST_FILES = gauge("process_max_fds", "Maximum number of open file descriptors.")
THREADS = gauge("process_threads", "Number of operating system threads.")
STARTED = gauge(
    "process_start_time_seconds", "Start time of the process since unix epoch in seconds."
)


def watch_process(registry: Registry) -> None:
    """Have every collection of ``registry`` tell what this process uses of the machine."""
    process = psutil.Process()
    registry.value(STARTED).set(process.create_time())

    def refresh() -> None:
        with process.oneshot():
            times, memory = process.cpu_times(), process.memory_info()
            registry.value(CPU).set(times.user + times.system)
            registry.value(RESIDENT).set(memory.rss)
            registry.value(VIRTUAL).set(memory.vms)
            registry.value(OPEN_FILES).set(process.num_fds())
            registry.value(MOST_FILES).set(process.rlimit(psutil.RLIMIT_NOFILE)[0])
            registry.value(THREADS).set(process.num_threads())

    registry.before_collect(refresh)
