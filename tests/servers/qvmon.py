"""qvmon and qvsim as real processes, started and stopped as a person would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import answers, end, free_port, running, wait_until

PASSWORD = "correct horse battery staple"


@dataclass
class Qvmon:
    """One qvmon process, its address, and a logged-in administrator.

    Attributes:
        home: Directory of its configuration, data and log.
        port: Where it listens.
        arguments: What follows ``qvmon serve``.
    """

    home: Path
    port: int
    arguments: list[str]
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    token: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.home / "log"

    def start(self) -> None:
        """Start the process and wait until it is ready."""
        command = [sys.executable, "-m", "qvmon", "serve", *self.arguments]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                command,
                cwd=self.home,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.env},
                start_new_session=True,
            )
        wait_until(self.is_ready, "qvmon ready", seconds=90, log=self.log)

    def is_ready(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            pytest.fail(f"qvmon ended\n{self.log.read_text()[-4000:]}", pytrace=False)
        return answers(f"{self.url}/-/ready")

    def kill(self) -> None:
        """Kill the process as a power cut would: no handler runs."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        """Stop the process as Ctrl-C would."""
        if self.process is not None and self.process.poll() is None:
            end(self.process, signal.SIGINT)

    def log_in(self) -> None:
        """Use the one-time password, choose another, and make a token for further requests."""
        first = (self.home / "data" / "initial-admin-password").read_text().strip()
        with httpx.Client(
            base_url=f"{self.url}/api/qvmon/v1", headers={"X-Qvmon-Request": "1"}, trust_env=False
        ) as client:
            _done(client.post("/session", json={"username": "admin", "password": first}))
            changed = {"current": first, "new": PASSWORD}
            _done(client.post("/session/password", json=changed))
            roles = {"name": "test", "roles": ["administrator"]}
            self.token = _done(client.post("/tokens", json=roles))["secret"]

    def client(self) -> httpx.Client:
        """An HTTP client that acts as the administrator."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return httpx.Client(base_url=self.url, headers=headers, trust_env=False, timeout=30)

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON under a path of qvmon's own API."""
        with self.client() as client:
            return _done(client.get(f"/api/qvmon/v1{path}", params=parameters))

    def post(self, path: str, **body: Any) -> Any:
        """Post JSON to a path of qvmon's own API; its answer."""
        with self.client() as client:
            return _done(client.post(f"/api/qvmon/v1{path}", json=body))

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query."""
        with self.client() as client:
            answer = _done(client.get("/api/v1/query", params={"query": expression}))
            result: list[dict[str, Any]] = answer["data"]["result"]
            return result


def _done(response: httpx.Response) -> Any:
    assert response.is_success, f"{response.request.url}: {response.status_code} {response.text}"
    return response.json() if response.content else None


StartQvmon = Callable[..., Qvmon]


@pytest.fixture
def start_qvmon(tmp_path: Path) -> Iterator[StartQvmon]:
    """A function that starts ``qvmon serve`` with arguments; ``{port}`` in them is its port."""
    with ExitStack() as stack:

        def start(
            *arguments: str, name: str = "qvmon", port: int | None = None, **env: str
        ) -> Qvmon:
            home = tmp_path / name
            home.mkdir(exist_ok=True)
            port = port or free_port()
            filled = [argument.replace("{port}", str(port)) for argument in arguments]
            qvmon = Qvmon(home, port, filled, env)
            stack.callback(qvmon.stop)
            qvmon.start()
            return qvmon

        yield start


@dataclass(frozen=True)
class Qvsim:
    """A running simulated platform."""

    control: str
    targets_file: Path

    def targets(self) -> list[dict[str, Any]]:
        """The groups of its file-discovery file."""
        groups: list[dict[str, Any]] = json.loads(self.targets_file.read_text())
        return groups

    def command(self, *arguments: str) -> None:
        """Run a ``qvsim`` command against it."""
        subprocess.run(
            [sys.executable, "-m", "qvsim", *arguments, "--control", self.control],
            check=True,
            capture_output=True,
        )


@pytest.fixture
def qvsim(tmp_path: Path) -> Iterator[Qvsim]:
    """The simulated platform, started apart from qvmon."""
    home = tmp_path / "qvsim"
    home.mkdir()
    port = free_port()
    targets = home / "targets.json"
    control = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "qvsim", "run", "--base-port", str(port)]
    command += ["--targets-file", str(targets), "--seed", "1"]
    log = home / "log"
    with running(command, log=log, stop=signal.SIGINT):
        platform = Qvsim(control, targets)
        wait_until(lambda: _all_answer(platform), "qvsim ready", log=log)
        yield platform


def _all_answer(platform: Qvsim) -> bool:
    if not platform.targets_file.exists():
        return False
    addresses = [target for group in platform.targets() for target in group["targets"]]
    return all(answers(f"http://{address}/metrics") for address in addresses)
