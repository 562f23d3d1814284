"""Files of this host: configuration, target lists, credentials."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from glob import glob
from pathlib import Path

from qvmon.model.errors import ErrorKind, QvmonError, not_found


def matching(pattern: str) -> Sequence[str]:
    """Return the paths of the files that match a shell pattern, sorted."""
    return sorted(glob(pattern))  # noqa: PTH207 - absolute patterns, which Path refuses


def read(path: str) -> bytes:
    """Return a file's content.

    Raises:
        QvmonError: NOT_FOUND or UNAVAILABLE, with the path and the reason.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise not_found(f"{path}: no such file", file=path) from None
    except OSError as error:
        raise QvmonError(ErrorKind.UNAVAILABLE, f"{path}: {error.strerror}", file=path) from None


class LocalFiles:
    """Finds and reads files without holding up the event loop."""

    async def matching(self, pattern: str) -> Sequence[str]:
        """Return the paths of the files that match a shell pattern, sorted."""
        return await asyncio.to_thread(matching, pattern)

    async def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            QvmonError: NOT_FOUND or UNAVAILABLE, with the path and the reason.
        """
        return await asyncio.to_thread(read, path)
