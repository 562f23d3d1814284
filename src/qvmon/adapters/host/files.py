"""Files of this host: target lists, credentials."""

from __future__ import annotations

import asyncio
import glob
from collections.abc import Sequence
from pathlib import Path

from qvmon.model.errors import ErrorKind, QvmonError, not_found


class LocalFiles:
    """Finds and reads files without holding up the event loop."""

    async def matching(self, pattern: str) -> Sequence[str]:
        """Return the paths of the files that match a shell pattern, sorted."""
        found = await asyncio.to_thread(glob.glob, pattern)
        return sorted(found)

    async def read(self, path: str) -> bytes:
        """Return a file's content.

        Raises:
            QvmonError: NOT_FOUND or UNAVAILABLE, with the path and the reason.
        """
        try:
            return await asyncio.to_thread(Path(path).read_bytes)
        except FileNotFoundError:
            raise not_found(f"{path}: no such file", file=path) from None
        except OSError as error:
            raise QvmonError(
                ErrorKind.UNAVAILABLE, f"{path}: {error.strerror}", file=path
            ) from None
