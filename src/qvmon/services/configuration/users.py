"""Local users as pure decisions: what may be changed, and which facts say so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qvmon.model.access import Permission, Principal, Role, permissions_of, person
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.facts import (
    FactBody,
    UserCreated,
    UserDisabled,
    UserEnabled,
    UserPasswordChanged,
    UserRolesChanged,
)
from qvmon.model.ledger import Row

_ROLE_NAMES = frozenset(role.value for role in Role)
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class User:
    """A local user as of now; times in microseconds, 0 for never."""

    login: str
    roles: frozenset[Role]
    password_hash: str
    disabled: bool
    must_change_password: bool
    created_at_us: int
    changed_at_us: int
    last_login_us: int

    @classmethod
    def from_row(cls, row: Row) -> User:
        """Return the user that a row of projection ``users`` holds."""
        return cls(**{**row, "roles": known_roles(row["roles"])})

    @property
    def principal(self) -> Principal:
        """The principal this user acts as."""
        return person(self.login, self.roles)

    @property
    def administers(self) -> bool:
        """Whether this user may, now, change other users."""
        return not self.disabled and Permission.ADMINISTER in permissions_of(self.roles)


def subject(login: str) -> str:
    """Return the subject of a user's facts."""
    return f"user/{login}"


def known_roles(names: Iterable[str]) -> frozenset[Role]:
    """Return the roles called ``names``; a name that this version lacks allows nothing."""
    return frozenset(Role(name) for name in names if name in _ROLE_NAMES)


def parse_roles(names: Iterable[str]) -> frozenset[Role]:
    """Return the roles called ``names``.

    Raises:
        QvmonError: INVALID, for an unknown role or none at all.
    """
    wanted = frozenset(names)
    unknown = sorted(name for name in wanted if name not in _ROLE_NAMES)
    if unknown:
        known = ", ".join(Role)
        raise invalid(f"unknown role {unknown[0]!r}; the roles are {known}", field="roles")
    if not wanted:
        raise invalid("at least one role is needed", field="roles")
    return frozenset(map(Role, wanted))


def role_names(roles: Iterable[Role]) -> tuple[str, ...]:
    """Return role names in the order in which facts keep them."""
    return tuple(sorted(role.value for role in roles))


def create(
    existing: User | None, login: str, roles: frozenset[Role], password_hash: str
) -> UserCreated:
    """Decide to create a user, who must choose a password of their own at first login.

    Raises:
        QvmonError: INVALID for a bad login name, CONFLICT when there is such a user.
    """
    if not _LOGIN.fullmatch(login):
        raise invalid(
            "a login name is 1 to 64 of a-z, 0-9, '.', '_', '-', '@' and begins with a letter"
            " or digit",
            field="login",
        )
    if existing is not None:
        raise QvmonError(ErrorKind.CONFLICT, f"there is already a user {login!r}", login=login)
    return UserCreated(
        login=login,
        roles=role_names(roles),
        password_hash=password_hash,
        must_change_password=True,
    )


def change(
    user: User,
    everybody: Sequence[User],
    *,
    roles: frozenset[Role] | None = None,
    disabled: bool | None = None,
    password_hash: str | None = None,
) -> list[FactBody]:
    """Decide what an administrator's change amounts to; nothing for what is so already.

    Raises:
        QvmonError: CONFLICT when nobody would be left to administer.
    """
    bodies: list[FactBody] = []
    if roles is not None and roles != user.roles:
        bodies.append(
            UserRolesChanged(
                login=user.login, roles=role_names(roles), previous=role_names(user.roles)
            )
        )
    if disabled is not None and disabled != user.disabled:
        bodies.append((UserDisabled if disabled else UserEnabled)(login=user.login))
    if password_hash is not None:
        bodies.append(
            UserPasswordChanged(
                login=user.login, password_hash=password_hash, must_change_password=True
            )
        )
    _require_administrator(user, everybody, roles, disabled)
    return bodies


def _require_administrator(
    user: User,
    everybody: Sequence[User],
    roles: frozenset[Role] | None,
    disabled: bool | None,
) -> None:
    stays = not (user.disabled if disabled is None else disabled)
    keeps = Permission.ADMINISTER in permissions_of(user.roles if roles is None else roles)
    others = any(each.administers for each in everybody if each.login != user.login)
    if user.administers and not (stays and keeps) and not others:
        raise QvmonError(
            ErrorKind.CONFLICT,
            f"{user.login!r} is the last administrator: make somebody else one first",
            login=user.login,
        )
