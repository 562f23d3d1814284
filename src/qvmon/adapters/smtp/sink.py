"""Sends a message as one e-mail."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import aiosmtplib

from qvmon.adapters.smtp.config import SmtpConfig
from qvmon.model.clock import Clock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.services.distribution import Message, Receipt


class SmtpSink:
    """A mail server as a sink: one mail a message, text and HTML in it.

    An answer of 4xx asks for another attempt, one of 5xx is a refusal (RFC 5321, 4.2.1). A mail of
    which some recipients were refused counts as delivered, and the receipt names them.

    Args:
        config: Server, credentials, readers.
        clock: Gives the ``Date`` header.
    """

    def __init__(self, config: SmtpConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._tls = None if config.security == "none" else _tls_context(config.ca_file)

    async def send(self, message: Message) -> Receipt:
        """Return once the server took the mail."""
        try:
            refused, answer = await self._converse(self._mail(message))
        except (aiosmtplib.SMTPException, OSError) as error:
            raise _failure(error, f"{self._config.host}:{self._config.port}") from None
        missed = f"; refused: {', '.join(refused)}" if refused else ""
        return Receipt(f"{answer.strip()}{missed}")

    async def _converse(self, mail: EmailMessage) -> tuple[list[str], str]:
        config = self._config
        refused, answer = await aiosmtplib.send(
            mail,
            sender=config.sender,
            recipients=list(config.recipients),
            hostname=config.host,
            port=config.port,
            username=config.username or None,
            password=config.password.get_secret_value() or None,
            timeout=config.timeout_seconds,
            use_tls=config.security == "tls",
            start_tls=config.security == "starttls",
            tls_context=self._tls,
        )
        return sorted(refused), answer

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._config.sender
        mail["To"] = ", ".join(self._config.recipients)
        mail["Subject"] = " ".join(message.content.title.split())
        mail["Date"] = format_datetime(datetime.fromtimestamp(self._clock.now_ns() / 1e9, UTC))
        mail["Message-ID"] = f"<{message.delivery_id}@{self._domain}>"
        mail["X-Qvmon-Delivery"] = message.delivery_id
        mail["Auto-Submitted"] = "auto-generated"
        if message.possibly_repeated:
            mail["X-Qvmon-Possibly-Repeated"] = "true"
        first, *others = message.content.parts
        _set(mail, first.media_type, first.body)
        for part in others:
            mail.add_alternative(part.body.decode(), subtype=part.media_type.partition("/")[2])
        return mail

    @property
    def _domain(self) -> str:
        return self._config.sender.rpartition("@")[2].rstrip(">") or "qvmon.invalid"


def _set(mail: EmailMessage, media_type: str, body: bytes) -> None:
    maintype, _, subtype = media_type.partition("/")
    if maintype == "text":
        mail.set_content(body.decode(), subtype=subtype)
    else:
        mail.set_content(body, maintype=maintype, subtype=subtype)


def _failure(error: Exception, place: str) -> QvmonError:
    """Return the error that a failed conversation means.

    Reply codes 4xx ask for another attempt, 5xx are refusals; but refused credentials are the
    sink's trouble, not the message's, and no answer at all leaves open what became of it.
    """
    codes = _reply_codes(error)
    text = " ".join(f"{place}: {error}".split())
    if isinstance(error, TimeoutError):
        return QvmonError(ErrorKind.TIMEOUT, text)
    if codes and not any(400 <= code < 500 for code in codes):
        return QvmonError(ErrorKind.INVALID, text, codes=codes)
    lost = isinstance(error, aiosmtplib.SMTPServerDisconnected)
    return QvmonError(ErrorKind.UNAVAILABLE, text, codes=codes, maybe_arrived=lost)


def _reply_codes(error: Exception) -> list[int]:
    match error:
        case aiosmtplib.SMTPAuthenticationError() | aiosmtplib.SMTPConnectResponseError():
            return []
        case aiosmtplib.SMTPRecipientsRefused(recipients=recipients):
            return [each.code for each in recipients]
        case aiosmtplib.SMTPResponseException(code=code):
            return [code]
        case _:
            return []


def _tls_context(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file or None)
