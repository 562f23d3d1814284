"""What this process says of itself agrees with what the kernel says."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from qvmon.adapters.host import watch_process
from qvmon.model.metrics import Registry


def test_the_process_is_told_as_the_kernel_tells_it() -> None:
    registry = Registry()
    watch_process(registry)
    told = {f.metric.name: f.value().current for f in registry.collect()}
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    assert (
        abs(told["process_resident_memory_bytes"] / (pages * os.sysconf("SC_PAGE_SIZE")) - 1) < 0.2
    )
    assert abs(told["process_open_fds"] - len(list(Path("/proc/self/fd").iterdir()))) <= 2
    assert told["process_max_fds"] == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    used = os.times()
    assert 0 < told["process_cpu_seconds_total"] <= used.user + used.system + 0.1
    assert told["process_threads"] >= 1
    assert told["process_start_time_seconds"] > 1e9
