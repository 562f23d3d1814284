"""Memory, paging and pressure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from qvmon.adapters.host.family import COUNTER, GAUGE, UNTYPED, HostFamily, single

_VMSTAT = re.compile(r"(oom_kill|pgpg|pswp|pg.*fault).*")
_PRESSURE = {
    ("cpu", "some"): ("cpu_waiting", "processes have waited for CPU time"),
    ("io", "some"): ("io_waiting", "processes have waited due to IO congestion"),
    ("io", "full"): ("io_stalled", "no process could make progress due to IO congestion"),
    ("memory", "some"): ("memory_waiting", "processes have waited for memory"),
    ("memory", "full"): (
        "memory_stalled",
        "no process could make progress due to memory congestion",
    ),
    ("irq", "full"): ("irq_stalled", "no process could make progress due to IRQ congestion"),
}


def meminfo(proc: Path) -> Iterator[HostFamily]:
    """Yield every field of ``/proc/meminfo``; those counted in kB as bytes."""
    for line in (proc / "meminfo").read_text().splitlines():
        key, _, rest = line.partition(":")
        number, *unit = rest.split()
        field = key.replace("(", "_").removesuffix(")")
        value = float(number)
        if unit == ["kB"]:
            field, value = f"{field}_bytes", value * 1024
        yield single(f"node_memory_{field}", GAUGE, f"Memory information field {field}.", value)


def vmstat(proc: Path) -> Iterator[HostFamily]:
    """Yield paging, swapping and out-of-memory kills."""
    for line in (proc / "vmstat").read_text().splitlines():
        key, _, value = line.partition(" ")
        if _VMSTAT.fullmatch(key):
            text = f"/proc/vmstat information field {key}."
            yield single(f"node_vmstat_{key}", UNTYPED, text, float(value))


def pressure(proc: Path) -> Iterator[HostFamily]:
    """Yield the time lost to contention, of the resources the kernel accounts for."""
    for (resource, kind), (name, text) in _PRESSURE.items():
        for line in _lines(proc / "pressure" / resource):
            if line.startswith(kind):
                seconds = float(line.rpartition("total=")[2]) / 1e6
                yield single(
                    f"node_pressure_{name}_seconds_total",
                    COUNTER,
                    f"Total time in seconds {text}"
                    if kind == "full"
                    else f"Total time in seconds that {text}",
                    seconds,
                )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:  # the kernel does not account for this resource
        return []
