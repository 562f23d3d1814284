"""Hands new facts to everybody who listens, without letting a slow listener hold up the rest."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from qvmon.api.config import ApiConfig
from qvmon.api.metrics import EVENT_CLIENTS, EVENTS_MISSED
from qvmon.model.access import Permission, Principal
from qvmon.model.clock import Clock
from qvmon.model.errors import QvmonError
from qvmon.model.facts import (
    Fact,
    SessionClosed,
    TokenRevoked,
    UserDisabled,
    UserRolesChanged,
)
from qvmon.model.ledger import Ledger
from qvmon.model.metrics import Registry
from qvmon.services.configuration import Identity

_PAGE = 1000
_REMEMBERED = 2000
_NEEDED = {
    "alert": Permission.READ_ALERTS,
    "obligation": Permission.READ_ALERTS,
    "notification": Permission.READ_ALERTS,
    "delivery": Permission.READ_ALERTS,
    "incident": Permission.READ_INCIDENTS,
}

log = structlog.get_logger("qvmon.api.events")


def may_see(principal: Principal, fact: Fact) -> bool:
    """Return whether ``principal`` may be told of ``fact``; what is not theirs is the auditor's."""
    noun = fact.subject.partition("/")[0]
    return principal.may(_NEEDED.get(noun, Permission.READ_AUDIT))


class Listener:
    """One client's queue of facts.

    Args:
        identity: Who listens.
        length: How many facts wait at most; further ones are missed, and counted.
    """

    def __init__(self, identity: Identity, length: int) -> None:
        self.identity = identity
        self.missed = 0
        self.closed = False
        self._length = length
        self._waiting: deque[Fact] = deque()
        self._news = asyncio.Event()

    def offer(self, fact: Fact) -> bool:
        """Put ``fact`` in the queue; return False when it is full."""
        if len(self._waiting) >= self._length:
            self.missed += 1
            return False
        self._waiting.append(fact)
        self._news.set()
        return True

    def close(self) -> None:
        """End the client's stream after what waits."""
        self.closed = True
        self._news.set()

    def take_missed(self) -> int:
        """Return how many facts were missed since this was last asked."""
        missed, self.missed = self.missed, 0
        return missed

    async def next(self, patience_seconds: float) -> Fact | None:
        """Return the next fact; None when there is none yet, none any more, or some were missed."""
        if not (self._waiting or self.closed or self.missed):
            self._news.clear()
            try:
                async with asyncio.timeout(patience_seconds):
                    await self._news.wait()
            except TimeoutError:
                return None
        return self._waiting.popleft() if self._waiting else None


class EventHub:
    """Reads the ledger while anybody listens.

    Args:
        ledger: Where facts come from.
        config: Polling and queue lengths.
        clock: Times the polling.
        registry: Takes the metrics.
    """

    def __init__(self, ledger: Ledger, config: ApiConfig, clock: Clock, registry: Registry) -> None:
        self._ledger = ledger
        self._config = config
        self._clock = clock
        self._listeners: set[Listener] = set()
        self._recent: deque[Fact] = deque(maxlen=_REMEMBERED)
        self._cursor: dict[str, int] = {}
        self._since_us = 0
        self._reading: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._closed = False
        self._clients = registry.value(EVENT_CLIENTS)
        self._missed = registry.value(EVENTS_MISSED)

    def close(self) -> None:
        """End every stream and read no more."""
        self._closed = True
        for listener in self._listeners:
            listener.close()
        if self._reading is not None:
            self._reading.cancel()

    @asynccontextmanager
    async def listen(self, identity: Identity, last_id: str = "") -> AsyncIterator[Listener]:
        """Give a listener that hears of everything after ``last_id`` while it is held.

        Where ``last_id`` is no longer remembered, it has missed something and says so.
        """
        await self._begin()
        listener = Listener(identity, self._config.event_queue_length)
        self._replay(listener, last_id)
        if self._closed:
            listener.close()
        self._listeners.add(listener)
        self._clients.set(len(self._listeners))
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            self._clients.set(len(self._listeners))

    async def _begin(self) -> None:
        async with self._beginning:
            reading = self._reading is not None and not self._reading.done()
            if reading or self._closed:
                return
            await self._skip_to_now()
            self._reading = asyncio.create_task(self._read_while_anybody_listens(), name="events")

    async def _skip_to_now(self) -> None:
        newest = await self._ledger.read(newest_first=True, limit=_PAGE)
        for fact in newest:
            self._cursor[fact.chain] = max(fact.seq, self._cursor.get(fact.chain, 0))
        known = {fact.id for fact in self._recent}
        self._recent.extend(fact for fact in reversed(newest) if fact.id not in known)
        # A chain without any of the newest facts is read from its start: old facts are no news.
        self._since_us = newest[-1].recorded_at if newest else 0

    async def _read_while_anybody_listens(self) -> None:
        await self._clock.sleep(self._config.event_poll_seconds)
        while self._listeners:
            try:
                self._publish(await self._ledger.read(after=self._cursor, limit=_PAGE))
            except QvmonError as error:
                log.warning("events wait for the ledger", error=error.message)
            await self._clock.sleep(self._config.event_poll_seconds)

    def _publish(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            self._cursor[fact.chain] = fact.seq
            if fact.recorded_at < self._since_us:
                continue
            self._recent.append(fact)
            for listener in self._listeners:
                self._tell(listener, fact)

    def _tell(self, listener: Listener, fact: Fact) -> None:
        if may_see(listener.identity.principal, fact) and not listener.offer(fact):
            self._missed.add()
        if _ends(fact, listener.identity):
            listener.close()

    def _replay(self, listener: Listener, last_id: str) -> None:
        if not last_id:
            return
        recent = list(self._recent)
        at = next((i for i, fact in enumerate(recent) if fact.id == last_id), None)
        if at is None:
            listener.missed += 1
            return
        for fact in recent[at + 1 :]:
            if may_see(listener.identity.principal, fact):
                listener.offer(fact)


def _ends(fact: Fact, identity: Identity) -> bool:
    """Return whether ``fact`` takes from a listener what let them in; they may come in again."""
    match fact.body:
        case SessionClosed(session_id=session_id):
            return session_id == identity.session_id
        case UserDisabled(login=login) | UserRolesChanged(login=login):
            return login == identity.login
        case TokenRevoked(login=login):
            return login == identity.login and not identity.session_id
        case _:
            return False
