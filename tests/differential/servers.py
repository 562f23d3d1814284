"""A real Prometheus and a real ``qvmon serve``, set alike, holding the same samples."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks import peers
from tests.differential.delivery import Delivery, requests
from tests.differential.sender import HEADERS, write_request
from tests.differential.series import Series
from tests.servers import end, free_port

FEATURES = (
    "promql-experimental-functions,promql-binop-fill-modifiers,promql-unquoted-utf8-names,"
    "promql-per-step-stats,exemplar-storage,search-api"
)
_START_SECONDS = 90.0
_SHORT_BLOCKS = ", block_seconds: 1200, upkeep_interval_seconds: 0.3"
_CUTTING = 1.0
"""Seconds in which qvmon cuts blocks of what it was sent."""


@dataclass(frozen=True, slots=True)
class Server:
    """One of the two, and a client that talks to it."""

    name: str
    url: str
    client: httpx.Client

    def ask(self, path: str, parameters: dict[str, str], method: str) -> httpx.Response:
        """Return the response to a form, or to parameters in the address."""
        if method == "POST":
            return self.client.post(f"{self.url}{path}", data=parameters)
        return self.client.get(f"{self.url}{path}", params=parameters)

    def lives(self) -> bool:
        """Return whether it still answers."""
        try:
            return self.client.get(f"{self.url}/-/healthy").is_success
        except httpx.TransportError:
            return False

    def write(self, body: bytes) -> None:
        """Send a remote-write request."""
        self.client.post(
            f"{self.url}/api/v1/write", content=body, headers=HEADERS
        ).raise_for_status()


@dataclass(frozen=True, slots=True)
class Setting:
    """What both are told.

    Attributes:
        delayed_name_removal: Whether metric names go when a query ends.
        prometheus_yml: The configuration both read.
        delivery: How the samples reach them.
        seed: Says which samples come late.
    """

    delayed_name_removal: bool = False
    prometheus_yml: str = (
        "global: {evaluation_interval: 1m}\nstorage: {tsdb: {out_of_order_time_window: 30d}}\n"
    )
    delivery: Delivery = Delivery.AT_ONCE
    seed: int = 0

    @classmethod
    def of(cls, seed: int) -> Setting:
        """Return what a data set is tried with: each seed another way."""
        deliveries = list(Delivery)
        return cls(
            delayed_name_removal=seed % 2 == 1,
            delivery=deliveries[seed // 2 % len(deliveries)],
            seed=seed,
        )


@contextmanager
def both(
    folder: Path, setting: Setting, series: Sequence[Series]
) -> Iterator[tuple[Server, Server]]:
    """Run Prometheus and qvmon with ``series`` in them while the block lasts.

    Raises:
        RuntimeError: The peer is not built, or one of them does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(setting.prometheus_yml)
    running: list[_Program] = []
    try:
        for name, command in (("prometheus", _prometheus), ("qvmon", _qvmon)):
            port = free_port()
            running.append(_Program(name, command(folder, setting, port), folder, port))
        for program in running:
            program.await_ready()
            for part in requests(setting.seed, series, setting.delivery):
                program.server.write(write_request(part))
                if setting.delivery is not Delivery.AT_ONCE and program.server.name == "qvmon":
                    time.sleep(_CUTTING)
        if setting.delivery is Delivery.RESTARTED:
            running[1].restart()
        yield running[0].server, running[1].server
    finally:
        for program in running:
            program.server.client.close()
            end(program.process, signal.SIGTERM)


class _Program:
    """One of the two as a process."""

    def __init__(self, name: str, command: list[str], folder: Path, port: int) -> None:
        self._command, self._log = command, folder / f"{name}.log"
        client = httpx.Client(timeout=60, trust_env=False)
        self.server = Server(name, f"http://127.0.0.1:{port}", client)
        self.process = _started(command, self._log)

    def await_ready(self) -> None:
        """Return when it answers, or raise with the end of its log."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.server.client.get(f"{self.server.url}/-/ready").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise RuntimeError(f"{self.server.name} is not ready\n{self._log.read_text()[-2000:]}")

    def restart(self) -> None:
        """Kill it at once, and start it again with the files it left."""
        end(self.process, signal.SIGKILL)
        self.process = _started(self._command, self._log)
        self.await_ready()


def _started(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "GOMAXPROCS": "2"},
        )


def _prometheus(folder: Path, setting: Setting, port: int) -> list[str]:
    binary = peers.found(peers.PROMETHEUS)
    if binary is None:
        raise RuntimeError("Prometheus 3.16 is not built here: python -m benchmarks.peers")
    more = ",promql-delayed-name-removal" if setting.delayed_name_removal else ""
    return [
        *(str(binary), f"--config.file={folder / 'prometheus.yml'}"),
        *(f"--storage.tsdb.path={folder / 'prometheus'}", f"--web.listen-address=127.0.0.1:{port}"),
        *("--web.enable-remote-write-receiver", "--web.enable-admin-api", "--log.level=warn"),
        *("--storage.tsdb.retention.time=100y", f"--enable-feature={FEATURES}{more}"),
    ]


def _qvmon(folder: Path, setting: Setting, port: int) -> list[str]:
    settings = (
        f"data_dir: {folder / 'qvmon'}\n"
        f"prometheus_config: {folder / 'prometheus.yml'}\n"
        "local: {host: false, qvmon: false}\n"
        "alerting: {unknown_hold_seconds: 0}\n"
        "telemetry: {retention_seconds: 0, out_of_order_window_seconds: 2592000"
        f"{_SHORT_BLOCKS if setting.delivery is not Delivery.AT_ONCE else ''}}}\n"
        f"query: {{delayed_name_removal: {str(setting.delayed_name_removal).lower()}}}\n"
    )
    (folder / "qvmon.yml").write_text(settings)
    return [
        *(sys.executable, "-m", "qvmon", "serve", "--config", str(folder / "qvmon.yml")),
        *("--no-auth", "--listen", f"127.0.0.1:{port}", "--log-level", "warning"),
    ]


def answer(
    server: Server, path: str, parameters: dict[str, str], method: str = "POST"
) -> dict[str, Any]:
    """Return what ``server`` says: its JSON, and the status beside it as ``http`` (0: nothing)."""
    try:
        response = server.ask(path, parameters, method)
    except httpx.TransportError:  # a connection that was idle for long may be closed by then
        try:
            response = server.ask(path, parameters, method)
        except httpx.TransportError as error:
            return {"http": 0, "status": "no answer", "error": repr(error)}
    try:
        said = response.json()
    except ValueError:
        said = {"status": "no JSON", "error": response.text[:300]}
    return {"http": response.status_code, **said}
