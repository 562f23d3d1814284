"""What is around every application's routes: answers to errors, limits, headers, measurements."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware

from qvmon.api.config import ApiConfig
from qvmon.api.http.cors import CrossOrigin
from qvmon.api.http.errors import add_error_handlers
from qvmon.api.http.protection import Measured, RequestLimits, SecurityHeaders
from qvmon.model.clock import Clock
from qvmon.model.metrics import Registry

_GZIP_LEVEL = 1
_GZIP_FROM_BYTES = 1024


def application_without_routes(config: ApiConfig, clock: Clock, registry: Registry) -> FastAPI:
    """Return an application that answers nothing yet, but will within limits and measured."""
    app = FastAPI(title="qvmon", openapi_url=None, docs_url=None, redoc_url=None)
    app.state.close_streams = lambda: None
    add_error_handlers(app)
    app.add_middleware(GZipMiddleware, minimum_size=_GZIP_FROM_BYTES, compresslevel=_GZIP_LEVEL)
    app.add_middleware(CrossOrigin, config=config)
    app.add_middleware(RequestLimits, config=config)
    app.add_middleware(SecurityHeaders, config=config)
    app.add_middleware(Measured, clock=clock, registry=registry)
    return app
