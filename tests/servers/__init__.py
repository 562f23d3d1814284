"""Real servers for tests: found, started on free ports with temporary data, and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

REQUIRE_ALL = os.environ.get("QVMON_TEST_REQUIRE") == "all"


def leave_out(reason: str) -> None:
    """Skip the test, saying why; fail it where nothing may be left out."""
    if REQUIRE_ALL:
        pytest.fail(f"required, and {reason}", pytrace=False)
    pytest.skip(reason)


def program(name: str, *places: str) -> str:
    """Return the path of an installed program, or leave the test out."""
    found = shutil.which(name)
    for place in places:
        found = found or next((str(p) for p in sorted(Path("/").glob(place.lstrip("/")))), None)
    if found is None:
        leave_out(f"{name} is not installed")
    assert found
    return found


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str],
    *,
    log: Path,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program in a process group of its own while the block lasts; its output goes to log."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=None if env is None else {**os.environ, **env},
            cwd=cwd,
        )
    try:
        yield process
    finally:
        end(process, stop)


def end(process: subprocess.Popen[bytes], stop: signal.Signals = signal.SIGTERM) -> None:
    """Stop a process group, at last by force."""
    for sent, patience in ((stop, 20), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, sent)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
        break
    process.wait(10)


def wait_until(
    ready: Callable[[], bool], what: str, *, seconds: float = 60, log: Path | None = None
) -> None:
    """Return once ``ready`` says so; fail with the end of the log after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return
        time.sleep(0.05)
    tail = log.read_text(errors="replace")[-4000:] if log and log.exists() else ""
    pytest.fail(f"{what} within {seconds} s\n{tail}", pytrace=False)


def answers(url: str, status: int = 200) -> bool:
    """Return whether ``url`` answers with ``status``."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == status
    except httpx.TransportError:
        return False
