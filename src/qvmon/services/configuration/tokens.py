"""API tokens as pure decisions: what they may do, and how their secrets look."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from qvmon.model.access import Principal, PrincipalKind, Role, permissions_of
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.facts import TokenCreated, TokenRevoked
from qvmon.model.ledger import Row
from qvmon.services.configuration.config import AccessConfig
from qvmon.services.configuration.users import User, known_roles, role_names

SECRET_PREFIX = "qvm_"  # noqa: S105 - by which secret scanners recognise one
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Token:
    """A token that has not been revoked; times in microseconds."""

    token_id: str
    login: str
    name: str
    roles: frozenset[Role]
    digest: str
    created_at_us: int
    expires_us: int

    @classmethod
    def from_row(cls, row: Row) -> Token:
        """Return the token that a row of projection ``tokens`` holds."""
        return cls(**{**row, "roles": known_roles(row["roles"])})

    def works(self, owner: User | None, now_us: int) -> bool:
        """Return whether the token may be used."""
        return owner is not None and not owner.disabled and now_us < self.expires_us

    def principal(self, owner: User) -> Principal:
        """Return the token's principal: what it was given, less what its owner has lost."""
        permissions = permissions_of(self.roles) & permissions_of(owner.roles)
        return Principal(f"{self.login}/{self.name}", PrincipalKind.TOKEN, permissions)


def new_secret() -> str:
    """Return 256 random bits as a token."""
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def new_id() -> str:
    """Return a random public name of a token."""
    return secrets.token_hex(8)


def subject(token_id: str) -> str:
    """Return the subject of a token's facts."""
    return f"token/{token_id}"


def create(
    owner: User,
    existing: Sequence[Token],
    *,
    token_id: str,
    name: str,
    roles: frozenset[Role],
    digest: str,
    lifetime_seconds: float | None,
    now_us: int,
    config: AccessConfig,
) -> TokenCreated:
    """Decide to create a token.

    Raises:
        QvmonError: INVALID name or lifetime; FORBIDDEN when it would allow what its owner may
            not do; CONFLICT for a second token of the same name; EXHAUSTED for one too many.
    """
    lifetime = (
        config.token_default_lifetime_seconds if lifetime_seconds is None else lifetime_seconds
    )
    _require_sensible(name, lifetime, config)
    beyond = permissions_of(roles) - permissions_of(owner.roles)
    if beyond:
        raise QvmonError(
            ErrorKind.FORBIDDEN,
            f"a token cannot do what its owner may not: {min(beyond).value}",
            field="roles",
        )
    if any(each.name == name for each in existing):
        raise QvmonError(ErrorKind.CONFLICT, f"you have a token {name!r} already", field="name")
    if len(existing) >= config.tokens_per_user:
        raise QvmonError(
            ErrorKind.EXHAUSTED, f"a user has at most {config.tokens_per_user} tokens: revoke one"
        )
    return TokenCreated(
        token_id=token_id,
        login=owner.login,
        name=name,
        roles=role_names(roles),
        digest=digest,
        expires_us=now_us + int(lifetime * 1e6),
    )


def _require_sensible(name: str, lifetime_seconds: float, config: AccessConfig) -> None:
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise invalid(f"a token's name is 1 to {_LONGEST_NAME} printable characters", field="name")
    if not 0 < lifetime_seconds <= config.token_longest_lifetime_seconds:
        longest = config.token_longest_lifetime_seconds / 86400
        raise invalid(
            f"a token lives more than 0 and at most {longest:g} days", field="lifetime_seconds"
        )


def revoke(token: Token, reason: str) -> TokenRevoked:
    """Decide to revoke a token."""
    return TokenRevoked(token_id=token.token_id, login=token.login, reason=reason)
