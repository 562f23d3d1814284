"""Starting parts in order and stopping them in reverse, each step by name."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator

import structlog

from qvmon.model.clock import Clock

log = structlog.get_logger("qvmon.lifecycle")

Act = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """Start or stop what needs no starting or stopping."""


class Lifecycle:
    """What has been started, and how to stop it.

    Args:
        clock: For the durations it logs.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started: list[tuple[str, Act]] = []

    async def start(self, name: str, start: Act, stop: Act) -> None:
        """Start a part; it is stopped before everything that was started before it."""
        began = self._clock.monotonic()
        await start()
        self._started.append((name, stop))
        log.debug("started", part=name, seconds=round(self._clock.monotonic() - began, 3))

    async def stop(self) -> None:
        """Stop every part, last started first; one that fails does not keep the others running."""
        while self._started:
            name, stop = self._started.pop()
            began = self._clock.monotonic()
            try:
                await stop()
            except Exception:  # the rest must still be stopped
                log.exception("could not be stopped", part=name)
            else:
                log.debug("stopped", part=name, seconds=round(self._clock.monotonic() - began, 3))


@contextlib.contextmanager
def until_told_to_stop() -> Iterator[asyncio.Event]:
    """Give an event that is set at the first SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    try:
        yield told
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
