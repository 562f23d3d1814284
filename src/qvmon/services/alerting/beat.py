"""Waking groups that are due at the same instant at the same moment."""

from __future__ import annotations

import asyncio

from qvmon.model.clock import Clock, now_ms


class Beat:
    """Sleeps once for everybody who waits for the same instant.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sleeping: dict[int, asyncio.Task[None]] = {}

    async def wait(self, instant_ms: int, longest_ms: int) -> None:
        """Return at an instant, or after ``longest_ms`` if the clock was set back meanwhile."""
        task = self._sleeping.get(instant_ms)
        if task is None:
            wait_ms = min(instant_ms - now_ms(self._clock), longest_ms)
            task = asyncio.ensure_future(self._clock.sleep(max(0, wait_ms) / 1000))
            self._sleeping[instant_ms] = task
            task.add_done_callback(lambda _: self._sleeping.pop(instant_ms, None))
        await asyncio.shield(task)

    def stop(self) -> None:
        """Let nobody sleep on."""
        for task in list(self._sleeping.values()):
            task.cancel()
