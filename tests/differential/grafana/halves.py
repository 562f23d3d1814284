"""The two halves of Grafana's data source, built once for what is written here."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.peers import cache

_HERE = Path(__file__).parent


def backend() -> Path:
    """Return the program that answers as Grafana's server does, ``backend/main.go``.

    Raises:
        subprocess.CalledProcessError: Go refused.
    """
    source, target = _HERE / "backend", _kept(_HERE / "backend")
    if not target.is_file():
        with tempfile.TemporaryDirectory(prefix="qvmon-grafana-") as place:
            folder = Path(shutil.copytree(source, Path(place) / "backend"))
            go = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-p=2 -mod=mod"}
            subprocess.run(["go", "mod", "tidy"], cwd=folder, env=go, check=True)
            subprocess.run(["go", "build", "-o", str(target), "."], cwd=folder, env=go, check=True)
    return target


def frontend() -> Path:
    """Return the script for Node that uses Grafana's web client, ``frontend/ask.mjs``.

    Raises:
        subprocess.CalledProcessError: npm or esbuild refused.
    """
    source, target = _HERE / "frontend", _kept(_HERE / "frontend").with_suffix(".cjs")
    if not target.is_file():
        folder = cache() / "grafana" / "frontend"
        shutil.copytree(source, folder, dirs_exist_ok=True)
        install = [
            "npm",
            "install",
            "--ignore-scripts",
            "--legacy-peer-deps",
            "--no-package-lock",
            "--silent",
        ]
        subprocess.run(install, cwd=folder, check=True)
        subprocess.run(["node", "bundle.mjs", str(target)], cwd=folder, check=True)
    return target


def _kept(source: Path) -> Path:
    """Return where what ``source`` holds is kept; another place once it changes."""
    digest = hashlib.sha256()
    for path in sorted(source.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    place = cache() / "grafana" / f"{source.name}-{digest.hexdigest()[:12]}"
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
