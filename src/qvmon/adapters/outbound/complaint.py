"""Failures of HTTP as sentences that people know from Prometheus."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpcore

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.ports import OutboundRequest

_AFTER_SENDING = (
    TimeoutError,
    httpcore.ReadError,
    httpcore.WriteError,
    httpcore.ReadTimeout,
    httpcore.WriteTimeout,
    httpcore.RemoteProtocolError,
)
"""Failures after which the other side may have taken the request all the same."""


def shown(url: str) -> str:
    """Return ``url`` without the credentials in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be read"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def failure(request: OutboundRequest, error: Exception) -> QvmonError:
    """Return the error that tells what happened to ``request``."""
    kind, reason = _reason(request, error)
    sentence = f'{request.method.capitalize()} "{shown(request.url)}": {reason}'
    return QvmonError(
        kind, sentence, url=shown(request.url), maybe_arrived=isinstance(error, _AFTER_SENDING)
    )


def _reason(request: OutboundRequest, error: Exception) -> tuple[ErrorKind, str]:
    if isinstance(error, QvmonError):
        return error.kind, error.message
    if isinstance(error, (TimeoutError, httpcore.TimeoutException)):
        seconds = f"{request.timeout_seconds:g} s"
        return ErrorKind.TIMEOUT, f"context deadline exceeded (no whole answer within {seconds})"
    if isinstance(error, httpcore.LocalProtocolError):  # its text may show a credential
        return ErrorKind.INVALID, "a header or the URL holds characters that HTTP forbids"
    if isinstance(error, (httpcore.UnsupportedProtocol, ValueError)):
        return ErrorKind.INVALID, str(error)
    return ErrorKind.UNAVAILABLE, _network_reason(error)


def _network_reason(error: Exception) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"tls: {cause.verify_message}"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ConnectionResetError):
            return "connection reset by peer"
    return str(error) or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
