"""``/events``: facts as they happen, as server-sent events.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from qvmon.api.config import ApiConfig
from qvmon.api.http.access import AnyIdentity, rest_router
from qvmon.api.http.event_hub import EventHub
from qvmon.api.http.times import rfc3339
from qvmon.api.http.wording import in_words
from qvmon.model.facts import Fact
from qvmon.services.configuration import Identity

_RETRY_MS = 2000
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "`event: fact` with `{id,type,subject,at,text}`; `event: missed` with"
        " `{count}` when the client was too slow or came back too late",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


def event_routes(hub: EventHub, config: ApiConfig) -> APIRouter:
    """Return the route of the event stream."""
    router = rest_router("events")

    @router.get(
        "/events",
        operation_id="streamEvents",
        responses=_STREAM,
        response_class=StreamingResponse,
    )
    async def events(
        identity: AnyIdentity, last_event_id: Annotated[str, Header()] = ""
    ) -> StreamingResponse:
        """Stream what happens, as far as the caller may see it."""
        stream = _stream(hub, identity, last_event_id, config.event_heartbeat_seconds)
        return StreamingResponse(stream, media_type="text/event-stream")

    return router


async def _stream(
    hub: EventHub, identity: Identity, last_id: str, heartbeat_seconds: float
) -> AsyncIterator[bytes]:
    yield f"retry: {_RETRY_MS}\n\n".encode()
    async with hub.listen(identity, last_id) as listener:
        while True:
            fact = await listener.next(heartbeat_seconds)
            missed = listener.take_missed()
            if missed:
                yield _event("missed", {"count": missed})
            if fact is not None:
                yield _event("fact", fact_event(fact), fact.id)
            elif listener.closed:
                return
            elif not missed:
                yield b": still here\n\n"


def fact_event(fact: Fact) -> dict[str, str]:
    """Return what an event tells of a fact."""
    return {
        "id": fact.id,
        "type": fact.type,
        "subject": fact.subject,
        "at": rfc3339(fact.occurred_at),
        "text": in_words(fact),
    }


def _event(name: str, content: dict[str, Any], event_id: str = "") -> bytes:
    identified = f"id: {event_id}\n" if event_id else ""
    encoded = msgspec.json.encode(content).decode()
    return f"event: {name}\n{identified}data: {encoded}\n\n".encode()
