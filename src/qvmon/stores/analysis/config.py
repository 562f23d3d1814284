"""What the child process may take."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AnalysisConfig(BaseModel):
    """The child process that merges blocks, so that its memory cannot hurt alerting.

    Attributes:
        enabled: Whether there is one; otherwise blocks are merged in this process.
        memory_bytes: Memory it may allocate; beyond it its task fails, and nothing else.
        niceness: By how much it yields the processor to this process, 0 to 19.
        idle_seconds: After so long without a task it ends; the next task starts another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    memory_bytes: int = Field(default=2 << 30, ge=512 << 20)
    niceness: int = Field(default=10, ge=0, le=19)
    idle_seconds: float = Field(default=60.0, gt=0)
