"""From a fault to a resolved incident: real processes, real counterparts, a kill in the middle."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.servers import wait_until
from tests.servers.pulsar import PulsarBroker
from tests.servers.qvmon import Qvmon, Qvsim, StartQvmon
from tests.servers.smtp import SmtpServer
from tests.servers.webhook import WebhookServer

ALERT = "OrderAcknowledgementSlow"
RULES = """
groups:
  - name: execution
    interval: 1s
    rules:
      - record: service:order_to_ack_seconds:p95
        expr: >
          histogram_quantile(0.95, sum by (le, service, workflow) (
            rate(qv_execution_order_to_ack_seconds_bucket[10s])))
      - alert: OrderAcknowledgementSlow
        expr: service:order_to_ack_seconds:p95 > 0.1
        for: 2s
        labels:
          severity: critical
        annotations:
          summary: "{{ $labels.service }} acknowledges slowly ({{ $value | humanizeDuration }})"
"""
PROMETHEUS = """
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [rules.yml]
scrape_configs:
  - job_name: qvsim
    file_sd_configs:
      - files: ['{targets}']
        refresh_interval: 5s
"""
pytestmark = [pytest.mark.slow, pytest.mark.server("pulsar"), pytest.mark.timeout(300)]


@dataclass
class Outside:
    """Everything qvmon tells."""

    webhook: WebhookServer
    smtp: SmtpServer
    pulsar: PulsarBroker
    topic: str

    def settings(self) -> dict[str, Any]:
        mail = {"host": "127.0.0.1", "port": self.smtp.port, "security": "none"}
        mail |= {"sender": "qvmon@example.org", "recipients": ["desk@example.org"]}
        return {
            "receivers": [
                {"name": "oncall", "webhooks": [{"url": self.webhook.url}], "emails": [mail]}
            ],
            "events": {
                "pulsar": {"service_url": self.pulsar.service_url},
                "incidents_topic": self.topic,
                "alerts_topic": f"{self.topic}-alerts",
            },
        }

    def notified(self, status: str) -> list[dict[str, Any]]:
        """The webhook bodies with that status that tell of the story's alert."""
        bodies = [each.document for each in self.webhook.accepted]
        return [
            body
            for body in bodies
            if body["status"] == status
            and any(alert["labels"]["alertname"] == ALERT for alert in body["alerts"])
        ]


@pytest.fixture
def outside(
    webhook_server: WebhookServer, smtp_server: SmtpServer, pulsar_broker: PulsarBroker
) -> Outside:
    topic = f"persistent://quantivista/monitoring/incidents-{uuid4().hex[:8]}"
    return Outside(webhook_server, smtp_server, pulsar_broker, topic)


def watching(home: Path, qvsim: Qvsim) -> dict[str, Any]:
    """The settings of a process that scrapes the platform and evaluates the story's rule."""
    home.mkdir(exist_ok=True)
    (home / "rules.yml").write_text(RULES)
    (home / "prometheus.yml").write_text(PROMETHEUS.format(targets=qvsim.targets_file))
    route = {"receivers": ["oncall"], "group_wait_seconds": 0.5, "group_interval_seconds": 1}
    return {
        "prometheus_config": "prometheus.yml",
        "alerting": {"route": route, "start_hold_seconds": 10},
    }


def configured(home: Path, settings: dict[str, Any]) -> tuple[str, str]:
    """Write settings (JSON is YAML); give the arguments of ``qvmon serve`` that use them."""
    home.mkdir(exist_ok=True)
    (home / "qvmon.yml").write_text(json.dumps(settings, indent=2))
    return "--config", str(home / "qvmon.yml")


def eventually(find: Callable[[], Any], what: str, *processes: Qvmon, seconds: float = 60) -> Any:
    """What ``find`` gives once it gives anything."""
    found: list[Any] = []

    def look() -> bool:
        found[:] = [find()]
        return bool(found[0])

    log = processes[0].log if processes else None
    wait_until(look, what, seconds=seconds, log=log)
    return found[0]


