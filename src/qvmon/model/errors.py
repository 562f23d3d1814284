"""One error type with a handful of kinds; transports map the kinds in one table each."""

from __future__ import annotations

from enum import StrEnum


class ErrorKind(StrEnum):
    """What a caller can do about an error; the text says where and why."""

    INVALID = "invalid"  # the request or document is wrong: mend it, do not repeat it
    UNAUTHENTICATED = "unauthenticated"  # say who you are
    FORBIDDEN = "forbidden"  # known, and not allowed
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"  # the state changed underneath, or the act does not fit the state
    UNSUPPORTED = "unsupported"  # valid, and not something this version does
    EXHAUSTED = "exhausted"  # a limit was reached; repeat later or ask for less
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"  # a counterpart or store is away: repeat later
    CORRUPT = "corrupt"  # stored bytes are not what was written
    INTERNAL = "internal"  # a defect of ours


class QvmonError(Exception):
    """Any failure qvmon reports on purpose.

    Args:
        kind: What the caller can do about it.
        message: One sentence that says where and why.
        context: Named values for logs and error bodies (file, line, column, series, ...).
    """

    def __init__(self, kind: ErrorKind, message: str, **context: object) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.context = context


def invalid(message: str, **context: object) -> QvmonError:
    """Return an error for input that its sender must mend."""
    return QvmonError(ErrorKind.INVALID, message, **context)


def not_found(message: str, **context: object) -> QvmonError:
    """Return an error for a thing that is not there."""
    return QvmonError(ErrorKind.NOT_FOUND, message, **context)
