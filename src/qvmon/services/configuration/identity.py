"""Somebody who has proved who they are, and a short memory of who did."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from qvmon.model.access import Principal, Role


@dataclass(frozen=True, slots=True)
class Identity:
    """A principal and how it proved itself.

    Attributes:
        principal: What acts.
        login: The user behind it.
        roles: The roles it acts with.
        must_change_password: It may do nothing but choose another password.
        session_id: The browser session; empty for a token.
    """

    principal: Principal
    login: str
    roles: frozenset[Role]
    must_change_password: bool = False
    session_id: str = ""


class IdentityCache:
    """Who was behind which secret's digest, for a few seconds.

    Args:
        entries: How many at most; the least recently used give way.
        seconds: How long an entry is believed. What another process changes is seen that late.
    """

    def __init__(self, entries: int, seconds: float) -> None:
        self._entries = entries
        self._seconds = seconds
        self._known: OrderedDict[str, tuple[float, Identity]] = OrderedDict()
        self.generation = 0

    def find(self, digest: str, now: float) -> Identity | None:
        """Return who was behind ``digest``, or None; ``now`` in monotonic seconds."""
        found = self._known.get(digest)
        if found is None or now >= found[0]:
            self._known.pop(digest, None)
            return None
        self._known.move_to_end(digest)
        return found[1]

    def keep(self, digest: str, identity: Identity, now: float, generation: int) -> None:
        """Remember who is behind ``digest``, unless it was looked up in an earlier generation."""
        if generation != self.generation:
            return
        self._known[digest] = (now + self._seconds, identity)
        self._known.move_to_end(digest)
        if len(self._known) > self._entries:
            self._known.popitem(last=False)

    def clear(self) -> None:
        """Forget everybody: something about users, sessions or tokens changed."""
        self._known.clear()
        self.generation += 1
