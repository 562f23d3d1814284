"""What alerting needs from others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from qvmon.model.access import Principal
from qvmon.model.errors import QvmonError
from qvmon.promql.results import Result


class Queries(Protocol):
    """Where rules ask; the query engine is one."""

    def many(
        self,
        principal: Principal,
        asked: Sequence[tuple[str, int]],
        *,
        timeout_seconds: float | None = None,
    ) -> AsyncIterator[tuple[tuple[str, int], Result | QvmonError]]:
        """Yield the result of each distinct (PromQL, milliseconds) as soon as it is there.

        An error stands for a query that failed; nothing is known about what it would have said.
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
