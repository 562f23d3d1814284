"""Time. Nothing else in the program reads a clock."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Where services learn what time it is; tests and replay bring their own."""

    def now_ns(self) -> int:
        """Return the wall time in nanoseconds since the epoch, UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after at least ``seconds`` of this clock's time."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ns(self) -> int:
        """Return the wall time in nanoseconds since the epoch, UTC."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start that never go backwards."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after at least ``seconds`` of this clock's time."""
        await asyncio.sleep(seconds)


def now_ms(clock: Clock) -> int:
    """Return ``clock``'s wall time in milliseconds: the unit of metrics."""
    return clock.now_ns() // 1_000_000


def now_us(clock: Clock) -> int:
    """Return ``clock``'s wall time in microseconds: the unit of facts."""
    return clock.now_ns() // 1_000


async def give_way() -> None:
    """Let every other task that is ready run before this one goes on."""
    await asyncio.sleep(0)
