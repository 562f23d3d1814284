"""Reading files: the one way settings and rules are got at."""

from __future__ import annotations

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


def read_text(path: str) -> str:
    """Return a text file's content.

    Raises:
        QvmonError: As ``read``; INVALID when it is not UTF-8.
    """
    try:
        return read(path).decode()
    except UnicodeDecodeError as error:
        raise QvmonError(
            ErrorKind.INVALID, f"{path}: not UTF-8 at byte {error.start}", file=path
        ) from None
