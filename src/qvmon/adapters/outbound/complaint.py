"""Failures of HTTP as sentences that people know from Prometheus."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from qvmon.adapters.outbound.answer import MalformedError
from qvmon.adapters.outbound.connection import BrokenOffError
from qvmon.adapters.outbound.network import NotConnectedError
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.ports import OutboundRequest

_AFTER_SENDING = (TimeoutError, BrokenOffError, MalformedError)
"""Failures after which the other side may have taken the request all the same."""


def shown(url: str) -> str:
    """Return ``url`` without the credentials in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be read"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def failure(request: OutboundRequest, error: Exception) -> QvmonError:
    """Return the error that tells what happened to ``request``; ``cause`` says it in a word."""
    kind, cause, reason = _reason(request, error)
    sentence = f'{request.method.capitalize()} "{shown(request.url)}": {reason}'
    context: dict[str, object] = {"cause": cause} if cause else {}
    return QvmonError(
        kind,
        sentence,
        url=shown(request.url),
        maybe_arrived=isinstance(error, _AFTER_SENDING),
        **context,
    )


def _reason(request: OutboundRequest, error: Exception) -> tuple[ErrorKind, str, str]:
    if isinstance(error, QvmonError):
        return error.kind, "", error.message
    if isinstance(error, TimeoutError):
        seconds = f"{request.timeout_seconds:g} s"
        sentence = f"context deadline exceeded (no whole answer within {seconds})"
        return ErrorKind.TIMEOUT, "timeout", sentence
    return ErrorKind.UNAVAILABLE, *_network_reason(error)


def _network_reason(error: Exception) -> tuple[str, str]:
    for each in _causes(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return "tls", f"tls: {each.verify_message}"
        if isinstance(each, ssl.SSLError):
            return "tls", f"tls: {each.reason or each}"
        if isinstance(each, ConnectionRefusedError):
            return "refused", "connection refused"
        if isinstance(each, ConnectionResetError):
            return "reset", "connection reset by peer"
        if isinstance(each, socket.gaierror):
            return "no_such_host", "no such host"
    cause = "malformed_http" if isinstance(error, MalformedError) else "broken_off"
    if isinstance(error, NotConnectedError):
        cause = "unreachable"
    return cause, str(error) or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__
