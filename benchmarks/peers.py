"""The programs qvmon is compared with, built once from the Go module proxy.

``python -m benchmarks.peers`` downloads each module, copies it out of Go's cache (its ``replace``
directives forbid ``go install``), builds it and keeps the binary in a cache of this user outside
the repository. Benchmarks and the differential tests find it there, and say so where it is not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Peer:
    """A program to build.

    Attributes:
        name: What its binary is called; the version belongs to it.
        module: The Go module and its version.
        package: Which of its packages is the program.
        version: What the program shall call itself, where it asks the linker.
        cgo: Whether it needs a C compiler.
        tags: Build tags.
    """

    name: str
    module: str
    package: str
    version: str = ""
    cgo: bool = False
    tags: str = "netgo"


PROMETHEUS = Peer(
    "prometheus-3.16", "github.com/prometheus/prometheus@v0.316.0", "./cmd/prometheus", "3.16.0"
)
PROMTOOL = Peer(
    "promtool-3.16", "github.com/prometheus/prometheus@v0.316.0", "./cmd/promtool", "3.16.0"
)
VICTORIA_METRICS = Peer(
    "victoria-metrics-1.151",
    "github.com/VictoriaMetrics/VictoriaMetrics@v1.151.0",
    "./app/victoria-metrics",
    cgo=True,
)
PEERS = (PROMETHEUS, PROMTOOL, VICTORIA_METRICS)


def cache() -> Path:
    """Return the folder of what tests and benchmarks keep between runs."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "qvmon-tests"


def binary(peer: Peer) -> Path:
    """Return where the program of ``peer`` lies, or will lie."""
    return cache() / "peers" / peer.name


def found(peer: Peer) -> Path | None:
    """Return the program of ``peer``, or None where it has not been built."""
    path = binary(peer)
    return path if path.is_file() else None


def build(peer: Peer) -> Path:
    """Build ``peer`` unless it is there, and return its program.

    Raises:
        subprocess.CalledProcessError: Go refused.
    """
    target = binary(peer)
    if target.is_file():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="qvmon-peer-") as folder:
        source = Path(folder) / "source"
        shutil.copytree(_downloaded(peer), source)
        _run("chmod", "-R", "u+w", str(source))
        (source / "go.work").unlink(missing_ok=True)
        built = Path(folder) / peer.name
        _run(*_command(peer, built), cwd=source, env=_environment(peer))
        shutil.copy2(built, target.with_suffix(".new"))
    target.with_suffix(".new").rename(target)
    return target


def _downloaded(peer: Peer) -> Path:
    answer = subprocess.run(
        ["go", "mod", "download", "-json", peer.module], capture_output=True, text=True, check=True
    )
    return Path(json.loads(answer.stdout)["Dir"])


def _command(peer: Peer, target: Path) -> list[str]:
    stamp = f"-X github.com/prometheus/common/version.Version={peer.version}"
    linker = ["-ldflags", stamp] if peer.version else []
    return ["go", "build", "-tags", peer.tags, *linker, "-o", str(target), peer.package]


def _environment(peer: Peer) -> dict[str, str]:
    go = {
        "GOWORK": "off",
        "CGO_ENABLED": str(int(peer.cgo)),
        "GOFLAGS": "-p=2 -buildvcs=false -mod=mod",
    }
    return {**os.environ, **go}


def _run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    subprocess.run(command, cwd=cwd, env=env, check=True)


def main() -> int:
    """Build every peer; return 0 when all are there."""
    if shutil.which("go") is None:
        print("go is not installed: no peer can be built here", file=sys.stderr)
        return 1
    for peer in PEERS:
        print(f"{peer.name}: {build(peer)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
