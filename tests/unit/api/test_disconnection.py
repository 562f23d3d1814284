"""What a client no longer waits for is not computed to its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import Request

from qvmon.api.http.prometheus.disconnection import ClientGoneError, while_connected


def request_of(*messages: dict[str, Any]) -> Request:
    """A request whose client sends ``messages`` and then stays connected in silence."""
    waiting = list(messages)

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        raise AssertionError

    return Request({"type": "http", "headers": []}, receive)


async def test_an_answer_comes_back_while_the_client_waits() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await while_connected(request_of(), work()) == 7


async def test_an_error_comes_back_as_it_is() -> None:
    async def work() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await while_connected(request_of(), work())


async def test_work_ends_when_the_client_has_gone() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    gone = request_of({"type": "http.request"}, {"type": "http.disconnect"})
    with pytest.raises(ClientGoneError):
        await while_connected(gone, work())
    assert cancelled.is_set()


async def test_work_ends_when_the_server_stops() -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    waiting = asyncio.ensure_future(while_connected(request_of(), work()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0)
    assert cancelled.is_set()
