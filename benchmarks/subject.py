"""A monitoring program as a process: started on the same configuration, measured from outside."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

_START_SECONDS = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Subject:
    """A running program that answers Prometheus' HTTP API."""

    name: str
    url: str
    pid: int
    client: httpx.Client

    def cpu_seconds(self) -> float:
        """Return what it has used until now, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_bytes(self) -> int:
        """Return its memory."""
        status = Path(f"/proc/{self.pid}/status").read_text().split()
        return int(status[status.index("VmRSS:") + 1]) << 10

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the ``data`` of an answer of the query API."""
        answer = self.client.get(f"{self.url}{path}", params=parameters)
        answer.raise_for_status()
        return answer.json()["data"]

    def number(self, query: str) -> float:
        """Return the value of a query that has one, or 0 when it has none."""
        result = self.get("/api/v1/query", query=query)["result"]
        return float(result[0]["value"][1]) if result else 0.0

    def exposed(self, name: str) -> float:
        """Return the sum of what it exposes under ``name``."""
        lines = self.client.get(f"{self.url}/metrics").text.splitlines()
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in lines
            if line.startswith((f"{name} ", f"{name}{{"))
        )

    def write(self, body: bytes) -> None:
        """Send a remote-write request."""
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        self.client.post(
            f"{self.url}/api/v1/write", content=body, headers=headers
        ).raise_for_status()


def commands(config: Path, folder: Path, port: int) -> dict[str, list[str]]:
    """Return how each program that is installed is started."""
    listen = f"127.0.0.1:{port}"
    found = {
        "qvmon": [
            *(sys.executable, "-m", "qvmon", "serve", "--no-auth", "--listen", listen),
            *("--prometheus-config", str(config), "--data-dir", str(folder / "qvmon")),
            *("--out-of-order-window", "2h", "--log-level", "warning"),
        ]
    }
    if prometheus := shutil.which("prometheus"):
        found["prometheus"] = [
            *(prometheus, f"--config.file={config}", f"--web.listen-address={listen}"),
            *(f"--storage.tsdb.path={folder / 'prometheus'}", "--log.level=warn"),
            "--web.enable-remote-write-receiver",
        ]
    return found


@contextmanager
def running(name: str, command: list[str], port: int, log: Path) -> Iterator[Subject]:
    """Run a program while the block lasts, which begins once it is ready.

    Raises:
        RuntimeError: It ended, or was not ready in time.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(timeout=120, trust_env=False) as client:
            _await_ready(process, client, url, log)
            yield Subject(name, url, process.pid, client)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(
    process: subprocess.Popen[bytes], client: httpx.Client, url: str, log: Path
) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if client.get(f"{url}/-/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"not ready: {' '.join(process.args)}\n{log.read_text()[-2000:]}")  # type: ignore[arg-type]


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
