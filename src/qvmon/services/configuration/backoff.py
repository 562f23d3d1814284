"""Slowing down guesses: who has to wait, and for how long, as a pure value.

Failures are counted under three names: the login from one address, the address, the login from
anywhere. Each has some free failures; every further one doubles the wait from one second on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from qvmon.services.configuration.config import BackoffConfig

Key = tuple[str, str]
_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Failures:
    """How often in a row, and when last (seconds of a monotonic clock)."""

    count: int
    last: float


@dataclass(frozen=True, slots=True)
class Backoff:
    """Everybody's recent failures; least recently failed first."""

    failures: Mapping[Key, Failures] = field(default_factory=lambda: MappingProxyType({}))

    def wait_seconds(self, login: str, address: str, now: float, config: BackoffConfig) -> float:
        """Return how long ``login`` from ``address`` has to wait before the next attempt."""
        return max(
            self._remaining(key, free, now, config)
            for key, free in _keys(login, address, config).items()
        )

    def _remaining(self, key: Key, free: int, now: float, config: BackoffConfig) -> float:
        seen = self.failures.get(key)
        if seen is None or seen.count < free or now - seen.last > config.forget_after_seconds:
            return 0.0
        delay = min(2.0 ** min(seen.count - free, _DOUBLINGS), config.longest_delay_seconds)
        return max(0.0, seen.last + delay - now)

    def failed(self, login: str, address: str, now: float, config: BackoffConfig) -> Backoff:
        """Return the state after a failed attempt; the longest unseen names give way."""
        failures = dict(self.failures)
        for key in _keys(login, address, config):
            seen = failures.pop(key, None)
            fresh = seen is None or now - seen.last > config.forget_after_seconds
            failures[key] = Failures(1 if fresh or seen is None else seen.count + 1, now)
        for key in list(failures)[: max(0, len(failures) - config.remembered_keys)]:
            del failures[key]
        return Backoff(failures)

    def succeeded(self, login: str, address: str, config: BackoffConfig) -> Backoff:
        """Return the state after an attempt, counted as failed, turned out to be right.

        The person's own count from that address is forgotten; the wider ones lose the attempt
        that had been counted in advance, and keep the guesses of others.
        """
        failures = {k: v for k, v in self.failures.items() if k != (login, address)}
        for key in _keys(login, address, config):
            if key in failures:
                seen = failures[key]
                failures[key] = Failures(seen.count - 1, seen.last)
        return Backoff({key: seen for key, seen in failures.items() if seen.count > 0})


def _keys(login: str, address: str, config: BackoffConfig) -> dict[Key, int]:
    return {
        (login, address): config.free_failures_per_login_and_address,
        ("", address): config.free_failures_per_address,
        (login, ""): config.free_failures_per_login,
    }
