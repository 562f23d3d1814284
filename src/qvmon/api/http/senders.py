"""``/senders``: who sends samples here, and what was refused to whom."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from qvmon.api.http.access import TelemetryReader, rest_router
from qvmon.api.http.times import Time, rfc3339_or_none
from qvmon.api.ingest import Ingest
from qvmon.services.collection import SenderStatus


class Sender(BaseModel):
    """What became of the samples of one sender since the process began."""

    name: str = Field(description="A user's or token's name, else the address it sends from.")
    accepted: int = Field(description="Samples stored.")
    refused: dict[str, int] = Field(description="Samples refused, by reason.")
    last_refused: Time | None


class SenderList(BaseModel):
    """Senders, by name."""

    senders: list[Sender]


def sender_routes(ingest: Ingest) -> APIRouter:
    """Return the route that lists senders."""
    router = rest_router("telemetry")

    @router.get("/senders", operation_id="listSenders")
    async def list_senders(_: TelemetryReader) -> SenderList:
        """List who sent samples by remote write, and what was refused to whom."""
        return SenderList(senders=[_shown(each) for each in ingest.senders()])

    return router


def _shown(sender: SenderStatus) -> Sender:
    refused_ms = sender.last_refused_ms
    return Sender(
        name=sender.name,
        accepted=sender.accepted,
        refused=dict(sender.refused),
        last_refused=rfc3339_or_none(None if refused_ms is None else refused_ms * 1000),
    )
