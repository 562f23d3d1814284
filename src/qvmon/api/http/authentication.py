"""Who sends a request, and whether they may: the one gate every route but the public ones has."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fastapi import Request

from qvmon.api.config import LOOPBACK_HOSTS, ApiConfig
from qvmon.model.access import (
    ANONYMOUS,
    Permission,
    Principal,
    PrincipalKind,
    Role,
    permissions_of,
)
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.services.configuration import Identity

if TYPE_CHECKING:  # takes samples before there is one
    from qvmon.services.configuration import AccessService

COOKIE = "qvmon_session"
CSRF_HEADER = "X-Qvmon-Request"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_EVERYTHING = frozenset({Role.ADMINISTRATOR})

NO_AUTH_IDENTITY = Identity(
    Principal("anonymous-admin", PrincipalKind.PERSON, permissions_of(_EVERYTHING)),
    "anonymous-admin",
    _EVERYTHING,
)
"""Whoever asks, when authentication is switched off."""

NOBODY = Identity(ANONYMOUS, "", frozenset())
"""Somebody who has not said who they are."""


class Gate:
    """Finds out who sends a request.

    Args:
        config: Whether anybody is let in.
        access: Knows sessions and tokens; None where authentication is switched off.
    """

    def __init__(self, config: ApiConfig, access: AccessService | None) -> None:
        if access is None and not config.no_auth:
            raise ValueError("without an access service nobody could be let in")
        self.config = config
        self._access = access

    async def identify(self, request: Request) -> Identity:
        """Return who sends ``request``, ``NOBODY`` when they do not say.

        Raises:
            QvmonError: UNAUTHENTICATED for credentials that are not (or no longer) good.
        """
        if self.config.no_auth or self._access is None:
            _require_loopback_name(request)
            return NO_AUTH_IDENTITY
        header = request.headers.get("authorization")
        if header is not None:
            return await self._by_header(self._access, header)
        cookie = request.cookies.get(COOKIE)
        found = await self._access.authenticate_session(cookie) if cookie else None
        return found or NOBODY

    async def _by_header(self, access: AccessService, header: str) -> Identity:
        found = await access.authenticate_token(_token(header))
        if found is None:
            raise QvmonError(
                ErrorKind.UNAUTHENTICATED, "the API token is unknown, expired or revoked"
            )
        return found


@dataclass(frozen=True)
class Needs:
    """The dependency of a route: who asks, holding ``permission``.

    Attributes:
        permission: What they must hold; None for anybody who has said who they are.
        only_reads: The route changes nothing, even when it is POSTed to.
        before_password_change: Also for somebody who still has a one-time password.
        anonymous_setting: The setting of ``ApiConfig`` that opens the route to anybody.
    """

    permission: Permission | None
    only_reads: bool = False
    before_password_change: bool = False
    anonymous_setting: str = ""

    async def __call__(self, request: Request) -> Identity:
        """Return who asks.

        Raises:
            QvmonError: UNAUTHENTICATED, or FORBIDDEN with a hint.
        """
        gate: Gate = request.app.state.gate
        if self.anonymous_setting and getattr(gate.config, self.anonymous_setting):
            return self._let_in
        identity = await gate.identify(request)
        if identity.principal.kind is PrincipalKind.ANONYMOUS:
            raise QvmonError(ErrorKind.UNAUTHENTICATED, "authentication required")
        if not self.only_reads and request.method not in _SAFE_METHODS:
            _require_own_page(request, identity)
        if identity.must_change_password and not self.before_password_change:
            raise _password_change_required()
        if self.permission is not None:
            identity.principal.require(self.permission)
        return identity

    @property
    def _let_in(self) -> Identity:
        permissions = frozenset({self.permission} if self.permission else ())
        return Identity(
            Principal("anonymous", PrincipalKind.ANONYMOUS, permissions), "", frozenset()
        )


def client_address(request: Request) -> str:
    """Return the address a request came from."""
    return request.client.host if request.client else ""


def _token(header: str) -> str:
    scheme, _, credentials = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return credentials.strip()
        case "basic":
            return _basic_password(credentials)
        case _:
            raise QvmonError(
                ErrorKind.UNAUTHENTICATED, "Authorization takes Bearer or Basic with an API token"
            )


def _basic_password(credentials: str) -> str:
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise QvmonError(
            ErrorKind.UNAUTHENTICATED, "the Basic credentials are not base64 of UTF-8"
        ) from None
    return decoded.partition(":")[2]


def _require_own_page(request: Request, identity: Identity) -> None:
    """Refuse what another site made a browser send with our cookie, or to an open loopback."""
    if "authorization" in request.headers or request.headers.get(CSRF_HEADER) == "1":
        return
    if not identity.session_id and "origin" not in request.headers:
        return  # no browser's cookie, and no browser
    raise QvmonError(
        ErrorKind.FORBIDDEN,
        f"a change needs the header {CSRF_HEADER}: 1 (it keeps other sites' pages out)",
    )


def _require_loopback_name(request: Request) -> None:
    """Refuse names that a foreign DNS server points at this machine (DNS rebinding)."""
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
    if host not in LOOPBACK_HOSTS:
        raise QvmonError(
            ErrorKind.FORBIDDEN,
            f"without authentication only {', '.join(sorted(LOOPBACK_HOSTS))} are served,"
            f" not {host!r}",
        )


def _password_change_required() -> QvmonError:
    return QvmonError(
        ErrorKind.FORBIDDEN,
        "the one-time password must be changed first",
        reason="must_change_password",
        hint="POST /api/qvmon/v1/session/password with current and new",
    )
