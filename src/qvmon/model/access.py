"""Who asks and what they may do. Every read and every act takes a ``Principal``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from qvmon.model.errors import ErrorKind, QvmonError


class Permission(StrEnum):
    """One thing a principal may be allowed to do."""

    READ_TELEMETRY = "telemetry:read"
    WRITE_TELEMETRY = "telemetry:write"
    READ_ALERTS = "alerts:read"
    READ_INCIDENTS = "incidents:read"
    RESPOND_INCIDENTS = "incidents:respond"  # acknowledge, comment, assign
    COMMAND_INCIDENTS = "incidents:command"  # resolve, re-open, change severity
    READ_CONFIGURATION = "configuration:read"
    OPERATE = "configuration:operate"  # reload, silence, pause
    MANAGE_OBJECTIVES = "objectives:manage"
    READ_AUDIT = "audit:read"
    ADMINISTER = "access:administer"  # users, roles, tokens


class Role(StrEnum):
    """A named bundle of permissions."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    RESPONDER = "responder"
    INCIDENT_COMMANDER = "incident_commander"
    SLO_OWNER = "slo_owner"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    INGEST = "ingest"  # for tokens of machines that write telemetry and may read nothing


_READ = frozenset(
    {
        Permission.READ_TELEMETRY,
        Permission.READ_ALERTS,
        Permission.READ_INCIDENTS,
        Permission.READ_CONFIGURATION,
    }
)
_RESPOND = _READ | {Permission.RESPOND_INCIDENTS}

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _READ,
    Role.OPERATOR: _RESPOND | {Permission.OPERATE, Permission.WRITE_TELEMETRY},
    Role.RESPONDER: _RESPOND,
    Role.INCIDENT_COMMANDER: _RESPOND | {Permission.COMMAND_INCIDENTS},
    Role.SLO_OWNER: _READ | {Permission.MANAGE_OBJECTIVES},
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.AUDITOR: _READ | {Permission.READ_AUDIT},
    Role.INGEST: frozenset({Permission.WRITE_TELEMETRY}),
}
"""Every role and what it may do: the one table."""


class PrincipalKind(StrEnum):
    """What sort of actor a principal is."""

    PERSON = "person"
    TOKEN = "token"  # noqa: S105 - a word, not a secret
    SERVICE = "service"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    """An actor with what it may do.

    Attributes:
        name: Login name of a person, ``login/token`` of a token, service name of a service.
        kind: What sort of actor it is.
        permissions: What it may do.
    """

    name: str
    kind: PrincipalKind
    permissions: frozenset[Permission]

    @property
    def actor(self) -> str:
        """The form in which facts name this actor, such as ``person:ada``."""
        return f"{self.kind.value}:{self.name}"

    def may(self, permission: Permission) -> bool:
        """Return whether the principal holds ``permission``."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Return when the principal holds ``permission``.

        Raises:
            QvmonError: UNAUTHENTICATED for nobody in particular, FORBIDDEN for somebody.
        """
        if permission in self.permissions:
            return
        if self.kind is PrincipalKind.ANONYMOUS:
            raise QvmonError(ErrorKind.UNAUTHENTICATED, "authentication required")
        raise QvmonError(
            ErrorKind.FORBIDDEN, f"{self.actor} lacks {permission.value}", permission=permission
        )


ANONYMOUS = Principal("anonymous", PrincipalKind.ANONYMOUS, frozenset())
"""Somebody who has not said who they are: allowed nothing."""


def service_principal(name: str) -> Principal:
    """Return the principal of one of qvmon's own services."""
    return Principal(name, PrincipalKind.SERVICE, frozenset(Permission))


def person(name: str, roles: frozenset[Role]) -> Principal:
    """Return the principal of a person with ``roles``."""
    return Principal(name, PrincipalKind.PERSON, permissions_of(roles))


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Return everything that any of ``roles`` allows."""
    return frozenset(p for role in roles for p in ROLE_PERMISSIONS[role])
