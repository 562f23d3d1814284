"""Where a request goes and how its first lines read. Pure."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.ports import OutboundRequest

_PORTS = {"http": 80, "https": 443}
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FORBIDDEN_IN_TARGET = re.compile(r"[\x00-\x20\x7f]")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Place:
    """What a URL says.

    Attributes:
        host: A name, or an address without brackets.
        port: Where it listens.
        secure: Whether TLS is spoken.
        target: Path and query.
        authority: The ``Host`` header.
        credentials: The ``Authorization`` header that the URL stands for; empty for none.
    """

    host: str
    port: int
    secure: bool
    target: str
    authority: str
    credentials: str


@lru_cache(maxsize=4096)
def place_of(url: str) -> Place:
    """Return what ``url`` says.

    Raises:
        QvmonError: INVALID for what is no HTTP URL, UNSUPPORTED for another scheme.
    """
    try:
        url.encode("ascii")
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise invalid(str(error)) from None
    if parts.scheme not in _PORTS:
        raise QvmonError(ErrorKind.INVALID, f"unsupported protocol scheme {parts.scheme!r}")
    if not parts.hostname:
        raise invalid("no host in request URL")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if _FORBIDDEN_IN_TARGET.search(target + parts.hostname):
        raise _forbidden()
    shown_host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    usual = _PORTS[parts.scheme]
    authority = shown_host if port in (None, usual) else f"{shown_host}:{port}"
    pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    basic = f"Basic {base64.b64encode(pair.encode()).decode()}" if parts.username else ""
    secure = parts.scheme == "https"
    return Place(parts.hostname, usual if port is None else port, secure, target, authority, basic)


def head_of(request: OutboundRequest, place: Place) -> bytes:
    """Return the lines that go before a request's body.

    Raises:
        QvmonError: INVALID for characters that HTTP forbids.
    """
    headers = {"Host": place.authority, **request.headers}
    names = {name.lower() for name in request.headers}
    if place.credentials and "authorization" not in names:
        headers["Authorization"] = place.credentials
    if (request.body or request.method in _WITH_BODY) and "content-length" not in names:
        headers["Content-Length"] = str(len(request.body))
    _check(request.method, headers)
    lines = [f"{request.method} {place.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _check(method: str, headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not _TOKEN.match(name) or _FORBIDDEN.search(value) or not _is_latin(value):
            raise _forbidden()
    if not _TOKEN.match(method):
        raise _forbidden()


def _is_latin(text: str) -> bool:
    return text.isascii() or all(ord(character) < 256 for character in text)


def _forbidden() -> QvmonError:
    return invalid("a header or the URL holds characters that HTTP forbids")
