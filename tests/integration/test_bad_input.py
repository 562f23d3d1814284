"""Bad input gets a clear error, and the rest goes on."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cramjam
import httpx
import pytest

from tests.servers import free_port, wait_until
from tests.servers.qvmon import Qvmon

pytestmark = pytest.mark.slow

MEGABYTE = 1 << 20
PAGES: dict[str, tuple[dict[str, str], bytes]] = {
    "healthy": ({}, b"good_total 1\n"),
    "broken": ({}, b'fine 1\nfine_too{a="b"} 2\nbroken{a="b" 3\n'),
    "long-line": ({}, b"# HELP " + b"x" * (10 * MEGABYTE) + b"\ngood 1\n"),
    "long-value": ({}, b'm{a="' + b"x" * (10 * MEGABYTE) + b'"} 1\n'),
    "labels": ({}, b"m{" + b",".join(b'l%d="v"' % n for n in range(5000)) + b"} 1\n"),
    "series": ({}, b"".join(b'm{n="%d"} 1\n' % n for n in range(5000))),
    "gzip": ({"Content-Encoding": "gzip"}, gzip.compress(b"#" * (64 * MEGABYTE), 1)),
    "garbage": ({}, bytes(range(256)) * 10),
}
JOB = """
  - job_name: {name}
    metrics_path: /{name}
    body_size_limit: 20MB
    label_limit: 100
    label_value_length_limit: 1000
    sample_limit: 1000
    static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""


