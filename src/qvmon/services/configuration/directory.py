"""Reading users, sessions and tokens from their projections."""

from __future__ import annotations

from qvmon.model.errors import not_found
from qvmon.model.ledger import Ascending, Ledger
from qvmon.services.configuration.sessions import Session
from qvmon.services.configuration.tokens import Token
from qvmon.services.configuration.users import User


class Directory:
    """Who there is, as the ledger's projections say it now."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def users(self) -> list[User]:
        """Return every user, by login name."""
        return [User.from_row(row) for row in await self._ledger.rows("users", order=_BY_LOGIN)]

    async def user(self, login: str) -> User | None:
        """Return one user, or None."""
        rows = await self._ledger.rows("users", {"login": login})
        return User.from_row(rows[0]) if rows else None

    async def existing_user(self, login: str) -> User:
        """Return one user.

        Raises:
            QvmonError: NOT_FOUND.
        """
        user = await self.user(login)
        if user is None:
            raise not_found(f"there is no user {login!r}", login=login)
        return user

    async def session(self, session_id: str) -> Session | None:
        """Return one session, or None."""
        rows = await self._ledger.rows("sessions", {"session_id": session_id})
        return Session.from_row(rows[0]) if rows else None

    async def sessions_of(self, login: str) -> list[Session]:
        """Return a user's sessions, expired ones included."""
        return [Session.from_row(r) for r in await self._ledger.rows("sessions", {"login": login})]

    async def token(self, token_id: str) -> Token | None:
        """Return one token, or None."""
        rows = await self._ledger.rows("tokens", {"token_id": token_id})
        return Token.from_row(rows[0]) if rows else None

    async def token_with_digest(self, digest: str) -> Token | None:
        """Return the token whose secret has ``digest``, or None."""
        rows = await self._ledger.rows("tokens", {"digest": digest})
        return Token.from_row(rows[0]) if rows else None

    async def tokens_of(self, login: str) -> list[Token]:
        """Return a user's tokens, expired ones included, oldest first."""
        rows = await self._ledger.rows("tokens", {"login": login}, order=_BY_CREATION)
        return [Token.from_row(row) for row in rows]


_BY_LOGIN = Ascending("login")
_BY_CREATION = Ascending("created_at_us")
