"""What child processes may take."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AnalysisConfig(BaseModel):
    """Child processes that merge blocks and answer analysis queries.

    One merges; ``query.concurrent_analysis`` others answer. None waits for another, and what they
    allocate or break is not this process's.

    Attributes:
        enabled: Whether there are any; otherwise their work is done in this process.
        memory_bytes: Memory each may allocate; beyond it its task fails, and nothing else.
        niceness: By how much they yield the processor to this process, 0 to 19.
        idle_seconds: After so long without a task they end; the next task starts another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    memory_bytes: int = Field(default=4 << 30, ge=512 << 20)
    niceness: int = Field(default=10, ge=0, le=19)
    idle_seconds: float = Field(default=60.0, gt=0)
