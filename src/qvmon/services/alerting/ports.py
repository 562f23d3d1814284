"""What alerting needs from others."""

from __future__ import annotations

from typing import Protocol

from qvmon.model.access import Principal
from qvmon.promql.results import Result


class Queries(Protocol):
    """Where rules ask; the query engine is one."""

    async def instant(
        self,
        principal: Principal,
        text: str,
        time_ms: int,
        *,
        timeout_seconds: float | None = None,
    ) -> Result:
        """Return the result of a PromQL expression at one instant.

        Raises:
            QvmonError: The query failed; nothing is known about what it would have said.
        """
        ...


class Readiness(Protocol):
    """Something to wait for, such as an ``asyncio.Event``."""

    async def wait(self) -> object:
        """Return once every source has reported since the program began."""
        ...

    def is_set(self) -> bool:
        """Return whether that has happened."""
        ...
