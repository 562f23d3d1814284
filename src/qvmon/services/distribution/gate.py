"""The way to a sink: so many attempts at once, none while it is away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from qvmon.model.clock import Clock
from qvmon.services.distribution.circuit import Circuit
from qvmon.services.distribution.config import DeliveryPolicy
from qvmon.services.distribution.delivery import Outcome

log = structlog.get_logger("qvmon.distribution")


class Gate:
    """Keeps one sink's circuit and lets attempts through.

    Args:
        name: The sink's name, for the log.
        policy: How the sink is treated.
        clock: Its monotonic time; a jump of the wall clock opens and closes nothing.
    """

    def __init__(self, name: str, policy: DeliveryPolicy, clock: Clock) -> None:
        self.in_flight = asyncio.Semaphore(policy.max_in_flight)
        self._name = name
        self._policy = policy
        self._clock = clock
        self._circuit = Circuit()
        self._changed = asyncio.Event()
        self._recovered = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether the sink counts as away."""
        return self._circuit.is_open

    async def pass_through(self, is_wanted: Callable[[], bool]) -> bool:
        """Return True once an attempt may start, False when it is not wanted any more.

        After True the attempt's outcome must be given to ``learn``.
        """
        while is_wanted():
            if self._circuit.admits(self._now_us()):
                self._circuit = self._circuit.admitted()
                return True
            if self._circuit.is_probing:
                await self._changed.wait()
            else:
                await self._clock.sleep((self._circuit.open_until_us - self._now_us()) / 1e6)
        return False

    async def pause(self, seconds: float) -> None:
        """Return after ``seconds``, or as soon as a sink that was away is back."""
        if seconds <= 0:
            return
        sleep = asyncio.ensure_future(self._clock.sleep(seconds))
        recovery = asyncio.ensure_future(self._recovered.wait())
        try:
            await asyncio.wait([sleep, recovery], return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            recovery.cancel()

    def learn(self, outcome: Outcome) -> None:
        """Take an attempt's outcome into account."""
        was_open = self.is_open
        self._circuit = self._circuit.after(outcome, self._now_us(), self._policy)
        self._changed.set()
        self._changed = asyncio.Event()
        if was_open and not self.is_open:
            self._recovered.set()
            self._recovered = asyncio.Event()
        if self.is_open != was_open:
            news = "sink is away" if self.is_open else "sink is back"
            log.warning(news, sink=self._name, answer=outcome.detail)

    def _now_us(self) -> int:
        return int(self._clock.monotonic() * 1e6)
