"""A real Prometheus server, started when a test asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.servers import answers, free_port, program, running, wait_until

StartPrometheus = Callable[[str], str]


@pytest.fixture
def start_prometheus(tmp_path: Path) -> Iterator[StartPrometheus]:
    """A function that starts Prometheus with the text of a ``prometheus.yml``; gives its URL."""
    binary = program("prometheus")
    with ExitStack() as stack:

        def start(config: str) -> str:
            home = tmp_path / f"prometheus-{free_port()}"
            home.mkdir()
            (home / "prometheus.yml").write_text(config)
            port = free_port()
            log = home / "log"
            command = [
                binary,
                f"--config.file={home / 'prometheus.yml'}",
                f"--storage.tsdb.path={home / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--web.enable-remote-write-receiver",
            ]
            stack.enter_context(running(command, log=log))
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(f"{url}/-/ready"), "Prometheus ready", log=log)
            return url

        yield start


@pytest.fixture(scope="session")
def promtool() -> str:
    """The path of ``promtool``."""
    return program("promtool")
