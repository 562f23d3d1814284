"""Around every request: security headers on the way out, limits on the way in, a measurement."""

from __future__ import annotations

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qvmon.api.config import ApiConfig
from qvmon.api.http.errors import answer
from qvmon.api.metrics import REQUEST_SECONDS, REQUESTS_IN_FLIGHT
from qvmon.model.clock import Clock
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry

_CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "style-src 'self' 'unsafe-inline'",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_HTTPS_ONLY = "max-age=31536000"

log = structlog.get_logger("qvmon.api")


class SecurityHeaders:
    """Adds what tells browsers to trust this site's pages only, and caches to keep no answer."""

    def __init__(self, app: ASGIApp, config: ApiConfig) -> None:
        self._app = app
        self._headers = dict(_HEADERS)
        if config.reached_by_https:
            self._headers["Strict-Transport-Security"] = _HTTPS_ONLY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class RequestLimits:
    """Refuses headers and bodies that are too large; bodies by length, or as they arrive."""

    def __init__(self, app: ASGIApp, config: ApiConfig) -> None:
        self._app = app
        self._config = config
        self._header_limit = config.header_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            HTTPException: 413, to whoever reads a body beyond the limit.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if sum(len(name) + len(value) for name, value in scope["headers"]) > self._header_limit:
            await self._refuse_headers(scope, receive, send)
            return
        ingest = scope["path"] == "/api/v1/write"
        limit = self._config.ingest_body_bytes if ingest else self._config.request_body_bytes
        declared = Headers(scope=scope).get("content-length", "0")
        arrived = 0 if not declared.isdecimal() or int(declared) <= limit else limit + 1

        async def receive_at_most() -> Message:
            nonlocal arrived
            message = await receive() if arrived <= limit else {"type": "http.request"}
            arrived += len(message.get("body", b""))
            if arrived > limit:
                raise HTTPException(413, f"the body is larger than {limit} bytes")
            return message

        await self._app(scope, receive_at_most, send)

    async def _refuse_headers(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = f"the headers are larger than {self._header_limit} bytes"
        refusal = answer(Request(scope), QvmonError(ErrorKind.EXHAUSTED, message), 431)
        await refusal(scope, receive, send)


class Measured:
    """Measures and logs requests under their routes, so that paths make no series of their own."""

    def __init__(self, app: ASGIApp, clock: Clock, registry: Registry) -> None:
        self._app = app
        self._clock = clock
        self._seconds = registry.family(REQUEST_SECONDS)
        self._in_flight = registry.value(REQUESTS_IN_FLIGHT)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = self._clock.monotonic(), 500

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._in_flight.add()
        try:
            await self._app(scope, receive, send_and_see)
        finally:
            self._in_flight.add(-1)
            self._observe(scope, status, self._clock.monotonic() - started)

    def _observe(self, scope: Scope, status: int, seconds: float) -> None:
        handler = getattr(scope.get("route"), "path", "none")
        self._seconds.distribution(handler, _method(scope), str(status)).observe(seconds)
        log.debug(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=status,
            seconds=round(seconds, 6),
            client=(scope.get("client") or ("",))[0],
        )


def _method(scope: Scope) -> str:
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    method: str = scope["method"]
    return method if method in known else "other"
