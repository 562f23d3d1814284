"""qvmon and its peers, whole: every measurement, of one program after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

from benchmarks.figures import Figure
from benchmarks.querying import prepared, querying
from benchmarks.receiving import active, disk, receiving
from benchmarks.scraping import most, ruling, scraping
from benchmarks.subject import QVMON, Program, programs
from benchmarks.workload import Workload

Measurement: TypeAlias = Callable[[Workload, Program, Path], Iterator[Figure]]

MEASUREMENTS: dict[str, Measurement] = {
    "receiving": receiving,
    "scraping": scraping,
    "disk": disk,
    "memory": active,
    "rules": ruling,
}
"""What needs nothing prepared, by the name it is chosen with (``queries`` needs data)."""

STANDARD = (*MEASUREMENTS, "queries")


def measure(
    workload: Workload, folder: Path, chosen: tuple[str, ...], *, with_peers: bool
) -> list[Figure]:
    """Return the figures of the ``chosen`` measurements."""
    named: dict[str, Measurement] = {**MEASUREMENTS, "most": most}
    if "queries" in chosen:
        history = prepared(workload, folder / "history")
        named["queries"] = partial(querying, data=history)
    subjects = [p for p in programs() if with_peers or p.name == QVMON]
    figures: list[Figure] = []
    for name in chosen:
        for program in subjects:
            began = time.monotonic()
            figures += _measured(named[name], workload, program, folder / name / program.name)
            print(f"{name}, {program.name}: {time.monotonic() - began:.0f} s", flush=True)
    return figures


def _measured(
    measurement: Measurement, workload: Workload, program: Program, folder: Path
) -> list[Figure]:
    """Measure; a peer that fails is told and left out, qvmon may not fail."""
    try:
        return list(measurement(workload, program, folder))
    except (RuntimeError, OSError) as error:
        if program.name == QVMON:
            raise
        print(f"{program.name} could not be measured: {error}", flush=True)
        return []
