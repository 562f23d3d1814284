"""A monitoring program as a process, measured from outside: qvmon or one of its peers."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil

from benchmarks import peers

QVMON, PROMETHEUS, VICTORIA_METRICS = "qvmon", "Prometheus", "VictoriaMetrics"
_START_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Setup:
    """How a program is started.

    Attributes:
        folder: Where it keeps its data.
        config: What it is told to scrape.
        port: Where it answers.
        eager: Whether it shall move samples to disk as soon as it may, not when it is its time.
    """

    folder: Path
    config: Path
    port: int
    eager: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """A program that can be started.

    Attributes:
        name: What tables call it.
        command: Says how it is started.
        has_rules: Whether it evaluates rules.
    """

    name: str
    command: Callable[[Setup], list[str]]
    has_rules: bool = True


def programs() -> list[Program]:
    """Return qvmon and the peers that are built here."""
    found = [Program(QVMON, _qvmon)]
    if path := peers.found(peers.PROMETHEUS):
        found.append(Program(PROMETHEUS, lambda setup: _prometheus(path, setup)))
    if other := peers.found(peers.VICTORIA_METRICS):
        found.append(Program(VICTORIA_METRICS, lambda setup: _victoria(other, setup), False))
    return found


def _qvmon(setup: Setup) -> list[str]:
    settings = setup.folder / "qvmon.yml"
    upkeep = ", upkeep_interval_seconds: 1" if setup.eager else ""
    settings.write_text(
        f"data_dir: {setup.folder / 'data'}\n"
        f"prometheus_config: {setup.config}\n"
        "local: {host: false, qvmon: false}\n"
        f"telemetry: {{retention_seconds: 0, out_of_order_window_seconds: 7200{upkeep}}}\n"
    )
    return [
        *(sys.executable, "-m", "qvmon", "serve", "--config", str(settings), "--no-auth"),
        *("--listen", f"127.0.0.1:{setup.port}", "--log-level", "error"),
    ]


def _prometheus(binary: Path, setup: Setup) -> list[str]:
    return [
        *(str(binary), f"--config.file={setup.config}", "--log.level=error"),
        *(f"--web.listen-address=127.0.0.1:{setup.port}", "--web.enable-admin-api"),
        *(f"--storage.tsdb.path={setup.folder / 'data'}", "--web.enable-remote-write-receiver"),
    ]


def _victoria(binary: Path, setup: Setup) -> list[str]:
    return [
        *(str(binary), f"-httpListenAddr=127.0.0.1:{setup.port}", "-loggerLevel=ERROR"),
        *(f"-storageDataPath={setup.folder / 'data'}", f"-promscrape.config={setup.config}"),
        *("-retentionPeriod=100y", "-search.latencyOffset=0s", "-maxInsertRequestSize=256MB"),
        *("-search.maxUniqueTimeseries=1000000", "-promscrape.config.strictParse=false"),
    ]


class Subject:
    """A running program and a connection to it."""

    def __init__(self, name: str, setup: Setup, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.folder = setup.folder
        self.port = setup.port
        self.process = process
        self.began = time.perf_counter()
        self._watched = psutil.Process(process.pid)
        self._connection = http.client.HTTPConnection("127.0.0.1", setup.port, timeout=300)

    def cpu_seconds(self) -> float:
        """Return what it and its children have used until now, user and system."""
        total = 0.0
        for each in (self._watched, *self._watched.children(recursive=True)):
            spent = each.cpu_times()
            total += spent.user + spent.system + spent.children_user + spent.children_system
        return total

    def private_bytes(self) -> int:
        """Return its memory, and its children's, apart from what stands for files."""
        family = (self._watched, *self._watched.children(recursive=True))
        return sum(_private_bytes(each.pid) for each in family)

    def ask(self, path: str, **parameters: Any) -> bytes:
        """Return the body of an answer, uncompressed.

        Raises:
            RuntimeError: The answer is no success.
        """
        target = f"{path}?{urlencode(parameters, doseq=True)}" if parameters else path
        return self._sent("GET", target, None, {"Accept-Encoding": "identity"})

    def post(self, path: str, body: bytes = b"") -> bytes:
        """Send ``body``, by default nothing, and return the answer's."""
        return self._sent("POST", path, body, {})

    def write(self, body: bytes) -> None:
        """Send a remote-write request."""
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        self._sent("POST", "/api/v1/write", body, headers)

    def _sent(self, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        try:
            self._connection.request(method, target, body, headers)
            answer = self._connection.getresponse()
        except (http.client.HTTPException, OSError):
            self._connection.close()
            raise
        content = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{self.name}: {target[:80]}: {answer.status} {content[:300]!r}")
        return content

    def number(self, query: str, **parameters: Any) -> float:
        """Return the value of an instant query that has one, or 0 when it has none."""
        answer = json.loads(self.ask("/api/v1/query", query=query, nocache=1, **parameters))
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0

    def is_ready(self) -> bool:
        """Return whether it answers that it is."""
        try:
            self.ask("/-/ready")
        except (RuntimeError, OSError, http.client.HTTPException):
            return False
        return True

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


def _private_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text().split()
    return int(status[status.index("RssAnon:") + 1]) << 10


@contextmanager
def running(
    program: Program,
    folder: Path,
    config: Path | None = None,
    *,
    wait: bool = True,
    eager: bool = False,
) -> Iterator[Subject]:
    """Run a program on its data in ``folder`` while the block lasts.

    Args:
        program: Which one.
        folder: Where its data are, or will be.
        config: A ``prometheus.yml``; by default nothing is scraped.
        wait: Whether the block begins only once the program is ready.
        eager: See ``Setup``.

    Raises:
        RuntimeError: It ended, or was not ready in time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    setup = Setup(folder, config or _nothing_to_scrape(folder), free_port(), eager)
    log = folder / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            program.command(setup), stdout=output, stderr=output, start_new_session=True
        )
    subject = Subject(program.name, setup, process)
    try:
        if wait:
            await_ready(subject)
        yield subject
    finally:
        subject.close()
        stop(process)


def _nothing_to_scrape(folder: Path) -> Path:
    path = folder / "prometheus.yml"
    path.write_text('{"scrape_configs": []}\n')
    return path


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a program and everything it started, at last by force."""
    for sent, patience in ((signal.SIGTERM, 60), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, sent)
            process.wait(patience)
        except ProcessLookupError:
            process.wait()
        except subprocess.TimeoutExpired:
            continue
        return


def await_ready(subject: Subject) -> None:
    """Return once it says so.

    Raises:
        RuntimeError: It ended, or was not ready in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and subject.process.poll() is None:
        if subject.is_ready():
            return
        time.sleep(0.02)
    log = (subject.folder / "log").read_text(errors="replace")
    raise RuntimeError(f"{subject.name} is not ready\n{log[-2000:]}")


def free_port() -> int:
    """Return a TCP port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
