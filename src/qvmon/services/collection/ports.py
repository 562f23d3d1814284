"""What collection needs from its surroundings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class LocalMetrics(Protocol):
    """Something in this process that is watched like a target, under a job of its own."""

    @property
    def name(self) -> str:
        """The job's name, such as ``node``."""
        ...

    def collect(self) -> bytes:
        """Return the exposition text; called in a thread, may take milliseconds."""
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
