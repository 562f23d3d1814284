"""Notifications out as e-mail through a real SMTP server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qvmon.adapters.smtp import SmtpConfig, SmtpSink
from qvmon.model.clock import SystemClock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.services.distribution import Content, Message, Part
from tests.servers.smtp import PASSWORD, USERNAME, SmtpServer

# aiosmtpd does not see that a connection which began as TLS is TLS
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")


@pytest.fixture(params=["starttls", "tls"])
async def secure_server(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[SmtpServer]:
    server = SmtpServer(tmp_path, request.param)
    server.start()
    yield server
    await server.no_clients()
    server.stop()


def sink(server: SmtpServer, **config: object) -> SmtpSink:
    settings = {
        "host": "127.0.0.1",
        "port": server.port,
        "security": server.security,
        "sender": "qvmon <qvmon@example.com>",
        "recipients": ["ada@example.com", "bob@example.com"],
        "timeout_seconds": 5,
    }
    return SmtpSink(SmtpConfig.model_validate({**settings, **config}), SystemClock())


def notification() -> Message:
    parts = (
        Part("text/plain", "FIRING: Hohe Verzögerung €".encode()),
        Part("text/html", "<b>FIRING: Hohe Verzögerung €</b>".encode()),
    )
    content = Content("n1", "group", "[FIRING:1] Hohe Verzögerung", parts)
    return Message("5f0c", content, 1_700_000_000_000_000)


async def test_one_mail_goes_to_all_readers_as_text_and_html(smtp_server: SmtpServer) -> None:
    receipt = await sink(smtp_server).send(notification())
    [mail] = smtp_server.mails
    assert receipt.detail == "queued as 1"
    assert mail.sender == "qvmon@example.com"
    assert mail.recipients == ["ada@example.com", "bob@example.com"]
    assert mail.message["Subject"] == "[FIRING:1] Hohe Verzögerung"
    assert mail.message["Message-ID"] == "<5f0c@example.com>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert "Verzögerung €" in mail.part("text/plain")
    assert "<b>FIRING" in mail.part("text/html")


async def test_mail_goes_over_tls_with_a_log_in(secure_server: SmtpServer) -> None:
    settings = {"ca_file": secure_server.ca_file, "username": USERNAME, "password": PASSWORD}
    await sink(secure_server, **settings).send(notification())
    assert len(secure_server.mails) == 1


async def test_a_server_with_an_unknown_certificate_gets_no_mail_and_no_password(
    secure_server: SmtpServer,
) -> None:
    with pytest.raises(QvmonError) as caught:
        await sink(secure_server, username=USERNAME, password=PASSWORD).send(notification())
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert "certificate" in caught.value.message.lower()
    assert secure_server.mails == []


async def test_a_refused_password_is_the_sinks_trouble_so_the_mail_waits(
    secure_server: SmtpServer,
) -> None:
    settings = {"ca_file": secure_server.ca_file, "username": USERNAME, "password": "wrong"}
    with pytest.raises(QvmonError) as caught:
        await sink(secure_server, **settings).send(notification())
    assert caught.value.kind is ErrorKind.UNAVAILABLE


async def test_starttls_is_never_silently_skipped(smtp_server: SmtpServer) -> None:
    with pytest.raises(QvmonError):
        await sink(smtp_server, security="starttls").send(notification())
    assert smtp_server.mails == []


@pytest.mark.parametrize(
    ("reply", "kind"),
    [("451 try later", ErrorKind.UNAVAILABLE), ("554 spam", ErrorKind.INVALID)],
)
async def test_a_4xx_asks_for_another_attempt_and_a_5xx_does_not(
    smtp_server: SmtpServer, reply: str, kind: ErrorKind
) -> None:
    smtp_server.will_reply(reply)
    with pytest.raises(QvmonError, match=reply[4:]) as caught:
        await sink(smtp_server).send(notification())
    assert caught.value.kind is kind


async def test_a_refused_reader_is_named_and_the_others_get_the_mail(
    smtp_server: SmtpServer,
) -> None:
    smtp_server.refused_recipients.add("bob@example.com")
    receipt = await sink(smtp_server).send(notification())
    assert "bob@example.com" in receipt.detail
    assert smtp_server.mails[0].recipients == ["ada@example.com"]


async def test_a_mail_that_no_reader_may_have_is_refused(smtp_server: SmtpServer) -> None:
    smtp_server.refused_recipients |= {"ada@example.com", "bob@example.com"}
    with pytest.raises(QvmonError) as caught:
        await sink(smtp_server).send(notification())
    assert caught.value.kind is ErrorKind.INVALID


def test_a_password_over_an_open_line_is_refused_before_it_is_used() -> None:
    with pytest.raises(ValueError, match="starttls or tls"):
        SmtpConfig(
            host="mail.example.com",
            security="none",
            username="u",
            sender="q@example.com",
            recipients=("a@example.com",),
        )
