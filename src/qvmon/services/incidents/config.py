"""What can be set about incidents."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class IncidentsConfig(BaseModel):
    """How incidents are opened and re-opened.

    Attributes:
        reopen_within_seconds: An alert that fires this soon after its group went quiet re-opens
            the last incident instead of opening another.
        retry_seconds: Pause after the ledger could not be reached.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reopen_within_seconds: float = Field(default=1800.0, ge=0)
    retry_seconds: float = Field(default=1.0, gt=0)
