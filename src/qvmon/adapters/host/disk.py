"""Block devices and filesystems."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from qvmon.adapters.host.family import COUNTER, GAUGE, HostFamily

_NO_DEVICE = re.compile(r"(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+")
_NO_MOUNT = re.compile(
    r"/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)($|/.*)"
)
_NO_TYPE = re.compile(
    r"autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660|"
    r"mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs|sysfs|"
    r"tracefs"
)
_SECTOR_BYTES = 512.0
_TICK_SECONDS = 0.001

_DISK = (
    ("reads_completed_total", 1, "The total number of reads completed successfully."),
    ("reads_merged_total", 1, "The total number of reads merged."),
    ("read_bytes_total", _SECTOR_BYTES, "The total number of bytes read successfully."),
    ("read_time_seconds_total", _TICK_SECONDS, "The total number of seconds spent by all reads."),
    ("writes_completed_total", 1, "The total number of writes completed successfully."),
    ("writes_merged_total", 1, "The number of writes merged."),
    ("written_bytes_total", _SECTOR_BYTES, "The total number of bytes written successfully."),
    (
        "write_time_seconds_total",
        _TICK_SECONDS,
        "This is the total number of seconds spent by all writes.",
    ),
    ("io_now", 1, "The number of I/Os currently in progress."),
    ("io_time_seconds_total", _TICK_SECONDS, "Total seconds spent doing I/Os."),
    (
        "io_time_weighted_seconds_total",
        _TICK_SECONDS,
        "The weighted # of seconds spent doing I/Os.",
    ),
    ("discards_completed_total", 1, "The total number of discards completed successfully."),
    ("discards_merged_total", 1, "The total number of discards merged."),
    ("discarded_sectors_total", 1, "The total number of sectors discarded successfully."),
    (
        "discard_time_seconds_total",
        _TICK_SECONDS,
        "This is the total number of seconds spent by all discards.",
    ),
    ("flush_requests_total", 1, "The total number of flush requests completed successfully"),
    (
        "flush_requests_time_seconds_total",
        _TICK_SECONDS,
        "This is the total number of seconds spent by all flush requests.",
    ),
)


def diskstats(proc: Path) -> Iterator[HostFamily]:
    """Yield what the kernel counts for each whole block device."""
    rows = [line.split()[2:] for line in (proc / "diskstats").read_text().splitlines()]
    devices = [row for row in rows if not _NO_DEVICE.fullmatch(row[0])]
    for column, (name, scale, text) in enumerate(_DISK, start=1):
        yield HostFamily(
            f"node_disk_{name}",
            GAUGE if name == "io_now" else COUNTER,
            text,
            tuple(
                ({"device": row[0]}, int(row[column]) * scale)
                for row in devices
                if column < len(row)
            ),
        )


def filesystem(_: Path) -> Iterator[HostFamily]:
    """Yield size, space and file nodes of every mounted filesystem that stores something."""
    sizes: dict[str, list[tuple[Mapping[str, str], float]]] = {name: [] for name in _FILESYSTEM}
    for mount in psutil.disk_partitions(all=True):
        if _NO_MOUNT.fullmatch(mount.mountpoint) or _NO_TYPE.fullmatch(mount.fstype):
            continue
        labels = {
            "device": mount.device,
            "device_error": "",
            "fstype": mount.fstype,
            "mountpoint": mount.mountpoint,
        }
        for name, value in _measured(mount.mountpoint, mount.opts).items():
            sizes[name].append((labels, value))
    for name, samples in sizes.items():
        distinct = {tuple(labels.items()): (labels, value) for labels, value in samples}
        yield HostFamily(
            f"node_filesystem_{name}", GAUGE, _FILESYSTEM[name], tuple(distinct.values())
        )


_FILESYSTEM = {
    "size_bytes": "Filesystem size in bytes.",
    "free_bytes": "Filesystem free space in bytes.",
    "avail_bytes": "Filesystem space available to non-root users in bytes.",
    "files": "Filesystem total file nodes.",
    "files_free": "Filesystem total free file nodes.",
    "readonly": "Filesystem read-only status.",
    "device_error": "Whether an error occurred while getting statistics for the given device.",
}


def _measured(mountpoint: str, options: str) -> dict[str, float]:
    readonly = float("ro" in options.split(","))
    try:
        found = os.statvfs(mountpoint)
    except OSError:
        return {"device_error": 1.0, "readonly": readonly}
    return {
        "size_bytes": float(found.f_blocks * found.f_frsize),
        "free_bytes": float(found.f_bfree * found.f_frsize),
        "avail_bytes": float(found.f_bavail * found.f_frsize),
        "files": float(found.f_files),
        "files_free": float(found.f_ffree),
        "readonly": readonly,
        "device_error": 0.0,
    }
