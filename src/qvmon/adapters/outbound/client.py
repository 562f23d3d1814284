"""The client through which HTTP leaves."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import unquote, urljoin, urlsplit
from zlib import crc32

import httpcore

from qvmon.adapters.outbound.complaint import failure, shown
from qvmon.adapters.outbound.config import OutboundConfig
from qvmon.adapters.outbound.network import GuardedNetwork
from qvmon.adapters.outbound.secure import tls_context
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.ports import OutboundRequest, OutboundResponse, TlsOptions
from qvmon.wire.compression import decompress

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEEP_METHOD = frozenset({307, 308})
_REPEATABLE = frozenset({"GET", "HEAD"})
_CREDENTIALS = frozenset({"authorization", "cookie"})
_POOLS = 256
_THREADED_BYTES = 1 << 16


class HttpOutbound:
    """Sends requests over pooled connections, within the policy and each request's bounds.

    Proxies of the environment are not used: where a request goes is decided here alone.
    """

    def __init__(self, config: OutboundConfig | None = None) -> None:
        self._config = config or OutboundConfig()
        self._network = GuardedNetwork(self._config.egress)
        self._contexts: dict[TlsOptions, ssl.SSLContext] = {}
        self._pools: dict[tuple[TlsOptions | None, int], httpcore.AsyncConnectionPool] = {}

    async def close(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(pool.aclose() for pool in self._pools.values()))

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
        except (QvmonError, TimeoutError, OSError, ValueError, *_HTTP_ERRORS) as error:
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
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            if request.method not in _REPEATABLE:
                raise
        return await self._once(request)

    async def _once(self, request: OutboundRequest) -> OutboundResponse:
        async with self._exchange(request) as response:
            headers = {k.decode().lower(): v.decode("latin-1") for k, v in response.headers}
            raw = await _bounded(response, request.max_response_bytes)
        encoding = headers.get("content-encoding", "")
        limit = request.max_response_bytes
        if encoding and len(raw) >= _THREADED_BYTES:
            body = await asyncio.to_thread(decompress, raw, encoding, limit)
        else:
            body = decompress(raw, encoding, limit) if raw else raw
        return OutboundResponse(response.status, headers, body)

    @asynccontextmanager
    async def _exchange(self, request: OutboundRequest) -> AsyncIterator[httpcore.Response]:
        pool = self._pool_for(request)
        extensions = {"sni_hostname": request.tls.server_name} if request.tls.server_name else {}
        async with pool.stream(
            request.method,
            request.url.encode("ascii"),
            headers=_headers(request),
            content=request.body or None,
            extensions=extensions,
        ) as response:
            yield response

    def _pool_for(self, request: OutboundRequest) -> httpcore.AsyncConnectionPool:
        """Return the pool of the request's host.

        A pool looks at each of its connections for each request, so hosts are spread over many.
        """
        parts = urlsplit(request.url)
        tls = request.tls if parts.scheme == "https" else None
        key = tls, crc32(parts.netloc.encode()) % _POOLS
        if key not in self._pools:
            self._pools[key] = httpcore.AsyncConnectionPool(
                ssl_context=self._context(tls) if tls else None,
                max_connections=self._config.max_connections_per_pool,
                max_keepalive_connections=self._config.max_connections_per_pool,
                keepalive_expiry=self._config.idle_seconds,
                network_backend=self._network,
            )
        return self._pools[key]

    def _context(self, tls: TlsOptions) -> ssl.SSLContext:
        if tls not in self._contexts:
            self._contexts[tls] = tls_context(tls)
        return self._contexts[tls]


_HTTP_ERRORS = (
    httpcore.ConnectError,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)


async def _bounded(response: httpcore.Response, limit: int) -> bytes:
    """Return the body as it was sent.

    Raises:
        QvmonError: EXHAUSTED, as soon as more than ``limit`` bytes have come.
    """
    chunks, size = [], 0
    async for chunk in response.aiter_stream():
        size += len(chunk)
        if size > limit:
            raise QvmonError(
                ErrorKind.EXHAUSTED, f"the answer holds more than the allowed {limit} bytes"
            )
        chunks.append(chunk)
    return b"".join(chunks)


def _headers(request: OutboundRequest) -> list[tuple[str, str]]:
    headers = dict(request.headers)
    user = urlsplit(request.url)
    if user.username and not any(name.lower() == "authorization" for name in headers):
        pair = f"{unquote(user.username)}:{unquote(user.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return list(headers.items())


def _redirected(request: OutboundRequest, status: int, location: str) -> OutboundRequest:
    """Return the request that follows; credentials do not go to another host."""
    url = urljoin(request.url, location)
    if urlsplit(url).scheme not in ("http", "https"):
        raise invalid(f"redirected to {shown(url)}, which is not HTTP")
    headers: Mapping[str, str] = request.headers
    if urlsplit(url).netloc != urlsplit(request.url).netloc:
        headers = {k: v for k, v in headers.items() if k.lower() not in _CREDENTIALS}
    keep = status in _KEEP_METHOD or request.method in _REPEATABLE
    return OutboundRequest(
        request.method if keep else "GET",
        url,
        headers,
        request.body if keep else b"",
        request.timeout_seconds,
        request.max_response_bytes,
        request.follow_redirects,
        request.tls,
    )
