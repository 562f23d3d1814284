"""What can be set about telling."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class DeliveryPolicy(BaseModel):
    """How one sink is treated.

    Attributes:
        initial_backoff_seconds: Pause after a first failure; doubles with each further one.
        max_backoff_seconds: The longest pause.
        max_age_seconds: A message this old is not tried again and becomes a dead letter.
        circuit_failures: So many failures in a row, and the sink counts as away.
        circuit_open_seconds: How long a sink that is away is left alone before one probe; doubles
            with each failed probe up to ``max_backoff_seconds``.
        max_in_flight: Attempts under way at once; messages with one key never overlap.
        max_pending: Messages read from the ledger and not finished; the rest waits there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    initial_backoff_seconds: float = Field(default=1.0, gt=0)
    max_backoff_seconds: float = Field(default=60.0, gt=0)
    max_age_seconds: float = Field(default=86_400.0, gt=0)
    circuit_failures: int = Field(default=5, ge=1)
    circuit_open_seconds: float = Field(default=5.0, gt=0)
    max_in_flight: int = Field(default=8, ge=1)
    max_pending: int = Field(default=1000, ge=1)


class DistributionConfig(BaseModel):
    """Settings of the whole room.

    Attributes:
        retry_seconds: Pause after the ledger could not be reached.
        stop_patience_seconds: How long attempts under way may take to end at shutdown; one that is
            cut off is repeated after the restart and marked as possibly repeated.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    retry_seconds: float = Field(default=1.0, gt=0)
    stop_patience_seconds: float = Field(default=5.0, ge=0)
