"""One locked owner a data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from qvmon.model.errors import ErrorKind, QvmonError


class DataDirectory:
    """A data directory and the lock by which one process owns it.

    Args:
        path: The directory; made when it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    async def take(self) -> None:
        """Take the lock; it ends with the process at the latest.

        Raises:
            QvmonError: CONFLICT, when another process has it; UNAVAILABLE, when the directory
                cannot be made.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise QvmonError(
                ErrorKind.UNAVAILABLE, f"data directory {self.path}: {error.strerror}"
            ) from None
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise QvmonError(
                ErrorKind.CONFLICT, f"data directory {self.path} is owned by a running qvmon"
            ) from None

    async def leave(self) -> None:
        """Give the lock back."""
        os.close(self._descriptor)
