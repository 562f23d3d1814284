"""PromQL over HTTP means what Prometheus' scripts, and our own, say it means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import promqltest
import pytest
import served
from known_failures import KNOWN_SERVED
from test_scripts import OURS, UPSTREAM

from tests.servers import free_port
from tests.servers.qvmon import Qvmon

_LEFT_OUT = (promqltest.NATIVE, promqltest.STARTS)

SETTINGS = """
local: {host: false, qvmon: false}
telemetry: {retention_seconds: 0, out_of_order_window_seconds: 1000000000}
query: {delayed_name_removal: true}
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a running qvmon that takes samples of any age."""
    home = tmp_path_factory.mktemp("qvmon")
    (home / "qvmon.yml").write_text(SETTINGS)
    port = free_port()
    arguments = ["--config", "qvmon.yml", "--no-auth", "--listen", f"127.0.0.1:{port}"]
    qvmon = Qvmon(home, port, arguments)
    try:
        qvmon.start()
        with qvmon.client() as client:
            yield client
    finally:
        qvmon.stop()


@pytest.mark.parametrize("script", OURS, ids=lambda path: path.stem)
def test_our_scripts_pass_over_http(client: httpx.Client, script: Path) -> None:
    """Every case of our own scripts gives what it says."""
    verdicts = list(served.run(script.read_text(), client))
    assert verdicts
    assert [v for v in verdicts if v.problem] == []


@pytest.mark.parametrize("name", UPSTREAM)
def test_prometheus_scripts_pass_over_http(
    client: httpx.Client, upstream_scripts: Path, name: str
) -> None:
    """Every case gives Prometheus' result, but for what cannot be sent and the known failures."""
    file = f"{name}.test"
    verdicts = list(served.run((upstream_scripts / file).read_text(), client))
    known = KNOWN_SERVED.get(file, {})
    failed = {v.line: v for v in verdicts if v.problem not in (None, *_LEFT_OUT)}
    counts = Counter(
        "passed" if v.problem is None else v.problem if v.problem in _LEFT_OUT else "known failure"
        for v in verdicts
    )
    print(f"{file} over HTTP: {dict(counts)}")
    assert [v for line, v in failed.items() if line not in known] == []
    mended = [line for line in known if line not in failed]
    assert mended == [], "these pass now: take them out of known_failures.py"
