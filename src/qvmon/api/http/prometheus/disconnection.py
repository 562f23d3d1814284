"""Work that nobody waits for any more is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from fastapi import Request

Answer = TypeVar("Answer")

_UNWATCHED_SECONDS = 0.02
"""Work as short as this is over before a client can be found to have left."""


class ClientGoneError(Exception):
    """The client closed its connection before it had its answer."""


async def while_connected(request: Request, work: Coroutine[Any, Any, Answer]) -> Answer:
    """Return what ``work`` returns, cancelling it when the client leaves.

    Args:
        request: Its body has been read.
        work: What the client waits for.

    Raises:
        ClientGoneError: The client has left, and ``work`` has ended for that reason.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=_UNWATCHED_SECONDS)
        if not task.done():
            await _watched(request, task)
    except BaseException:
        task.cancel()
        raise
    if task.cancelled():
        raise ClientGoneError
    return task.result()


async def _watched(request: Request, task: asyncio.Future[Answer]) -> None:
    """Return when ``task`` is over; cancel it when the client goes first."""
    gone = asyncio.ensure_future(_gone(request))
    try:
        watched: set[asyncio.Future[Any]] = {task, gone}
        await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
    if not task.done():
        task.cancel()
        await asyncio.wait({task})


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
