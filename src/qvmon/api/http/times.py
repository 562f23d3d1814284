"""Times as the REST API writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC, microseconds included."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(microseconds: int) -> str:
    """Return a moment in microseconds since the epoch as RFC 3339 in UTC."""
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def rfc3339_or_none(microseconds: int | None) -> str | None:
    """Return a moment as RFC 3339, None for never (None or 0)."""
    return rfc3339(microseconds) if microseconds else None
