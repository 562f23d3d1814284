"""Settings of the ledger."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class LedgerConfig(BaseModel):
    """Where facts are kept.

    Attributes:
        url: SQLAlchemy address of a PostgreSQL database (``postgresql+psycopg://…``), given as
            ``env:NAME`` or ``file:PATH`` because it may hold a password; empty for SQLite in the
            data directory.
        lease_seconds: How long a writer that stopped without saying so keeps its chain.
        root_interval_seconds: How often a signed root over all chains is recorded.
        poll_interval_seconds: How long a consumer waits for a wake-up from another process
            before it looks by itself.
        page_facts: Most facts handed to a consumer at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr = SecretStr("")
    lease_seconds: float = Field(default=15.0, gt=0)
    root_interval_seconds: float = Field(default=60.0, gt=0)
    poll_interval_seconds: float = Field(default=2.0, gt=0)
    page_facts: int = Field(default=500, gt=0)
