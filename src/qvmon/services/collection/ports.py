"""What collection needs from its surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from qvmon.model.labels import Labels
from qvmon.model.unknown import UnknownInterval


class LocalMetrics(Protocol):
    """Something in this process that is watched like a target, under a job of its own."""

    @property
    def name(self) -> str:
        """The job's name, such as ``node``."""
        ...

    def collect(self) -> bytes:
        """Return the exposition text; called in a thread, may take milliseconds."""
        ...


class UnknownLog(Protocol):
    """Where collection writes down what it could not observe; survives the process."""

    def begin_unknown(self, scope: Labels, reason: str, start_ms: int) -> None:
        """Open an interval; one that ended no earlier than ``start_ms`` goes on instead."""
        ...

    def end_unknown(self, scope: Labels, reason: str, end_ms: int) -> None:
        """Close the open interval of a scope and reason; without one nothing happens."""
        ...

    def open_unknown(self) -> list[UnknownInterval]:
        """Return the intervals that have not ended, those of an earlier process among them."""
        ...


class FileStore(Protocol):
    """Where target lists and credentials are read."""

    async def matching(self, pattern: str) -> Sequence[str]:
        """Return the paths of the files that match a shell pattern, sorted."""
        ...

    async def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            QvmonError: NOT_FOUND or UNAVAILABLE, with the path and the reason.
        """
        ...
