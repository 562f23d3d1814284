"""A real SMTP server in this process that keeps the mail and refuses on demand."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import psutil
import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tests.servers import free_port

USERNAME, PASSWORD = "qvmon", "correct horse"


@dataclass(frozen=True)
class Mail:
    """One mail as the server took it."""

    sender: str
    recipients: list[str]
    message: EmailMessage

    def part(self, media_type: str) -> str:
        """The text of the part of that type."""
        for part in self.message.walk():
            if part.get_content_type() == media_type:
                return str(part.get_content())
        raise AssertionError(f"no {media_type} in the mail")


class SmtpServer:
    """Takes every mail, once the replies it was told to give are used up.

    Args:
        directory: Where the authority's certificate is written.
        security: As ``SmtpConfig.security``; with TLS, a log-in is asked for.
    """

    def __init__(
        self, directory: Path, security: Literal["none", "starttls", "tls"] = "none"
    ) -> None:
        self.port = free_port()
        self.security = security
        self.mails: list[Mail] = []
        self.refused_recipients: set[str] = set()
        self._replies: list[str] = []
        self._news = threading.Condition()
        self._controller: Controller | None = None
        authority = trustme.CA()
        self.ca_file = str(directory / "ca.pem")
        authority.cert_pem.write_to_path(self.ca_file)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(self._context)

    def will_reply(self, *replies: str) -> None:
        """Reply to the next mails so, such as ``451 try later``."""
        self._replies.extend(replies)

    def wait_for(self, count: int, seconds: float = 30) -> list[Mail]:
        """Return the mail once there is so much of it."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.mails) >= count, seconds):
                pytest.fail(f"{len(self.mails)} of {count} mails within {seconds} s")
        return self.mails

    def start(self) -> None:
        """Listen; again on the same port after ``stop``."""
        options: dict[str, Any] = {"hostname": "127.0.0.1", "port": self.port}
        if self.security != "none":
            options |= {"authenticator": _authenticate, "auth_required": True}
        if self.security == "starttls":
            options |= {"tls_context": self._context, "require_starttls": True}
        if self.security == "tls":
            options |= {"ssl_context": self._context, "auth_require_tls": False}
        self._controller = Controller(self, **options)
        self._controller.start()

    def stop(self) -> None:
        """Refuse connections."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    async def no_clients(self) -> None:
        """Return once every connection from this process is closed: TLS says good-bye first."""
        async with asyncio.timeout(10):
            while any(  # noqa: ASYNC110 - nothing tells when a socket is gone
                each.raddr and each.raddr.port == self.port
                for each in psutil.Process().net_connections()
                if each.status != psutil.CONN_TIME_WAIT and each.fd >= 0
            ):
                await asyncio.sleep(0.01)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refused_recipients:
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any
    ) -> str:
        with self._news:
            if self._replies:
                return self._replies.pop(0)
            message = message_from_bytes(envelope.content, policy=policy.default)
            self.mails.append(Mail(envelope.mail_from, envelope.rcpt_tos, message))
            self._news.notify_all()
        return f"250 queued as {len(self.mails)}"


def _authenticate(
    server: SMTP, session: Any, envelope: Any, mechanism: str, data: LoginPassword
) -> AuthResult:
    known = data.login == USERNAME.encode() and data.password == PASSWORD.encode()
    return AuthResult(success=known, handled=False)


@pytest.fixture
def smtp_server(tmp_path: Path) -> Iterator[SmtpServer]:
    """A listening mail server without TLS."""
    server = SmtpServer(tmp_path)
    server.start()
    yield server
    server.stop()