@contextmanager
def exporter() -> Iterator[int]:
    """Serve ``PAGES``, each under its name; give the port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers, body = PAGES.get(self.path.strip("/"), ({}, b""))
            self.send_response(200)
            for name, value in {"Content-Type": "text/plain", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                return  # qvmon stopped reading, as it should

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def qvmon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qvmon]:
    """One qvmon that scrapes every page, without a log-in."""
    with exporter() as port:
        home = tmp_path_factory.mktemp("qvmon")
        jobs = "".join(JOB.format(name=name, port=port) for name in PAGES)
        scraping = "global: {scrape_interval: 1s}\nscrape_configs:\n"
        (home / "prometheus.yml").write_text(scraping + jobs)
        listen = free_port()
        arguments = ["--prometheus-config", "prometheus.yml", "--data-dir", "data"]
        arguments += ["--listen", f"127.0.0.1:{listen}", "--no-auth"]
        started = Qvmon(home, listen, arguments)
        started.start()
        yield started
        started.stop()


def last_errors(qvmon: Qvmon) -> dict[str, str]:
    with qvmon.client() as client:
        active = client.get("/api/v1/targets").json()["data"]["activeTargets"]
    return {each["scrapePool"]: each["lastError"] for each in active}


def test_each_bad_page_says_why_and_the_healthy_one_goes_on(qvmon: Qvmon) -> None:
    def ups() -> dict[str, str]:
        return {each["metric"]["job"]: each["value"][1] for each in qvmon.query("up")}

    wait_until(lambda: ups().keys() == PAGES.keys(), "every page was tried", log=qvmon.log)
    assert ups() == {name: "1" if name in ("healthy", "long-line") else "0" for name in PAGES}
    errors = last_errors(qvmon)
    assert errors["healthy"] == ""
    assert "line 3" in errors["broken"]
    assert "at most 65536" in errors["long-value"]
    assert "label_limit" in errors["labels"]
    assert "sample_limit exceeded" in errors["series"]
    assert "body" in errors["gzip"]
    assert "line 1" in errors["garbage"] or "UTF-8" in errors["garbage"]
    assert all(len(error) < 500 for error in errors.values())
    assert qvmon.query("good_total")[0]["value"][1] == "1"
    assert qvmon.query("fine") == []


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Encoding": "snappy"}, b"not snappy at all", 400),
        ({"Content-Encoding": "snappy"}, bytes(cramjam.snappy.compress_raw(b"\xff" * 50)), 400),
        ({"Content-Encoding": "snappy"}, bytes(cramjam.snappy.compress_raw(bytes(300 << 20))), 413),
        ({"Content-Encoding": "snappy"}, b"\x00" * (40 << 20), 413),
    ],
    ids=["not compressed", "not protobuf", "bomb", "too large"],
)
def test_a_bad_remote_write_is_refused_and_the_next_good_one_taken(
    qvmon: Qvmon, headers: dict[str, str], body: bytes, status: int
) -> None:
    with qvmon.client() as client:
        answer = client.post("/api/v1/write", content=body, headers=headers)
        assert answer.status_code == status, answer.text
        assert answer.text.strip()
        assert client.post("/api/v1/write", content=EMPTY_WRITE, headers=headers).is_success


EMPTY_WRITE = bytes(cramjam.snappy.compress_raw(b""))


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ("sum(", "parse error"),
        ("rate(up)", "expected type range vector"),
        ("x" * 20_000 + "(", "parse error"),
        ("(" * 5_000, "parse error"),
    ],
    ids=["unfinished", "wrong type", "long", "deep"],
)
def test_a_bad_query_is_refused_in_prometheus_words(
    qvmon: Qvmon, query: str, complaint: str
) -> None:
    with qvmon.client() as client:
        answer = client.post("/api/v1/query", data={"query": query})
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")
    assert complaint in answer.json()["error"]


def test_bad_json_and_unknown_things_are_refused_by_name(qvmon: Qvmon) -> None:
    with qvmon.client() as client:
        prefix = "/api/qvmon/v1"
        missing = client.get(f"{prefix}/incidents/nonsense")
        broken = client.post(f"{prefix}/incidents/x/comment", content=b"{")
        large = client.post(f"{prefix}/incidents/x/comment", content=b"[" * (4 << 20))
    assert (missing.status_code, missing.json()["error"]["kind"]) == (404, "not_found")
    assert (400 <= broken.status_code < 500, "error" in broken.json()) == (True, True)
    assert large.status_code == 413


def checked(*arguments: str, cwd: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "qvmon", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("rule", "places"),
    [
        ("alert: A\n        expr: sum(\n      - record: r\n        expr: up +", ("5:", "7:")),
        ("alert: A\n        expr: up\n        four: 1s", ("6:9:",)),
        ("alert: A\n        expr: up\n        annotations: {a: '{{ nope }}'}", ("6:",)),
    ],
    ids=["expression", "field", "template"],
)
def test_a_wrong_rule_file_is_refused_with_line_and_column(
    tmp_path: Path, rule: str, places: tuple[str, ...]
) -> None:
    (tmp_path / "prometheus.yml").write_text("rule_files: [rules.yml]\n")
    (tmp_path / "rules.yml").write_text(f"groups:\n  - name: g\n    rules:\n      - {rule}\n")
    for command in (("check", "config"), ("serve", "--prometheus-config")):
        status, words = checked(*command, "prometheus.yml", cwd=tmp_path)
        assert status == 1
        assert [place for place in places if f"rules.yml:{place}" not in words] == []
        assert "Traceback" not in words


def test_a_wrong_configuration_is_refused_with_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "qvmon.yml").write_text("instance: x\napi:\n  port: lots\nsurprise: 1\n")
    for command in (("check", "config"), ("serve", "--config")):
        status, words = checked(*command, "qvmon.yml", cwd=tmp_path)
        assert status == 1
        assert "qvmon.yml:3:3: api.port" in words
        assert "qvmon.yml:4:1: surprise: unknown field" in words
        assert "Traceback" not in words


def test_no_auth_is_refused_off_loopback(tmp_path: Path) -> None:
    status, words = checked("serve", "--listen", "0.0.0.0:0", "--no-auth", cwd=tmp_path)
    assert status == 1
    assert "no_auth is refused on 0.0.0.0" in words


def test_a_second_owner_of_a_data_directory_is_refused(qvmon: Qvmon) -> None:
    status, words = checked(
        *("serve", "--data-dir", "data", "--listen", "127.0.0.1:0", "--no-auth"), cwd=qvmon.home
    )
    assert status == 1
    assert "owned by a running qvmon" in words
    assert httpx.get(f"{qvmon.url}/-/healthy", trust_env=False).status_code == 200


def test_a_port_in_use_is_refused_in_words(qvmon: Qvmon, tmp_path: Path) -> None:
    status, words = checked("serve", "--listen", f"127.0.0.1:{qvmon.port}", cwd=tmp_path)
    assert status == 1
    assert str(qvmon.port) in words
    assert "Traceback" not in words


def test_what_is_not_supported_yet_is_named_in_a_warning(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(
        "remote_read: [{url: 'http://x'}]\n"
        "scrape_configs:\n  - job_name: k\n    kubernetes_sd_configs: [{role: pod}]\n"
    )
    status, words = checked("check", "config", "prometheus.yml", cwd=tmp_path)
    assert status == 0
    assert "prometheus.yml:1:1" in words
    assert "remote_read" in words
    assert "prometheus.yml:4:5" in words
    assert "kubernetes_sd_configs" in words
