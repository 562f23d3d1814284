"""What people have works here: Prometheus scrapes qvmon, promtool asks it, senders write to it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.servers import wait_until
from tests.servers.prometheus import StartPrometheus
from tests.servers.qvmon import Qvmon, StartQvmon

pytestmark = [pytest.mark.slow, pytest.mark.server("prometheus")]

SETTINGS = {
    "collection": {"local_interval_seconds": 1, "local_timeout_seconds": 1},
    "prometheus_config": "prometheus.yml",
}


@pytest.fixture
def qvmon(tmp_path: Path, start_qvmon: StartQvmon) -> Qvmon:
    """qvmon watching this host and itself, with somebody logged in."""
    home = tmp_path / "qvmon"
    home.mkdir()
    (home / "prometheus.yml").write_text("global: {scrape_interval: 1s}\n")
    (home / "qvmon.yml").write_text(json.dumps(SETTINGS))
    started = start_qvmon("--config", "qvmon.yml", "--listen", "127.0.0.1:{port}")
    started.log_in()
    wait_until(lambda: len(started.query("up")) == 2, "both local sources are up")
    return started


def run(*command: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def test_promtool_queries_with_a_token_as_password(qvmon: Qvmon, promtool: str) -> None:
    address = f"http://admin:{qvmon.token}@127.0.0.1:{qvmon.port}"
    instant = run(promtool, "query", "instant", address, 'up{job="node"}')
    assert (instant.returncode, "=> 1 @" in instant.stdout) == (0, True), instant.stderr
    labels = run(promtool, "query", "labels", address, "job")
    assert labels.stdout.split() == ["node", "qvmon"]
    series = run(promtool, "query", "series", "--match=node_load1", address)
    assert "node_load1" in series.stdout
    refused = run(promtool, "query", "instant", address, "rate(up)")
    assert refused.returncode != 0
    assert "expected type range vector" in refused.stderr


def test_nobody_queries_without_saying_who_they_are(qvmon: Qvmon, promtool: str) -> None:
    result = run(promtool, "query", "instant", qvmon.url, "up")
    assert (result.returncode != 0, result.stdout) == (True, "")


def test_promtool_finds_nothing_wrong_with_what_qvmon_exports(qvmon: Qvmon, promtool: str) -> None:
    with qvmon.client() as client:
        for path in ("/api/v1/query?query=up", "/-/ready", "/api/v1/nonsense"):
            client.get(path)
        exposed = client.get("/metrics").text
    checked = run(promtool, "check", "metrics", text=exposed)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    assert exposed.count("\n# TYPE qvmon_") > 40


def test_a_real_prometheus_scrapes_qvmon_and_writes_to_it(
    qvmon: Qvmon, start_prometheus: StartPrometheus
) -> None:
    prometheus = start_prometheus(f"""
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: scraped
    authorization: {{credentials: {qvmon.token}}}
    static_configs: [{{targets: ['127.0.0.1:{qvmon.port}']}}]
remote_write:
  - url: {qvmon.url}/api/v1/write
    basic_auth: {{username: admin, password: {qvmon.token}}}
""")

    def value_in_prometheus(expression: str) -> str | None:
        answer = httpx.get(
            f"{prometheus}/api/v1/query", params={"query": expression}, trust_env=False
        )
        result = answer.json()["data"]["result"]
        return result[0]["value"][1] if result else None

    wait_until(lambda: value_in_prometheus('up{job="scraped"}') == "1", "Prometheus scraped qvmon")
    assert float(value_in_prometheus("sum(qvmon_ledger_facts_total)") or 0) > 0
    wait_until(
        lambda: bool(qvmon.query('up{job="scraped"} == 1')), "its remote write arrived", seconds=60
    )
    stored = qvmon.query('count({job="scraped"})')
    assert float(stored[0]["value"][1]) > 100
