"""``python -m benchmarks``: measure, print tables, write JSON, and keep the run when asked to."""

from __future__ import annotations

import asyncio
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import psutil
import structlog
import typer

from benchmarks import history, inside, page, peers, programs
from benchmarks.figures import rows, show, write
from benchmarks.workload import Workload

Some = Annotated[
    list[str] | None,
    typer.Option(help=f"Only these: parts, {', '.join(programs.STANDARD)} (repeat)."),
]


def main(
    quick: Annotated[bool, typer.Option(help="A small load, to see that it works.")] = False,
    only: Some = None,
    search: Annotated[
        bool, typer.Option(help="Also find the most series scraped each second (minutes).")
    ] = False,
    with_peers: Annotated[bool, typer.Option("--peers/--no-peers", help="With peers.")] = True,
    keep: Annotated[
        bool, typer.Option(help=f"Add it to {history.FILE.name} and the page.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Where the JSON goes.")] = Path("dist/benchmarks.json"),
) -> None:
    """Measure qvmon, and the peers that are built here, under the same load."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    workload = Workload.quick() if quick else Workload()
    chosen = tuple(only or ("parts", *programs.STANDARD)) + (("most",) if search else ())
    facts = {**_surroundings(), "quick": quick}
    figures = []
    with tempfile.TemporaryDirectory(prefix="qvmon-bench-") as folder:
        wanted = tuple(name for name in chosen if name != "parts")
        figures += programs.measure(workload, Path(folder), wanted, with_peers=with_peers)
        if "parts" in chosen:
            figures += asyncio.run(inside.measure(workload, Path(folder) / "inside"))
    measured = rows(figures)
    regressed = {} if quick else history.regressions(measured, facts, history.last())
    show(f"qvmon {facts['commit']}, {facts['at']}", measured, regressed)
    for missing in (peer.name for peer in peers.PEERS if peers.found(peer) is None):
        print(f"{missing} is not built here: python -m benchmarks.peers")
    write(out, facts, figures)
    print(f"written to {out}")
    if keep:
        history.keep(facts, measured)
        page.write(measured, facts)
        print(f"kept in {history.FILE.name} and shown in {page.FILE.name}")
    if regressed:
        sys.exit(1)


def _surroundings() -> dict[str, object]:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip(),
        "qvmon": version("quantivista-monitoring"),
        "python": platform.python_version(),
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": _processor(),
            "cores": psutil.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30),
        },
        "load_before": round(psutil.getloadavg()[0], 2),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "")


if __name__ == "__main__":
    typer.run(main)
