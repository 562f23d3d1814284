"""Users, sessions and tokens as tables folded from facts."""

from __future__ import annotations

from collections.abc import Sequence

from qvmon.model.facts import (
    Fact,
    LoginSucceeded,
    SessionClosed,
    SessionOpened,
    SessionRenewed,
    TokenCreated,
    TokenRevoked,
    UserCreated,
    UserDisabled,
    UserEnabled,
    UserPasswordChanged,
    UserRolesChanged,
)
from qvmon.model.ledger import Column, Key, Projection, Row


def _subject_id(fact: Fact) -> Sequence[Key]:
    return [(fact.subject.partition("/")[2],)]


def _fold_user(row: Row | None, fact: Fact, key: Key) -> Row | None:
    body = fact.body
    if isinstance(body, UserCreated):
        return {
            "login": key[0],
            "roles": list(body.roles),
            "password_hash": body.password_hash,
            "disabled": False,
            "must_change_password": body.must_change_password,
            "created_at_us": fact.occurred_at,
            "changed_at_us": fact.occurred_at,
            "last_login_us": 0,
        }
    if row is None:
        return None
    if isinstance(body, LoginSucceeded):
        return {**row, "last_login_us": fact.occurred_at}
    return {**row, **_user_change(fact), "changed_at_us": fact.occurred_at}


def _user_change(fact: Fact) -> Row:
    match fact.body:
        case UserRolesChanged(roles=roles):
            return {"roles": list(roles)}
        case UserPasswordChanged(password_hash=password_hash, must_change_password=must_change):
            return {"password_hash": password_hash, "must_change_password": must_change}
        case UserDisabled():
            return {"disabled": True}
        case UserEnabled():
            return {"disabled": False}
        case _:
            return {}


def _fold_session(row: Row | None, fact: Fact, key: Key) -> Row | None:
    match fact.body:
        case SessionOpened() as body:
            return {
                "session_id": key[0],
                "login": body.login,
                "address": body.address,
                "opened_at_us": fact.occurred_at,
                "idle_expires_us": body.idle_expires_us,
                "expires_us": body.expires_us,
            }
        case SessionRenewed(idle_expires_us=idle_expires_us) if row is not None:
            return {**row, "idle_expires_us": idle_expires_us}
        case _:
            return None


def _fold_token(_row: Row | None, fact: Fact, key: Key) -> Row | None:
    body = fact.body
    if not isinstance(body, TokenCreated):
        return None
    return {
        "token_id": key[0],
        "login": body.login,
        "name": body.name,
        "roles": list(body.roles),
        "digest": body.digest,
        "created_at_us": fact.occurred_at,
        "expires_us": body.expires_us,
    }


USERS = Projection(
    name="users",
    version=1,
    key=("login",),
    columns=(
        Column("login", "text"),
        Column("roles", "json"),
        Column("password_hash", "text"),
        Column("disabled", "boolean"),
        Column("must_change_password", "boolean"),
        Column("created_at_us", "integer"),
        Column("changed_at_us", "integer"),
        Column("last_login_us", "integer"),
    ),
    types=frozenset(
        body.TYPE
        for body in (
            UserCreated,
            UserRolesChanged,
            UserPasswordChanged,
            UserDisabled,
            UserEnabled,
            LoginSucceeded,
        )
    ),
    keys=_subject_id,
    fold=_fold_user,
)

SESSIONS = Projection(
    name="sessions",
    version=1,
    key=("session_id",),
    columns=(
        Column("session_id", "text"),
        Column("login", "text", indexed=True),
        Column("address", "text"),
        Column("opened_at_us", "integer"),
        Column("idle_expires_us", "integer"),
        Column("expires_us", "integer"),
    ),
    types=frozenset(body.TYPE for body in (SessionOpened, SessionRenewed, SessionClosed)),
    keys=_subject_id,
    fold=_fold_session,
)

TOKENS = Projection(
    name="tokens",
    version=1,
    key=("token_id",),
    columns=(
        Column("token_id", "text"),
        Column("login", "text", indexed=True),
        Column("name", "text"),
        Column("roles", "json"),
        Column("digest", "text", indexed=True),
        Column("created_at_us", "integer"),
        Column("expires_us", "integer"),
    ),
    types=frozenset(body.TYPE for body in (TokenCreated, TokenRevoked)),
    keys=_subject_id,
    fold=_fold_token,
)

PROJECTIONS: tuple[Projection, ...] = (USERS, SESSIONS, TOKENS)
"""The tables this service keeps in the ledger."""
