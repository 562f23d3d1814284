"""Text files: settings and rules."""

from __future__ import annotations

from qvmon.adapters.host import read
from qvmon.model.errors import ErrorKind, QvmonError


def read_text(path: str) -> str:
    """Return a text file's content.

    Raises:
        QvmonError: NOT_FOUND or UNAVAILABLE when it cannot be read, INVALID when it is not UTF-8.
    """
    try:
        return read(path).decode()
    except UnicodeDecodeError as error:
        raise QvmonError(
            ErrorKind.INVALID, f"{path}: not UTF-8 at byte {error.start}", file=path
        ) from None
