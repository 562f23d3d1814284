"""Giving freed memory back: large requests and queries would leave their room behind for good."""

from __future__ import annotations

import asyncio
import ctypes
import resource
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from qvmon.model.clock import Clock

LOOK_SECONDS = 1.0
_QUIET_SHARE = 0.2
_WORTH_SECONDS = 0.5
_PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Work:
    """What the process has done, in seconds.

    Attributes:
        now: When this was seen.
        used: Processor time used until then.
        returned: When memory was given back last, and ``used_then`` until then.
    """

    now: float
    used: float
    returned: float
    used_then: float


def look(before: Work, now: float, used: float) -> tuple[Work, bool]:
    """Return what is to be remembered, and whether freed memory is to be given back now.

    It is once enough was done since the last time and the process has become quiet, as room that
    is needed again at once costs its pages; one that is never quiet does it each minute.
    """
    quiet = used - before.used < _QUIET_SHARE * (now - before.now)
    late = now - before.returned >= _PATIENCE_SECONDS
    due = used - before.used_then >= _WORTH_SECONDS and (quiet or late)
    after = replace(before, now=now, used=used)
    return (replace(after, returned=now, used_then=used), True) if due else (after, False)


class MemoryReturn:
    """Looks each second whether it is time to give freed memory back, where the system can.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._trim = _trimming()
        self._looking: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to look."""
        if self._trim is not None:
            self._looking = asyncio.create_task(self._look(self._trim), name="memory return")

    async def stop(self) -> None:
        """Look no longer."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking

    async def _look(self, trim: Callable[[int], int]) -> None:
        now = self._clock.monotonic()
        work = Work(now, 0.0, now, 0.0)
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            work, due = look(work, self._clock.monotonic(), _used_seconds())
            if due:
                await asyncio.to_thread(trim, 0)


def _trimming() -> Callable[[int], int] | None:
    """Return glibc's ``malloc_trim``; other libraries give memory back by themselves."""
    trim: Callable[[int], int] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim


def _used_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