def alerts(qvmon: Qvmon, state: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = qvmon.get("/alerts", state=state)["alerts"]
    return [alert for alert in listed if alert["rule"] == ALERT]


def incidents(qvmon: Qvmon, status: str = "") -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = qvmon.get("/incidents")["incidents"]
    return [each for each in listed if not status or each["status"] == status]


def verify(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> tuple[int, str]:
    """The exit status and words of ``qvmon ledger verify``."""
    done = subprocess.run(
        [sys.executable, "-m", "qvmon", "ledger", "verify", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=env,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def play(*, asked: Qvmon, killed: list[Qvmon], qvsim: Qvsim, outside: Outside) -> dict[str, Any]:
    """The story up to its end; gives the incident.

    Args:
        asked: The process whose API people use.
        killed: The processes that are killed in the middle, in the order they start again.
        qvsim: The platform.
        outside: Whom qvmon tells.
    """
    eventually(
        lambda: asked.query("service:order_to_ack_seconds:p95"), "the p95 is recorded", asked
    )
    assert alerts(asked, "firing") == []

    qvsim.command("fault", "set", "trade-execution", "latency", "--factor", "50")
    (alert,) = eventually(lambda: alerts(asked, "firing"), "the alert fires", asked)
    (incident,) = eventually(lambda: incidents(asked, "open"), "an incident opens", asked)
    assert incident["severity"] == "critical"
    assert (incident["service"], incident["workflow"]) == ("order-gateway", "trade-execution")
    (told,) = eventually(lambda: outside.notified("firing"), "the webhook is told", asked)
    assert told["version"] == "4"
    assert "acknowledges slowly" in told["alerts"][0]["annotations"]["summary"]
    (message,) = outside.pulsar.read(outside.topic, 1)
    event = json.loads(message.data())
    assert event["type"].endswith("IncidentCreatedEvent")
    assert incident["incident_id"] in event["subject"]
    stages = print_stages(asked, alert["alert_id"])
    assert list(stages) == sorted(stages, key=lambda name: stages[name])
    asked.post(f"/incidents/{incident['incident_id']}/acknowledge", note="on it")

    for process in killed:
        process.kill()
    time.sleep(1)
    for process in killed:
        process.start()

    eventually(lambda: alerts(asked, "firing"), "the alert still fires", asked)
    time.sleep(5)  # long enough for a second page, were there one
    (same,) = incidents(asked)
    assert (same["incident_id"], same["status"]) == (incident["incident_id"], "acknowledged")
    assert len(outside.notified("firing")) == 1
    assert alerts(asked, "firing")[0]["alert_id"] == alert["alert_id"]

    qvsim.command("fault", "clear")
    eventually(lambda: alerts(asked, "resolved"), "the alert resolves", asked, seconds=90)
    eventually(lambda: incidents(asked, "resolved"), "the incident resolves", asked)
    eventually(lambda: outside.notified("resolved"), "the webhook is told again", asked)
    mails = outside.smtp.wait_for(2)
    assert any("resolved" in mail.message["Subject"].lower() for mail in mails)
    return incident


def print_stages(qvmon: Qvmon, alert_id: str) -> dict[str, datetime]:
    """Print and give the stage times of an alert's first page, as the API tells them."""

    def paged() -> dict[str, Any] | None:
        detail: dict[str, Any] = qvmon.get(f"/alerts/{alert_id}")
        sent = [each for each in detail["deliveries"] if each["sink"] == "webhook:oncall"]
        return detail if sent and sent[0]["state"] == "succeeded" else None

    detail = eventually(paged, "the receipt is there", qvmon)
    fired = next(each for each in detail["history"] if each["type"] == "alert.firing")["body"]
    delivery = next(each for each in detail["deliveries"] if each["sink"] == "webhook:oncall")
    stages = {
        "event": datetime.fromtimestamp(fired["event_ms"] / 1e3, UTC),
        "decided": datetime.fromtimestamp(fired["decided_us"] / 1e6, UTC),
        "routed": datetime.fromisoformat(detail["obligations"][0]["created_at"]),
        "queued": datetime.fromisoformat(detail["obligations"][0]["queued_at"]),
        "sent": datetime.fromisoformat(delivery["started_at"]),
        "delivered": datetime.fromisoformat(delivery["finished_at"]),
    }
    first = stages["event"]
    for name, at in stages.items():
        print(f"  {name:>10}  {at.isoformat()}  +{(at - first).total_seconds() * 1000:.0f} ms")
    return stages


def flip_a_byte(database: Path, words: bytes) -> None:
    """Change one bit of a fact, where it stands in the file."""
    content = bytearray(database.read_bytes())
    at = content.index(words)
    content[at] ^= 1
    database.write_bytes(content)


def test_the_story_in_one_process(
    tmp_path: Path, qvsim: Qvsim, outside: Outside, start_qvmon: StartQvmon
) -> None:
    home = tmp_path / "qvmon"
    settings = {**watching(home, qvsim), **outside.settings()}
    qvmon = start_qvmon(*configured(home, settings), "--listen", "127.0.0.1:{port}")
    qvmon.log_in()
    play(asked=qvmon, killed=[qvmon], qvsim=qvsim, outside=outside)
    qvmon.stop()

    status, words = verify("--data-dir", "data", cwd=home)
    assert (status, "agrees" in words) == (0, True), words
    flip_a_byte(home / "data" / "ledger.sqlite", b'"note":"on it"')
    status, words = verify("--data-dir", "data", cwd=home)
    assert (status, "incident.acknowledged" in words) == (1, True), words


@pytest.mark.server("postgres")
def test_the_story_in_two_processes(
    tmp_path: Path,
    qvsim: Qvsim,
    outside: Outside,
    start_qvmon: StartQvmon,
    postgres_url: str,
) -> None:
    shared = {"ledger": {"url": "env:QVMON_LEDGER_URL"}}
    decides = tmp_path / "decides"
    settings = {**watching(decides, qvsim), **shared, "instance": "decides"}
    settings["targets"] = ["collection", "alerting"]
    settings["receivers"] = outside.settings()["receivers"]
    one = start_qvmon(
        *configured(decides, settings),
        *("--listen", "127.0.0.1:{port}"),
        name="decides",
        QVMON_LEDGER_URL=postgres_url,
    )
    one.log_in()

    tells = tmp_path / "tells"
    tells.mkdir()
    (tells / "peer-token").write_text(one.token)
    settings = {**shared, **outside.settings(), "instance": "tells"}
    settings["targets"] = ["incidents", "distribution", "api"]
    settings["peer"] = {"url": one.url, "token": f"file:{tells / 'peer-token'}"}
    two = start_qvmon(
        *configured(tells, settings),
        *("--listen", "127.0.0.1:{port}"),
        name="tells",
        QVMON_LEDGER_URL=postgres_url,
    )
    two.token = one.token
    play(asked=two, killed=[one, two], qvsim=qvsim, outside=outside)
    one.stop()
    two.stop()

    assert (decides / "data" / "telemetry").exists()
    assert not (tells / "data" / "telemetry").exists()
    plain = postgres_url.replace("+psycopg", "")
    env = {"QVMON_LEDGER_URL": postgres_url, "PATH": ""}
    status, words = verify("--config", str(tells / "qvmon.yml"), cwd=tells, env=env)
    assert (status, "2 chains" in words) == (0, True), words
    with psycopg.connect(plain) as connection:
        connection.execute(
            "UPDATE facts SET body = replace(body, 'on it', 'on  it') "
            "WHERE type = 'incident.acknowledged'"
        )
    status, words = verify("--config", str(tells / "qvmon.yml"), cwd=tells, env=env)
    assert (status, "incident.acknowledged" in words) == (1, True), words
