"""The door: it takes samples as soon as there is a store, and opens for all else at the end."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from starlette.datastructures import State
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

_NEVER_OPENED = PlainTextResponse("qvmon could not be started\n", 503)


class Door:
    """Answers with a first application, and with the whole one from when that is there.

    Requests that the first one has no route for wait until then.

    Args:
        first: Answers from the start what ``create_first_app`` says in its ``state.paths``.
    """

    def __init__(self, first: FastAPI) -> None:
        self._first = first
        self._whole: FastAPI | None = None
        self._settled = asyncio.Event()
        first.state.close_streams = self._settled.set

    def open(self, whole: FastAPI) -> None:
        """Answer everything with ``whole`` from now on."""
        self._whole = whole
        self._settled.set()

    @property
    def state(self) -> State:
        """What the application that answers now keeps."""
        return (self._whole or self._first).state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._whole is None and scope.get("path") in self._first.state.paths:
            await self._first(scope, receive, send)
            return
        await self._settled.wait()
        await (self._whole or _NEVER_OPENED)(scope, receive, send)
