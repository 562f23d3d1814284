"""The access service: log-ins, sessions, users and tokens, each act a fact."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from qvmon.model.access import Permission, Principal, Role, service_principal
from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import ErrorKind, QvmonError, not_found
from qvmon.model.facts import (
    FactBody,
    FactDraft,
    LoginSucceeded,
    SessionClosed,
    TokenCreated,
    UserPasswordChanged,
)
from qvmon.model.ledger import Ledger
from qvmon.model.metrics import Registry
from qvmon.services.configuration import sessions, tokens, users
from qvmon.services.configuration.config import AccessConfig
from qvmon.services.configuration.directory import Directory
from qvmon.services.configuration.identity import Identity, IdentityCache
from qvmon.services.configuration.login import PasswordLogin
from qvmon.services.configuration.metrics import CACHE_LOOKUPS, TOKEN_REFUSALS
from qvmon.services.configuration.passwords import (
    PasswordHashes,
    one_time_password,
    require_acceptable,
)
from qvmon.services.configuration.tokens import Token
from qvmon.services.configuration.users import User

FIRST_ADMINISTRATOR = "admin"


class AccessService:
    """Who may come in, and what the house knows about them.

    Args:
        config: Lifetimes and limits.
        ledger: Keeps the facts and folds ``PROJECTIONS``.
        clock: Tells the time.
        registry: Takes the service's metrics.
    """

    def __init__(
        self, config: AccessConfig, ledger: Ledger, clock: Clock, registry: Registry
    ) -> None:
        self.config = config
        self._ledger = ledger
        self._clock = clock
        self._directory = Directory(ledger)
        self._hashes = PasswordHashes(config.password, clock, registry)
        self._login = PasswordLogin(
            config.backoff,
            directory=self._directory,
            hashes=self._hashes,
            ledger=ledger,
            clock=clock,
            registry=registry,
        )
        self._cache = IdentityCache(
            config.authentication_cache_entries, config.authentication_cache_seconds
        )
        self._changing = asyncio.Lock()
        self._lookups = registry.family(CACHE_LOOKUPS)
        self._refusals = registry.value(TOKEN_REFUSALS)

    async def ensure_administrator(self) -> str | None:
        """Return a one-time password for ``admin`` when nobody could administer, else None.

        The password is told only here, and must be changed at the first login.
        """
        async with self._changing:
            everybody = await self._directory.users()
            if any(user.administers for user in everybody):
                return None
            password = one_time_password()
            password_hash = await self._hashes.make(password)
            bodies = _first_administrator(everybody, password_hash)
            await self._record(
                service_principal("configuration"), users.subject(FIRST_ADMINISTRATOR), bodies
            )
            return password

    async def awaits_first_change(self) -> bool:
        """Return whether ``admin`` still has a one-time password."""
        user = await self._directory.user(FIRST_ADMINISTRATOR)
        return user is not None and user.must_change_password

    # --- authentication ---------------------------------------------------------------------

    async def log_in(self, login: str, password: str, address: str) -> tuple[str, Identity]:
        """Open a browser session; return its secret, for the cookie, and who it is.

        Raises:
            QvmonError: UNAUTHENTICATED, or EXHAUSTED with ``retry_after_seconds``.
        """
        proven = await self._login.prove(login, password, address)
        secret = sessions.new_secret()
        async with self._changing:
            user = await self._unchanged(proven)
            session_id = await self._open_session(user, sessions.digest(secret), address)
        return secret, _identity(user, session_id)

    async def _unchanged(self, proven: User) -> User:
        """Return a user as of now, whose password is still the one that was proven a moment ago."""
        user = await self._directory.user(proven.login)
        if user is None or user.disabled or user.password_hash != proven.password_hash:
            raise QvmonError(
                ErrorKind.UNAUTHENTICATED, "the user was changed meanwhile: log in again"
            )
        return user

    async def _open_session(self, user: User, session_id: str, address: str) -> str:
        now = now_us(self._clock)
        existing = await self._directory.sessions_of(user.login)
        opened = sessions.open_session(user.login, session_id, address, now, self.config)
        actor, came_in = user.principal.actor, LoginSucceeded(login=user.login, address=address)
        room = sessions.make_room(existing, now, self.config.sessions_per_user)
        await self._append(
            [
                FactDraft(came_in, users.subject(user.login), actor, now),
                *self._closing(room, user.principal),
                FactDraft(opened, sessions.subject(session_id), actor, now),
            ]
        )
        return session_id

    async def log_out(self, identity: Identity) -> None:
        """End the browser session of ``identity``."""
        session = await self._directory.session(identity.session_id)
        if session is not None:
            closing = sessions.close_all([session], "logout")
            await self._append(self._closing(closing, identity.principal))

    async def authenticate_session(self, secret: str) -> Identity | None:
        """Return who a session cookie stands for, or None when it stands for nobody (any more)."""
        session_id = sessions.digest(secret)
        found = self._cached(session_id)
        if found is not None:
            return found
        generation = self._cache.generation
        session = await self._directory.session(session_id)
        now = now_us(self._clock)
        if session is None or not session.is_open(now):
            return None
        user = await self._directory.user(session.login)
        if user is None or user.disabled:
            return None
        renewed = sessions.renew(session, now, self.config)
        if renewed is not None:
            await self._record(user.principal, sessions.subject(session_id), [renewed])
        return self._remembered(session_id, _identity(user, session_id), generation)

    async def authenticate_token(self, secret: str) -> Identity | None:
        """Return who an API token stands for, or None when it stands for nobody (any more)."""
        digest = sessions.digest(secret)
        found = self._cached(digest)
        if found is not None:
            return found
        generation = self._cache.generation
        token = await self._directory.token_with_digest(digest)
        owner = await self._directory.user(token.login) if token else None
        if token is None or owner is None or not token.works(owner, now_us(self._clock)):
            self._refusals.add()
            return None
        identity = Identity(token.principal(owner), owner.login, token.roles & owner.roles)
        return self._remembered(digest, identity, generation)

    # --- users ------------------------------------------------------------------------------

    async def list_users(self, principal: Principal) -> list[User]:
        """Return every user.

        Raises:
            QvmonError: FORBIDDEN.
        """
        principal.require(Permission.ADMINISTER)
        return await self._directory.users()

    async def create_user(
        self, principal: Principal, login: str, password: str, role_names: Iterable[str]
    ) -> User:
        """Create a user, who must choose another password at first login.

        Raises:
            QvmonError: FORBIDDEN, INVALID, CONFLICT.
        """
        principal.require(Permission.ADMINISTER)
        roles = users.parse_roles(role_names)
        require_acceptable(password, login, self.config.password)
        password_hash = await self._hashes.make(password)
        async with self._changing:
            existing = await self._directory.user(login)
            body = users.create(existing, login, roles, password_hash)
            await self._record(principal, users.subject(login), [body])
        return await self._directory.existing_user(login)

    async def change_user(
        self,
        principal: Principal,
        login: str,
        *,
        role_names: Sequence[str] | None = None,
        disabled: bool | None = None,
        password: str | None = None,
    ) -> User:
        """Change a user's roles, whether they may log in, or set them a one-time password.

        Whatever changes ends the user's browser sessions.

        Raises:
            QvmonError: FORBIDDEN, NOT_FOUND, INVALID, CONFLICT for the last administrator.
        """
        principal.require(Permission.ADMINISTER)
        roles = None if role_names is None else users.parse_roles(role_names)
        password_hash = await self._new_hash(password, login)
        async with self._changing:
            user = await self._directory.existing_user(login)
            everybody = await self._directory.users()
            bodies = users.change(
                user, everybody, roles=roles, disabled=disabled, password_hash=password_hash
            )
            await self._record_change(principal, user, bodies)
        return await self._directory.existing_user(login)

    async def change_own_password(
        self, identity: Identity, current: str, new: str, address: str
    ) -> tuple[str, Identity]:
        """Replace one's password; every session ends and a new one is opened.

        Raises:
            QvmonError: UNAUTHENTICATED when ``current`` is wrong, EXHAUSTED while backing off,
                INVALID when ``new`` cannot be used.
        """
        proven = await self._login.prove(identity.login, current, address)
        require_acceptable(new, proven.login, self.config.password)
        if new == current:
            raise QvmonError(ErrorKind.INVALID, "the new password is the current one", field="new")
        body = UserPasswordChanged(login=proven.login, password_hash=await self._hashes.make(new))
        async with self._changing:
            user = await self._unchanged(proven)
            await self._record_change(identity.principal, user, [body])
        return await self.log_in(user.login, new, address)

    # --- tokens -----------------------------------------------------------------------------

    async def list_tokens(self, identity: Identity) -> list[Token]:
        """Return the tokens of the user behind ``identity``."""
        return await self._directory.tokens_of(identity.login)

    async def create_token(
        self,
        identity: Identity,
        name: str,
        role_names: Iterable[str],
        lifetime_seconds: float | None = None,
    ) -> tuple[str, Token]:
        """Create a token; return its secret, which is told only here, and the token.

        Raises:
            QvmonError: FORBIDDEN for a token's request or roles its owner lacks, INVALID,
                CONFLICT, EXHAUSTED.
        """
        if not identity.session_id:
            raise QvmonError(ErrorKind.FORBIDDEN, "tokens are created by people who have logged in")
        roles = users.parse_roles(role_names)
        secret = tokens.new_secret()
        async with self._changing:
            body = tokens.create(
                await self._directory.existing_user(identity.login),
                await self._directory.tokens_of(identity.login),
                token_id=tokens.new_id(),
                name=name,
                roles=roles,
                digest=sessions.digest(secret),
                lifetime_seconds=lifetime_seconds,
                now_us=now_us(self._clock),
                config=self.config,
            )
            await self._record(identity.principal, tokens.subject(body.token_id), [body])
        return secret, await self._existing_token(body)

    async def revoke_token(self, identity: Identity, token_id: str) -> None:
        """Revoke one's own token, or as administrator anybody's.

        Raises:
            QvmonError: NOT_FOUND, for others' tokens too.
        """
        token = await self._directory.token(token_id)
        administers = identity.principal.may(Permission.ADMINISTER)
        if token is None or (token.login != identity.login and not administers):
            raise not_found(f"there is no token {token_id!r}", token_id=token_id)
        body = tokens.revoke(token, "revoked")
        await self._record(identity.principal, tokens.subject(token_id), [body])

    # --- recording --------------------------------------------------------------------------

    async def _new_hash(self, password: str | None, login: str) -> str | None:
        if password is None:
            return None
        require_acceptable(password, login, self.config.password)
        return await self._hashes.make(password)

    async def _existing_token(self, created: TokenCreated) -> Token:
        token = await self._directory.token(created.token_id)
        if token is None:
            raise not_found(f"token {created.token_id!r} was revoked at once")
        return token

    async def _record_change(
        self, principal: Principal, user: User, bodies: Sequence[FactBody]
    ) -> None:
        if not bodies:
            return
        at = now_us(self._clock)
        changes = [
            FactDraft(body, users.subject(user.login), principal.actor, at) for body in bodies
        ]
        open_now = await self._directory.sessions_of(user.login)
        reason = bodies[0].TYPE.partition(".")[2]
        closing = self._closing(sessions.close_all(open_now, reason), principal)
        await self._append(changes + closing)

    def _closing(self, bodies: Sequence[SessionClosed], principal: Principal) -> list[FactDraft]:
        at = now_us(self._clock)
        return [
            FactDraft(body, sessions.subject(body.session_id), principal.actor, at)
            for body in bodies
        ]

    async def _record(self, principal: Principal, subject: str, bodies: Sequence[FactBody]) -> None:
        at = now_us(self._clock)
        await self._append([FactDraft(body, subject, principal.actor, at) for body in bodies])

    async def _append(self, drafts: Sequence[FactDraft]) -> None:
        await self._ledger.append(drafts)
        self._cache.clear()

    def _cached(self, digest: str) -> Identity | None:
        found = self._cache.find(digest, self._clock.monotonic())
        self._lookups.value("miss" if found is None else "hit").add()
        return found

    def _remembered(self, digest: str, identity: Identity, generation: int) -> Identity:
        self._cache.keep(digest, identity, self._clock.monotonic(), generation)
        return identity


def _identity(user: User, session_id: str) -> Identity:
    return Identity(user.principal, user.login, user.roles, user.must_change_password, session_id)


def _first_administrator(everybody: Sequence[User], password_hash: str) -> list[FactBody]:
    existing = next((user for user in everybody if user.login == FIRST_ADMINISTRATOR), None)
    administrator = frozenset({Role.ADMINISTRATOR})
    if existing is None:
        return [
            users.create(None, FIRST_ADMINISTRATOR, administrator, password_hash),
        ]
    return users.change(
        existing, everybody, roles=administrator, disabled=False, password_hash=password_hash
    )
