"""Settings of a peer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PeerConfig(BaseModel):
    """Another qvmon process that has the series.

    Attributes:
        url: Its address, such as ``http://127.0.0.1:9091``.
        timeout_seconds: How long an answer may take.
        answer_bytes: The largest answer that is read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(pattern=r"^https?://[^/]+/?$")
    timeout_seconds: float = Field(default=30.0, gt=0)
    answer_bytes: int = Field(default=1 << 30, ge=1 << 20)
