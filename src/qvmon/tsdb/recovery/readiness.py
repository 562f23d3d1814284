"""Whether what was stored is back in memory: queries and upkeep wait for it."""

from __future__ import annotations

from threading import Event

from qvmon.model.errors import ErrorKind, QvmonError


class Readiness:
    """Ends once, well or not; any thread may wait for it."""

    def __init__(self) -> None:
        self._ended = Event()
        self._complete = False

    @property
    def pending(self) -> bool:
        """Whether it is not known yet how it ends."""
        return not self._ended.is_set()

    def end(self, *, complete: bool) -> None:
        """Let those who wait go on, or fail where something is missing."""
        self._complete = complete
        self._ended.set()

    def wait(self) -> None:
        """Return when everything is back.

        Raises:
            QvmonError: UNAVAILABLE, when that failed.
        """
        self._ended.wait()
        if not self._complete:
            message = "what was stored could not be read back; the log of the start says why"
            raise QvmonError(ErrorKind.UNAVAILABLE, message)
