"""Shared declarations of routes: how each says what a caller must hold, and how it may fail."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends

from qvmon.api.http.authentication import Needs
from qvmon.api.http.errors import ErrorBody
from qvmon.model.access import Permission
from qvmon.services.configuration import Identity

PREFIX = "/api/qvmon/v1"

_FAILURES: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorBody, "description": "The request is wrong: mend it"},
    401: {"model": ErrorBody, "description": "Say who you are"},
    403: {"model": ErrorBody, "description": "Not allowed"},
    404: {"model": ErrorBody, "description": "Not there"},
    503: {"model": ErrorBody, "description": "A counterpart is away: repeat later"},
}


def rest_router(tag: str) -> APIRouter:
    """Return a router under ``/api/qvmon/v1`` whose operations document their errors."""
    return APIRouter(prefix=PREFIX, tags=[tag], responses=_FAILURES)


def whoever_holds(permission: Permission) -> Any:
    """Return the dependency on a caller who holds ``permission``."""
    return Depends(Needs(permission))


AlertReader = Annotated[Identity, whoever_holds(Permission.READ_ALERTS)]
IncidentReader = Annotated[Identity, whoever_holds(Permission.READ_INCIDENTS)]
Responder = Annotated[Identity, whoever_holds(Permission.RESPOND_INCIDENTS)]
Commander = Annotated[Identity, whoever_holds(Permission.COMMAND_INCIDENTS)]
Operator = Annotated[Identity, whoever_holds(Permission.OPERATE)]
Administrator = Annotated[Identity, whoever_holds(Permission.ADMINISTER)]
Auditor = Annotated[Identity, whoever_holds(Permission.READ_AUDIT)]
TelemetryReader = Annotated[Identity, Depends(Needs(Permission.READ_TELEMETRY, only_reads=True))]
AnyIdentity = Annotated[Identity, Depends(Needs(None))]
NewcomerToo = Annotated[Identity, Depends(Needs(None, before_password_change=True))]
"""Each says in a route's signature who may call it."""
