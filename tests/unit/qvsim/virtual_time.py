"""An event loop whose clock jumps to the next timer: an hour of simulation in a moment."""

import asyncio
import selectors
from collections.abc import Awaitable, Callable
from typing import Any


class _Jumping(selectors.DefaultSelector):
    elapsed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        self.elapsed += timeout or 0.0
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.elapsed


def run_for(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Run ``work`` for some virtual seconds, then cancel it."""

    async def limited() -> None:
        try:
            async with asyncio.timeout(seconds):
                await work()
        except TimeoutError:
            pass

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(limited())
