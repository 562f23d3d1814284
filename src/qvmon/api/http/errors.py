"""Errors as HTTP answers: the one table from kind to status, and the shape of error bodies."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from qvmon.api.http.prometheus.disconnection import ClientGoneError
from qvmon.api.http.prometheus.errors import is_prometheus, prometheus_error, unrouted
from qvmon.model.errors import ErrorKind, QvmonError

STATUS: dict[ErrorKind, int] = {
    ErrorKind.INVALID: 400,
    ErrorKind.UNAUTHENTICATED: 401,
    ErrorKind.FORBIDDEN: 403,
    ErrorKind.NOT_FOUND: 404,
    ErrorKind.CONFLICT: 409,
    ErrorKind.UNSUPPORTED: 501,
    ErrorKind.EXHAUSTED: 429,
    ErrorKind.TIMEOUT: 504,
    ErrorKind.UNAVAILABLE: 503,
    ErrorKind.CORRUPT: 500,
    ErrorKind.INTERNAL: 500,
}
"""Every kind of error and the status it is answered with: the one table."""

_KIND_OF_STATUS = {
    404: ErrorKind.NOT_FOUND,
    405: ErrorKind.UNSUPPORTED,
    413: ErrorKind.EXHAUSTED,
}

_CLIENT_CLOSED_REQUEST = 499
"""nginx' status for a request whose client left; Prometheus counts such requests under it too."""

log = structlog.get_logger("qvmon.api")


class ErrorDetail(BaseModel):
    """What went wrong and what the caller can do about it; more named values may stand beside."""

    model_config = ConfigDict(extra="allow")

    kind: ErrorKind
    message: str


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorDetail


def add_error_handlers(app: FastAPI) -> None:
    """Have every error answered in the shape of the API that was asked."""
    app.add_exception_handler(QvmonError, _on_qvmon_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(ClientGoneError, _on_client_gone)
    app.add_exception_handler(Exception, _on_defect)


def answer(
    request: Request, error: QvmonError, status: int | None = None, **headers: str
) -> Response:
    """Return the answer to ``request`` that says ``error``."""
    if is_prometheus(request.url.path):
        return prometheus_error(error, status, _headers(error, headers))
    context = {name: _plain(value) for name, value in error.context.items()}
    body = {"error": {**context, "kind": error.kind.value, "message": error.message}}
    return JSONResponse(body, status or STATUS[error.kind], _headers(error, headers))


def _headers(error: QvmonError, headers: dict[str, str]) -> dict[str, str]:
    named = dict(headers)
    if error.kind is ErrorKind.UNAUTHENTICATED:
        named["WWW-Authenticate"] = 'Bearer realm="qvmon"'
    if "retry_after_seconds" in error.context:
        named["Retry-After"] = f"{error.context['retry_after_seconds']:.0f}"
    return named


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


async def _on_qvmon_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, QvmonError)  # noqa: S101 - registered for nothing else
    if STATUS[error.kind] == 500:
        log.error("request failed", path=request.url.path, error=error.message, kind=error.kind)
    return answer(request, error)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    problems = [_sentence(each) for each in error.errors()]
    fields = ".".join(str(step) for step in error.errors()[0]["loc"][1:])
    return answer(request, QvmonError(ErrorKind.INVALID, "; ".join(problems), field=fields))


def _sentence(problem: dict[str, Any]) -> str:
    place = ".".join(str(step) for step in problem["loc"][1:]) or str(problem["loc"][0])
    return f"{place}: {problem['msg']}"


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code in {404, 405} and is_prometheus(request.url.path):
        return unrouted(request)
    kind = _KIND_OF_STATUS.get(error.status_code, ErrorKind.INVALID)
    message = f"{request.method} {request.url.path}: {error.detail}"
    return answer(
        request, QvmonError(kind, message), error.status_code, **dict(error.headers or {})
    )


async def _on_client_gone(_: Request, __: Exception) -> Response:
    return Response(status_code=_CLIENT_CLOSED_REQUEST)  # for the measurements; nobody reads it


async def _on_defect(request: Request, error: Exception) -> Response:
    log.exception("request failed by a defect", path=request.url.path, exc_info=error)
    return answer(request, QvmonError(ErrorKind.INTERNAL, "internal error: see the log"))
