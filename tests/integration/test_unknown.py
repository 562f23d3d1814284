"""A target dies, qvmon is killed, both come back: what was missed meanwhile is written down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.servers import free_port, wait_until
from tests.servers.qvmon import Qvmon, StartQvmon

CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: orders
    static_configs:
      - targets: ["127.0.0.1:{port}"]
        labels: {{workflow: trade-execution}}
"""


class Page(BaseHTTPRequestHandler):
    """What the target says."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"orders_total 1\n")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def target(port: int) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", port), Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def intervals(qvmon: Qvmon, reason: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = qvmon.get("/unknown")["unknown"]
    return [each for each in listed if each["reason"] == reason]


def test_a_dead_target_is_unknown_until_it_answers_again_even_over_a_kill(
    start_qvmon: StartQvmon, tmp_path: Path
) -> None:
    port = free_port()
    scope = {"job": "orders", "instance": f"127.0.0.1:{port}", "workflow": "trade-execution"}
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(port=port))
    with target(port):
        qvmon = start_qvmon(
            "--prometheus-config",
            str(config),
            "--data-dir",
            "data",
            "--listen",
            "127.0.0.1:{port}",
            "--no-auth",
        )
        wait_until(lambda: qvmon.query("up{job='orders'} == 1"), "the target is up")
        assert [each for each in qvmon.get("/unknown")["unknown"] if each["scope"] == scope] == []

    wait_until(lambda: intervals(qvmon, "scrape_refused"), "the dead target is unknown")
    (before,) = intervals(qvmon, "scrape_refused")
    assert (before["scope"], before["end"]) == (scope, None)
    (series,) = qvmon.query("qv_unknown{reason='scrape_refused'}")
    assert series["value"][1] == "1"
    assert qvmon.query("{job='orders', __name__!~'up|scrape_.*|orders_total'}") == []

    qvmon.kill()
    qvmon.start()
    (resumed,) = intervals(qvmon, "scrape_refused")
    assert (resumed["start"], resumed["end"]) == (before["start"], None)

    with target(port):
        wait_until(
            lambda: intervals(qvmon, "scrape_refused")[-1]["end"], "the target is known again"
        )
        wait_until(lambda: intervals(qvmon, "qvmon_down")[-1]["end"], "qvmon's absence has ended")
    (after,) = intervals(qvmon, "scrape_refused")
    assert after["start"] == before["start"] < after["end"]
    (absence,) = intervals(qvmon, "qvmon_down")
    assert absence["scope"] == {}
    assert absence["start"] < absence["end"]
