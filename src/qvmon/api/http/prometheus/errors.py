"""Errors in the Prometheus API's words.

Source: Prometheus web/api/v1/api.go, ``respondError``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response
from fastapi.routing import APIRoute
from starlette.routing import Match

from qvmon.model.errors import ErrorKind, QvmonError, invalid

_PREFIX = "/api/v1/"
_EXECUTION = (422, "execution")
_INTERNAL = (500, "internal")
_BUSY = (503, "unavailable")
_WORDS: dict[ErrorKind, tuple[int, str]] = {
    ErrorKind.INVALID: (400, "bad_data"),
    ErrorKind.UNAUTHENTICATED: (401, "unauthorized"),
    ErrorKind.FORBIDDEN: (403, "forbidden"),
    ErrorKind.NOT_FOUND: (404, "not_found"),
    ErrorKind.CONFLICT: _EXECUTION,
    ErrorKind.UNSUPPORTED: _EXECUTION,
    ErrorKind.EXHAUSTED: _EXECUTION,
    ErrorKind.TIMEOUT: (503, "timeout"),
    ErrorKind.UNAVAILABLE: _BUSY,
    ErrorKind.CORRUPT: _INTERNAL,
    ErrorKind.INTERNAL: _INTERNAL,
}
"""Every kind of error as Prometheus' status and errorType."""

_WAITING = "waiting"
"""In the context of an EXHAUSTED error: it is the server that is full, not the query too large."""


def is_prometheus(path: str) -> bool:
    """Return whether ``path`` belongs to the Prometheus API."""
    return path.startswith(_PREFIX)


def bad_parameter(name: str, error: QvmonError) -> QvmonError:
    """Return ``error`` as Prometheus tells it of a parameter."""
    return invalid(f'invalid parameter "{name}": {error.message}', parameter=name)


def execution_error(error: QvmonError) -> QvmonError:
    """Return an error of evaluating a query that was fine as a text: 422, not 400."""
    if error.kind is not ErrorKind.INVALID:
        return error
    return QvmonError(ErrorKind.CONFLICT, error.message, **error.context)


def prometheus_error(
    error: QvmonError, status: int | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer that says ``error``."""
    code, error_type = _words(error)
    body = {"status": "error", "errorType": error_type, "error": error.message}
    return Response(
        msgspec.json.encode(body), status or code, headers, media_type="application/json"
    )


def unrouted(request: Request) -> Response:
    """Return what Go's router answers where nothing serves the path, or not by this method."""
    allowed = {
        method
        for route in _every_route(request.app.router)
        if route.path.startswith(_PREFIX) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    if not allowed:
        return PlainTextResponse("404 page not found\n", 404)
    methods = ", ".join(sorted(allowed | {"OPTIONS"}))
    return PlainTextResponse("Method Not Allowed\n", 405, {"Allow": methods})


def _every_route(router: APIRouter) -> Iterator[APIRoute]:
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif isinstance(within := getattr(route, "original_router", None), APIRouter):
            yield from _every_route(within)


def _words(error: QvmonError) -> tuple[int, str]:
    busy = error.kind is ErrorKind.EXHAUSTED and _WAITING in error.context
    return _BUSY if busy else _WORDS[error.kind]
