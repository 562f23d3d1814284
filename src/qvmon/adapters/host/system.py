"""The machine itself: its name, its time, its file handles."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from qvmon.adapters.host.family import GAUGE, HostFamily, single


def uname(proc: Path) -> Iterator[HostFamily]:
    """Yield the names of system, kernel and machine."""
    found = os.uname()
    domain = proc / "sys" / "kernel" / "domainname"
    labels = {
        "domainname": domain.read_text().strip() if domain.exists() else "(none)",
        "machine": found.machine,
        "nodename": found.nodename,
        "release": found.release,
        "sysname": found.sysname,
        "version": found.version,
    }
    text = "Labeled system information as provided by the uname system call."
    yield HostFamily("node_uname_info", GAUGE, text, ((labels, 1.0),))


def filefd(proc: Path) -> Iterator[HostFamily]:
    """Yield how many file handles are in use, and how many there can be."""
    allocated, _, maximum = (proc / "sys" / "fs" / "file-nr").read_text().split()
    text = "File descriptor statistics"
    yield single("node_filefd_allocated", GAUGE, f"{text}: allocated.", float(allocated))
    yield single("node_filefd_maximum", GAUGE, f"{text}: maximum.", float(maximum))
