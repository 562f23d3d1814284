"""What both are given to scrape and to evaluate: a target, its exemplars, and rules."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EXPOSED = b"""# TYPE demo_requests counter
# HELP demo_requests Requests that came.
demo_requests_total{path="/"} 17 # {trace_id="abc"} 1 1704067200
demo_requests_total{path="/x"} 4
# TYPE demo_temperature_celsius gauge
# UNIT demo_temperature_celsius celsius
# HELP demo_temperature_celsius How warm it is.
demo_temperature_celsius 21.5
# TYPE demo_seconds histogram
demo_seconds_bucket{le="0.5"} 3 # {trace_id="def"} 0.3
demo_seconds_bucket{le="+Inf"} 5
demo_seconds_sum 2.5
demo_seconds_count 5
# EOF
"""

RULES = """
groups:
- name: first
  interval: 1s
  rules:
  - {record: "demo:twice", expr: demo_temperature_celsius * 2, labels: {kind: derived}}
  - alert: Always
    expr: vector(1)
    labels: {severity: page}
    annotations: {summary: "it is {{ $value }}"}
  - {alert: Never, expr: vector(1) > 2, for: 5m, keep_firing_for: 1m}
- name: second
  interval: 1s
  rules:
  - {alert: Waiting, expr: demo_temperature_celsius > 20, for: 1h, labels: {severity: info}}
"""


class _Exporter(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/openmetrics-text; version=1.0.0")
        self.send_header("Content-Length", str(len(EXPOSED)))
        self.end_headers()
        self.wfile.write(EXPOSED)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def exporter() -> Iterator[int]:
    """Serve the exposition while the block lasts; gives the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Exporter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


def configuration(folder: Path, port: int) -> str:
    """Return a ``prometheus.yml`` that scrapes ``port``, with rules put into ``folder``."""
    (folder / "rules.yml").write_text(RULES)
    return json.dumps(
        {
            "global": {
                "scrape_interval": "1s",
                "evaluation_interval": "1m",
                "external_labels": {"region": "test"},
            },
            "rule_files": [str(folder / "rules.yml")],
            "scrape_configs": [
                {"job_name": "exporter", "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]},
                {"job_name": "down", "static_configs": [{"targets": ["127.0.0.1:1"]}]},
                {
                    "job_name": "dropping",
                    "static_configs": [{"targets": ["127.0.0.1:2"]}],
                    "relabel_configs": [{"action": "drop", "source_labels": ["job"]}],
                },
            ],
        }
    )
