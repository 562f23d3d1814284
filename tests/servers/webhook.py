"""A real HTTP server that records what it is sent and answers as told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.servers import free_port


@dataclass(frozen=True)
class Received:
    """One request as it came; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    status: int

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """How to answer one request; ``drops`` closes the connection without a word."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay_seconds: float = 0.0
    drops: bool = False


class WebhookServer:
    """Answers 200 to every POST, once the answers it was told to give are used up."""

    def __init__(self) -> None:
        self.port = free_port()
        self.received: list[Received] = []
        self._answers: list[Answer] = []
        self._news = threading.Condition()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def will_answer(self, *answers: Answer) -> None:
        """Answer the next requests so."""
        self._answers.extend(answers)

    def wait_for(self, count: int, seconds: float = 30) -> list[Received]:
        """Return what came, once so many requests were answered with 2xx."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.accepted) >= count, seconds):
                pytest.fail(f"{len(self.accepted)} of {count} requests within {seconds} s")
        return self.accepted

    @property
    def accepted(self) -> list[Received]:
        """The requests answered with 2xx."""
        return [each for each in self.received if 200 <= each.status < 300]

    def start(self) -> None:
        """Listen; again on the same port after ``stop``."""
        server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        server.daemon_threads = True
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse connections."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> Answer:
        with self._news:
            answer = self._answers.pop(0) if self._answers else Answer()
            status = 0 if answer.drops else answer.status
            self.received.append(Received(path, headers, body, status))
            self._news.notify_all()
        return answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        take = self._take

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                answer = take(self.path, headers, body)
                time.sleep(answer.delay_seconds)
                if answer.drops:
                    self.close_connection = True
                    return
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                return

        return Handler


@pytest.fixture
def webhook_server() -> Iterator[WebhookServer]:
    """A listening webhook server."""
    server = WebhookServer()
    server.start()
    yield server
    server.stop()
