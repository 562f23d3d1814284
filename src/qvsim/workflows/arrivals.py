"""Work that arrives at random moments, and how long it takes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from random import Random

from qvsim.faults import Conditions


async def on_arrival(
    random: Random, rate_per_second: float, work: Callable[[], Awaitable[None]]
) -> None:
    """Begin ``work`` at the moments of a Poisson process, not waiting for earlier work to end."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    async with asyncio.TaskGroup() as tasks:
        while True:
            due = max(due + random.expovariate(rate_per_second), loop.time() - 1.0)
            await asyncio.sleep(due - loop.time())
            tasks.create_task(_awaited(work))


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def duration(random: Random, conditions: Conditions, median_seconds: float, spread: float) -> float:
    """Return a log-normal duration in seconds, stretched by a latency fault."""
    return conditions.latency_factor * random.lognormvariate(math.log(median_seconds), spread)


def poisson(random: Random, mean: float) -> int:
    """Return how many of many rare events happen (Knuth, TAOCP volume 2, 3.4.1)."""
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count
