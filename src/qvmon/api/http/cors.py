"""Which other sites' pages may read the Prometheus API.

Source: Prometheus util/httputil/cors.go. Credentials are never allowed, so that a page needs a
token of its own; a browser's session is not lent.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qvmon.api.config import ApiConfig
from qvmon.model.labels import compile_pattern

_ANYBODY = ".*"
_HEADERS = {
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, Origin",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Expose-Headers": "Date",
}


class CrossOrigin:
    """Tells browsers which origins may read, and answers their preflight requests."""

    def __init__(self, app: ASGIApp, config: ApiConfig) -> None:
        self._app = app
        self._expression = config.cors_origin
        self._pattern = compile_pattern(config.cors_origin)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith("/api/v1/"):
            await self._app(scope, receive, send)
            return
        allowed = self._allowed(Headers(scope=scope).get("origin", ""))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("Origin")
                for name, value in allowed.items():
                    headers[name] = value
            await send(message)

        answer = Response(status_code=204) if scope["method"] == "OPTIONS" else self._app
        await answer(scope, receive, send_with_headers)

    def _allowed(self, origin: str) -> dict[str, str]:
        if not origin:
            return {}
        if self._expression == _ANYBODY:
            return {**_HEADERS, "Access-Control-Allow-Origin": "*"}
        if self._expression and self._pattern.fullmatch(origin):
            return {**_HEADERS, "Access-Control-Allow-Origin": origin}
        return dict(_HEADERS)
