"""The client through which HTTP leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from qvmon.adapters.outbound.answer import Answer, MalformedError
from qvmon.adapters.outbound.complaint import failure, shown
from qvmon.adapters.outbound.config import OutboundConfig
from qvmon.adapters.outbound.connection import BrokenOffError
from qvmon.adapters.outbound.network import NotConnectedError
from qvmon.adapters.outbound.place import head_of, place_of
from qvmon.adapters.outbound.pool import ConnectionPool
from qvmon.model.clock import give_way
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.ports import OutboundRequest, OutboundResponse
from qvmon.wire.compression import decompress

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_REPEATABLE = frozenset({"GET", "HEAD"})
_CREDENTIALS = frozenset({"authorization", "cookie"})
_THREADED_BYTES = 1 << 16


class HttpOutbound:
    """Sends requests over kept connections, within the policy and each request's bounds.

    Proxies of the environment are not used: where a request goes is decided here alone.
    """

    def __init__(self, config: OutboundConfig | None = None) -> None:
        self._config = config or OutboundConfig()
        self._pool = ConnectionPool(self._config)

    async def close(self) -> None:
        """Close every connection."""
        self._pool.close()
        await give_way()  # the loop lets go of the sockets

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        """Return the answer, whatever its status.

        Raises:
            QvmonError: FORBIDDEN when policy refuses the address, TIMEOUT, UNAVAILABLE when no
                answer came, EXHAUSTED when the body is too large, INVALID for a request that
                cannot be sent.
        """
        try:
            async with asyncio.timeout(request.timeout_seconds):
                return await self._followed(request)
        except (
            QvmonError,
            TimeoutError,
            OSError,
            NotConnectedError,
            BrokenOffError,
            MalformedError,
        ) as error:
            raise failure(request, error) from error

    async def _followed(self, request: OutboundRequest) -> OutboundResponse:
        for _ in range(self._config.max_redirects + 1):
            response = await self._repeated(request)
            location = response.headers.get("location")
            if not (request.follow_redirects and response.status in _REDIRECTS and location):
                return response
            request = _redirected(request, response.status, location)
        raise QvmonError(
            ErrorKind.UNAVAILABLE, f"stopped after {self._config.max_redirects} redirects"
        )

    async def _repeated(self, request: OutboundRequest) -> OutboundResponse:
        """Send; once more when a kept connection turned out to be closed by the other side."""
        try:
            return await self._once(request)
        except BrokenOffError as error:
            if error.begun or (error.sent and request.method not in _REPEATABLE):
                raise
        return await self._once(request, fresh=True)

    async def _once(self, request: OutboundRequest, *, fresh: bool = False) -> OutboundResponse:
        place = place_of(request.url)
        head = head_of(request, place)
        answer = Answer(request.method, request.max_response_bytes)
        async with self._pool.connection(place, request.tls, fresh=fresh) as connection:
            await connection.exchange(head, request.body, answer)
        return OutboundResponse(answer.status, answer.headers, await _opened(request, answer))


async def _opened(request: OutboundRequest, answer: Answer) -> bytes:
    """Return the body of an answer, decompressed."""
    encoding = answer.headers.get("content-encoding", "")
    body = answer.body
    if not encoding or not body:
        return body
    limit = request.max_response_bytes
    if len(body) >= _THREADED_BYTES:
        return await asyncio.to_thread(decompress, body, encoding, limit)
    return decompress(body, encoding, limit)


def _redirected(request: OutboundRequest, status: int, location: str) -> OutboundRequest:
    """Return the request that follows; credentials do not go to another host."""
    url = urljoin(request.url, location)
    if urlsplit(url).scheme not in ("http", "https"):
        raise invalid(f"redirected to {shown(url)}, which is not HTTP")
    headers: Mapping[str, str] = request.headers
    if urlsplit(url).netloc != urlsplit(request.url).netloc:
        headers = {k: v for k, v in headers.items() if k.lower() not in _CREDENTIALS}
    keep = status in _KEEP_METHOD or request.method in _REPEATABLE
    method, body = (request.method, request.body) if keep else ("GET", b"")
    return replace(request, method=method, url=url, headers=headers, body=body)
