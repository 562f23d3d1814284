"""Browser sessions as pure decisions: how long they last and what ends them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from qvmon.model.facts import SessionClosed, SessionOpened, SessionRenewed
from qvmon.model.ledger import Row
from qvmon.services.configuration.config import AccessConfig

_RENEWALS_PER_IDLE_TIME = 12


@dataclass(frozen=True, slots=True)
class Session:
    """An open session; times in microseconds."""

    session_id: str
    login: str
    address: str
    opened_at_us: int
    idle_expires_us: int
    expires_us: int

    @classmethod
    def from_row(cls, row: Row) -> Session:
        """Return the session that a row of projection ``sessions`` holds."""
        return cls(**row)

    def is_open(self, now_us: int) -> bool:
        """Return whether the session has not expired."""
        return now_us < min(self.idle_expires_us, self.expires_us)


def new_secret() -> str:
    """Return 256 random bits as text for a cookie."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret: what is stored, and what a session is called."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def subject(session_id: str) -> str:
    """Return the subject of a session's facts."""
    return f"session/{session_id}"


def open_session(
    login: str, session_id: str, address: str, now_us: int, config: AccessConfig
) -> SessionOpened:
    """Decide the life of a new session."""
    return SessionOpened(
        session_id=session_id,
        login=login,
        address=address,
        idle_expires_us=now_us + int(config.session_idle_seconds * 1e6),
        expires_us=now_us + int(config.session_absolute_seconds * 1e6),
    )


def renew(session: Session, now_us: int, config: AccessConfig) -> SessionRenewed | None:
    """Decide whether use of a session is worth recording: once in a twelfth of the idle time."""
    idle_us = int(config.session_idle_seconds * 1e6)
    end = min(now_us + idle_us, session.expires_us)
    if end - session.idle_expires_us < idle_us // _RENEWALS_PER_IDLE_TIME:
        return None
    return SessionRenewed(session_id=session.session_id, idle_expires_us=end)


def close_all(sessions: Sequence[Session], reason: str) -> list[SessionClosed]:
    """Decide to end every one of ``sessions``."""
    return [
        SessionClosed(session_id=each.session_id, login=each.login, reason=reason)
        for each in sessions
    ]


def make_room(sessions: Sequence[Session], now_us: int, allowed: int) -> list[SessionClosed]:
    """Decide which of a user's sessions end for a new one: the expired, then the oldest."""
    expired = [each for each in sessions if not each.is_open(now_us)]
    alive = sorted(
        (each for each in sessions if each.is_open(now_us)), key=lambda each: each.opened_at_us
    )
    superseded = alive[: max(0, len(alive) - allowed + 1)]
    return close_all(expired, "expired") + close_all(superseded, "superseded")
