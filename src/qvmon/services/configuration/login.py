"""Proving who one is with a password, without making guessing cheap."""

from __future__ import annotations

import math

from qvmon.model.access import ANONYMOUS
from qvmon.model.clock import Clock, now_us
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import FactDraft, LoginFailed
from qvmon.model.ledger import Ledger
from qvmon.model.metrics import Registry
from qvmon.services.configuration import users
from qvmon.services.configuration.backoff import Backoff
from qvmon.services.configuration.config import BackoffConfig
from qvmon.services.configuration.directory import Directory
from qvmon.services.configuration.metrics import LOGINS
from qvmon.services.configuration.passwords import LONGEST_PASSWORD, PasswordHashes
from qvmon.services.configuration.users import User

_LONGEST_RECORDED_NAME = 64


class PasswordLogin:
    """Checks passwords; failures slow down the next attempt and become facts, so many a minute.

    Args:
        config: Backing off and recording.
        directory: Who there is.
        hashes: Verifies passwords.
        ledger: Takes the failures.
        clock: Tells the time.
        registry: Counts the attempts.
    """

    def __init__(
        self,
        config: BackoffConfig,
        *,
        directory: Directory,
        hashes: PasswordHashes,
        ledger: Ledger,
        clock: Clock,
        registry: Registry,
    ) -> None:
        self._config = config
        self._directory = directory
        self._hashes = hashes
        self._ledger = ledger
        self._clock = clock
        self._outcomes = registry.family(LOGINS)
        self._backoff = Backoff()
        self._minute = 0
        self._recorded = 0
        self._unrecorded = 0

    async def prove(self, login: str, password: str, address: str) -> User:
        """Return the user ``login`` when ``password`` is theirs.

        Raises:
            QvmonError: EXHAUSTED with ``retry_after_seconds`` while backing off;
                UNAUTHENTICATED, the same for every other reason.
        """
        self._require_patience(login, address)
        # Counted before the slow part: guesses sent all at once back off like any others.
        self._backoff = self._backoff.failed(login, address, self._clock.monotonic(), self._config)
        user = await self._directory.user(login)
        reason = await self._why_not(user, password)
        if user is None or reason:
            await self._refuse(login, address, reason)
            raise QvmonError(ErrorKind.UNAUTHENTICATED, "wrong user name or password")
        self._backoff = self._backoff.succeeded(login, address, self._config)
        self._outcomes.value("succeeded").add()
        return user

    def _require_patience(self, login: str, address: str) -> None:
        wait = self._backoff.wait_seconds(login, address, self._clock.monotonic(), self._config)
        if wait > 0:
            self._outcomes.value("throttled").add()
            raise QvmonError(
                ErrorKind.EXHAUSTED,
                f"too many failed log-ins: try again in {math.ceil(wait)} s",
                retry_after_seconds=math.ceil(wait),
            )

    async def _why_not(self, user: User | None, password: str) -> str:
        if user is None or len(password) > LONGEST_PASSWORD:
            await self._hashes.matches_nobody(password[:LONGEST_PASSWORD])
            return "unknown_user" if user is None else "wrong_password"
        if not await self._hashes.matches(user.password_hash, password):
            return "wrong_password"
        return "disabled" if user.disabled else ""

    async def _refuse(self, login: str, address: str, reason: str) -> None:
        self._outcomes.value(reason).add()
        minute = int(self._clock.monotonic() // 60)
        if minute != self._minute:
            self._minute, self._recorded = minute, 0
        if self._recorded >= self._config.recorded_failures_per_minute:
            self._unrecorded += 1
            return
        self._recorded += 1
        unrecorded, self._unrecorded = self._unrecorded, 0
        name = login[:_LONGEST_RECORDED_NAME]
        body = LoginFailed(login=name, address=address, reason=reason, unrecorded=unrecorded)
        at = now_us(self._clock)
        await self._ledger.append([FactDraft(body, users.subject(name), ANONYMOUS.actor, at)])
