"""Parts start in order and stop in reverse."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from qvmon.app.lifecycle import Lifecycle
from qvmon.testing.clock import JumpingClock


async def test_parts_stop_in_reverse_even_when_one_cannot() -> None:
    seen: list[str] = []

    def act(word: str, *, fails: bool = False) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            seen.append(word)
            if fails:
                raise RuntimeError(word)

        return run

    lifecycle = Lifecycle(JumpingClock())
    await lifecycle.start("a", act("+a"), act("-a"))
    await lifecycle.start("b", act("+b"), act("-b", fails=True))
    await lifecycle.start("c", act("+c"), act("-c"))
    await lifecycle.stop()
    await lifecycle.stop()
    assert seen == ["+a", "+b", "+c", "-c", "-b", "-a"]
