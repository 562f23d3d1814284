"""A clock that moves only when told to."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count


class JumpingClock:
    """Time under a test's control; sleepers wake in order as ``advance`` passes them.

    Args:
        start_ns: The wall time it begins at, nanoseconds since the epoch.
    """

    def __init__(self, start_ns: int = 1_700_000_000_000_000_000) -> None:
        self._now_ns = start_ns
        self._monotonic_ns = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()

    def now_ns(self) -> int:
        """Return the wall time in nanoseconds since the epoch, UTC."""
        return self._now_ns

    def monotonic(self) -> float:
        """Return seconds advanced since the clock was made."""
        return self._monotonic_ns / 1e9

    async def sleep(self, seconds: float) -> None:
        """Return once the clock has been advanced by ``seconds``."""
        future = asyncio.get_running_loop().create_future()
        due = self._monotonic_ns + int(seconds * 1e9)
        heapq.heappush(self._sleepers, (due, next(self._order), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move time on, waking sleepers at their moments and letting them run."""
        end = self._monotonic_ns + int(seconds * 1e9)
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self._move_to(max(due, self._monotonic_ns))
            if not future.done():
                future.set_result(None)
            await settle()
        self._move_to(end)
        await settle()

    @property
    def sleeping(self) -> int:
        """How many tasks wait for the clock."""
        return sum(not future.done() for _, _, future in self._sleepers)

    def jump_wall(self, seconds: float) -> None:
        """Set the wall time forward or back without waking anybody, as an administrator might."""
        self._now_ns += int(seconds * 1e9)

    def _move_to(self, monotonic_ns: int) -> None:
        self._now_ns += monotonic_ns - self._monotonic_ns
        self._monotonic_ns = monotonic_ns


async def settle() -> None:
    """Let every ready task run until it waits."""
    for _ in range(60):
        await asyncio.sleep(0)
