"""Passwords: what is accepted as one, and argon2id outside the event loop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from qvmon.model.clock import Clock
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.metrics import Registry
from qvmon.services.configuration.config import PasswordConfig
from qvmon.services.configuration.metrics import HASH_SECONDS

Outcome = TypeVar("Outcome")

LONGEST_PASSWORD = 1024
_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def one_time_password() -> str:
    """Return a random password of 20 characters (116 bits) that can be read aloud."""
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def require_acceptable(password: str, login: str, config: PasswordConfig) -> None:
    """Return when ``password`` may be chosen by ``login``.

    Length is what counts (NIST SP 800-63B, 5.1.1.2): no rules about kinds of characters.

    Raises:
        QvmonError: INVALID, saying what is wrong without repeating the password.
    """
    if len(password) < config.minimum_characters:
        raise invalid(
            f"the password is too short: at least {config.minimum_characters} characters",
            field="password",
        )
    if len(password) > LONGEST_PASSWORD:
        raise invalid(
            f"the password is too long: at most {LONGEST_PASSWORD} characters", field="password"
        )
    if login.casefold() in password.casefold() or len(set(password)) < 4:
        raise invalid("the password is too easy to guess", field="password")


class PasswordHashes:
    """Argon2id in threads, a few at a time, so that a flood of log-ins cannot take the machine.

    Args:
        config: Cost and concurrency.
        clock: Measures how long each hash took.
        registry: Takes those times.
    """

    def __init__(self, config: PasswordConfig, clock: Clock, registry: Registry) -> None:
        self._clock = clock
        self._hasher = PasswordHasher(
            time_cost=config.hash_iterations,
            memory_cost=config.hash_memory_bytes // 1024,
            parallelism=config.hash_lanes,
        )
        self._slots = asyncio.Semaphore(config.concurrent_hashes)
        self._room = config.concurrent_hashes + config.waiting_hashes
        self._busy = 0
        self._seconds = registry.distribution(HASH_SECONDS)
        self._nobody = ""

    async def make(self, password: str) -> str:
        """Return argon2's encoded string for ``password``, with a fresh salt."""
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def matches(self, password_hash: str, password: str) -> bool:
        """Return whether ``password`` has the given hash."""
        return await self._in_thread(lambda: self._verify(password_hash, password))

    async def matches_nobody(self, password: str) -> None:
        """Take as long as ``matches``, so that a caller cannot tell which users exist."""
        if not self._nobody:
            self._nobody = await self.make(secrets.token_hex(16))
        await self.matches(self._nobody, password)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_thread(self, work: Callable[[], Outcome]) -> Outcome:
        if self._busy >= self._room:
            raise QvmonError(
                ErrorKind.EXHAUSTED, "too many log-ins at once", retry_after_seconds=1.0
            )
        self._busy += 1
        started = self._clock.monotonic()
        try:
            async with self._slots:
                return await asyncio.to_thread(work)
        finally:
            self._busy -= 1
            self._seconds.observe(self._clock.monotonic() - started)
