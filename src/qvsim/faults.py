"""The faults that can be injected, and what they mean to a running workflow."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Fault(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LatencyFault(_Fault):
    """Every operation takes ``factor`` times as long."""

    kind: Literal["latency"] = "latency"
    factor: float = Field(10.0, gt=0, le=1000)


class ErrorsFault(_Fault):
    """A share of all operations fails."""

    kind: Literal["errors"] = "errors"
    rate: float = Field(0.2, ge=0, le=1)


class FeedGapFault(_Fault):
    """Each feed keeps falling silent for ``seconds`` and going on ``size`` messages later."""

    kind: Literal["feed-gap"] = "feed-gap"
    seconds: float = Field(15.0, gt=0, le=3600)
    size: int = Field(500, ge=0, le=10_000_000)


class CrashFault(_Fault):
    """The process dies; it comes back by itself, or stays down until the fault is cleared."""

    kind: Literal["crash"] = "crash"
    restart_after_seconds: float | None = Field(None, ge=0, le=3600)


Fault = Annotated[
    LatencyFault | ErrorsFault | FeedGapFault | CrashFault, Field(discriminator="kind")
]
FaultKind = Literal["latency", "errors", "feed-gap", "crash"]

FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)
FAULTS: TypeAdapter[list[Fault]] = TypeAdapter(list[Fault])


class Conditions:
    """What a workflow suffers at the moment; simulations ask it at every operation."""

    def __init__(self) -> None:
        self.latency_factor = 1.0
        self.feed_gap: FeedGapFault | None = None
        self._error_rate = 0.0

    def change(self, faults: Iterable[Fault]) -> None:
        """Suffer exactly ``faults`` from now on."""
        by_kind = {fault.kind: fault for fault in faults}
        latency, errors, gap = (by_kind.get(kind) for kind in ("latency", "errors", "feed-gap"))
        self.latency_factor = latency.factor if isinstance(latency, LatencyFault) else 1.0
        self._error_rate = errors.rate if isinstance(errors, ErrorsFault) else 0.0
        self.feed_gap = gap if isinstance(gap, FeedGapFault) else None

    def fails(self, random: Random, usual_rate: float) -> bool:
        """Return whether the next operation fails, as ``usual_rate`` of them do on a good day."""
        return random.random() < usual_rate + self._error_rate
