"""``/session``: log in and out, who am I, another password."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from qvmon.api.config import ApiConfig
from qvmon.api.http.access import NewcomerToo, rest_router
from qvmon.api.http.authentication import COOKIE, client_address
from qvmon.services.configuration import AccessConfig, AccessService, Identity


class Credentials(BaseModel):
    """What proves who somebody is."""

    username: str = Field(min_length=1, max_length=256)
    password: str = Field(min_length=1)


class PasswordChange(BaseModel):
    """The password so far, and the one from now on."""

    current: str
    new: str


class CurrentUser(BaseModel):
    """Who is logged in and what they may do."""

    login: str
    roles: list[str]
    permissions: list[str]
    must_change_password: bool


class CurrentSession(BaseModel):
    """A browser session."""

    user: CurrentUser


def session_routes(config: ApiConfig, access: AccessService | None) -> APIRouter:
    """Return the routes of log-in; without an access service only who one is."""
    router = rest_router("session")

    @router.get("/session", operation_id="getSession")
    async def get_session(identity: NewcomerToo) -> CurrentSession:
        """Tell who is asking."""
        return _session(identity)

    if access is not None:
        _add_log_in(router, config, access)
    return router


def _add_log_in(router: APIRouter, config: ApiConfig, access: AccessService) -> None:
    @router.post("/session", operation_id="logIn")
    async def log_in(
        credentials: Credentials, request: Request, response: Response
    ) -> CurrentSession:
        """Open a browser session; its cookie comes with the answer."""
        address = client_address(request)
        secret, identity = await access.log_in(credentials.username, credentials.password, address)
        _set_cookie(response, config, secret, access.config)
        return _session(identity)

    @router.delete("/session", operation_id="logOut", status_code=204)
    async def log_out(identity: NewcomerToo, response: Response) -> None:
        """End the browser session."""
        await access.log_out(identity)
        response.delete_cookie(
            COOKIE, secure=config.reached_by_https, httponly=True, samesite="strict"
        )

    @router.post("/session/password", operation_id="changePassword")
    async def change_password(
        identity: NewcomerToo, change: PasswordChange, request: Request, response: Response
    ) -> CurrentSession:
        """Replace one's own password; every other session of the user ends."""
        address = client_address(request)
        secret, changed = await access.change_own_password(
            identity, change.current, change.new, address
        )
        _set_cookie(response, config, secret, access.config)
        return _session(changed)


def _set_cookie(
    response: Response, config: ApiConfig, secret: str, lifetimes: AccessConfig
) -> None:
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(lifetimes.session_absolute_seconds),
        secure=config.reached_by_https,
        httponly=True,
        samesite="strict",
    )


def _session(identity: Identity) -> CurrentSession:
    return CurrentSession(
        user=CurrentUser(
            login=identity.login,
            roles=sorted(identity.roles),
            permissions=sorted(identity.principal.permissions),
            must_change_password=identity.must_change_password,
        )
    )
