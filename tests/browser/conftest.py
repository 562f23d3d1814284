"""A Chromium, a qvmon with the built web client, and the platform it watches: one of each.

``qvmon_server`` is a running ``tests.servers.qvmon.Qvmon`` that scrapes ``platform`` each second
and evaluates ``RULES``; its administrator is ``admin`` with ``tests.servers.qvmon.PASSWORD``.
The web client must have been built (``make ui``), else the tests are left out.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from qvmon.api.http.static import STATIC
from tests.servers import answers, free_port, leave_out, program, running, wait_until
from tests.servers.qvmon import PASSWORD, Qvmon, Qvsim

RULES = """
groups:
  - name: execution
    interval: 1s
    rules:
      - alert: OrderAcknowledgementSlow
        expr: >
          histogram_quantile(0.95, sum by (le, service, workflow) (
            rate(qv_execution_order_to_ack_seconds_bucket[10s]))) > 0.1
        for: 2s
        labels: {severity: critical}
        annotations:
          summary: "{{ $labels.service }} acknowledges slowly"
          runbook_url: https://runbooks.example.org/order-acknowledgement
      - alert: NobodyThere
        expr: up{job="nobody"} == 0
        for: 1h
        labels: {severity: warning, workflow: trading-decision, service: nobody}
        annotations: {summary: "Nobody is there"}
"""
PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: qvsim
    file_sd_configs: [{{files: ['{targets}'], refresh_interval: 2s}}]
  - job_name: nobody
    static_configs: [{{targets: ['127.0.0.1:1']}}]
"""
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
]
PATIENCE_MS = 20_000


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qvsim]:
    home = tmp_path_factory.mktemp("platform")
    port = free_port()
    targets, log = home / "targets.json", home / "log"
    command = [sys.executable, "-m", "qvsim", "run", "--base-port", str(port)]
    command += ["--targets-file", str(targets), "--seed", "1"]
    with running(command, log=log, stop=signal.SIGINT):
        found = Qvsim(f"http://127.0.0.1:{port}", targets)
        wait_until(lambda: _all_answer(found), "qvsim ready", log=log)
        yield found


def _all_answer(platform: Qvsim) -> bool:
    if not platform.targets_file.exists():
        return False
    addresses = [target for group in platform.targets() for target in group["targets"]]
    return all(answers(f"http://{address}/metrics") for address in addresses)


@pytest.fixture(scope="session")
def qvmon_server(tmp_path_factory: pytest.TempPathFactory, platform: Qvsim) -> Iterator[Qvmon]:
    if not (STATIC / "index.html").exists():
        leave_out("the web client has not been built: make ui")
    home = tmp_path_factory.mktemp("qvmon")
    (home / "rules.yml").write_text(RULES)
    (home / "prometheus.yml").write_text(PROMETHEUS.format(targets=platform.targets_file))
    settings = {"prometheus_config": "prometheus.yml", "alerting": {"start_hold_seconds": 0}}
    (home / "qvmon.yml").write_text(json.dumps(settings))
    server = _server(home)
    try:
        server.start()
        server.log_in()
        wait_until(lambda: len(server.query('up{job="qvsim"}')) == 4, "every workflow scraped")
        yield server
    finally:
        server.stop()


def _server(home: Path) -> Qvmon:
    port = free_port()
    arguments = ["--config", "qvmon.yml", "--data-dir", "data", "--listen", f"127.0.0.1:{port}"]
    return Qvmon(home, port, arguments)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    binary = program("chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser, qvmon_server: Qvmon) -> Iterator[BrowserContext]:
    """A fresh profile; fails the test when a page broke, or asked anybody but qvmon."""
    made = chromium.new_context(
        base_url=qvmon_server.url,
        viewport={"width": 1440, "height": 900},
        color_scheme="dark",
        reduced_motion="reduce",
    )
    made.set_default_timeout(PATIENCE_MS)
    broken: list[str] = []
    made.on("weberror", lambda error: broken.append(str(error.error)))
    made.on(
        "console",
        lambda said: broken.append(said.text) if "Content Security Policy" in said.text else None,
    )
    made.on(
        "request",
        lambda request: (
            None if _is_own(request.url, qvmon_server) else broken.append(f"asked {request.url}")
        ),
    )
    yield made
    made.close()
    assert broken == []


def _is_own(url: str, server: Qvmon) -> bool:
    return urlsplit(url).netloc == f"127.0.0.1:{server.port}"


@pytest.fixture
def anonymous(context: BrowserContext) -> Page:
    """A page of somebody who is not signed in."""
    return context.new_page()


@pytest.fixture(scope="session")
def administrator(qvmon_server: Qvmon) -> str:
    """The cookie of a session that the administrator opened once: log-ins are limited."""
    credentials = {"username": "admin", "password": PASSWORD}
    answer = httpx.post(
        f"{qvmon_server.url}/api/qvmon/v1/session",
        json=credentials,
        headers={"X-Qvmon-Request": "1"},
        trust_env=False,
    )
    assert answer.is_success, answer.text
    return answer.cookies["qvmon_session"]


@pytest.fixture
def page(context: BrowserContext, qvmon_server: Qvmon, administrator: str) -> Page:
    """A page of the administrator."""
    context.add_cookies(
        [{"name": "qvmon_session", "value": administrator, "url": qvmon_server.url}]
    )
    return context.new_page()


def sign_in(context: BrowserContext, login: str, password: str) -> None:
    """Give a profile the session cookie of a user."""
    answer = context.request.post(
        "/api/qvmon/v1/session",
        data={"username": login, "password": password},
        headers={"X-Qvmon-Request": "1"},
    )
    assert answer.ok, answer.text()
