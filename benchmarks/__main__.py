"""``python -m benchmarks``: measure, print tables, write JSON."""

from __future__ import annotations

import asyncio
import platform
import subprocess
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import structlog
import typer

from benchmarks import inside, programs
from benchmarks.figures import show, write
from benchmarks.workload import Workload


def main(
    quick: Annotated[bool, typer.Option(help="A small load, to see that it works.")] = False,
    out: Annotated[Path, typer.Option(help="Where the JSON goes.")] = Path("dist/benchmarks.json"),
) -> None:
    """Measure qvmon, and Prometheus where it is installed, under the same load."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    workload = Workload.quick() if quick else Workload()
    with tempfile.TemporaryDirectory(prefix="qvmon-bench-") as folder:
        parts = asyncio.run(inside.measure(workload, Path(folder) / "inside"))
        show("Parts of qvmon, in one process", parts)
        whole = programs.measure(workload, Path(folder))
        show("Whole programs, same configuration and targets", whole)
    write(out, _surroundings(), [*parts, *whole])
    typer.echo(f"written to {out}")


def _surroundings() -> dict[str, object]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "qvmon": version("quantivista-monitoring"),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "cores": len(_cores()),
    }


def _cores() -> list[str]:
    return [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "processor" in line]


typer.run(main)
