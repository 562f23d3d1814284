"""From which time on stored samples may have changed since a moment: what caches need to know."""

from __future__ import annotations

from bisect import bisect_right
from threading import Lock

from qvmon.tsdb.rows import EARLIEST, LATEST

_GRAIN_MS = 1000
_MOST_MARKS = 16_384


class Changes:
    """Remembers of every change the oldest sample it concerned; for any thread.

    A stack of marks (number of the change, oldest time), both ascending: a change hides earlier
    ones that concerned nothing older. Appends in order of time leave one mark a second.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._number = 0
        self._numbers: list[int] = []
        self._oldest: list[int] = []
        self._forgotten = 0

    def token(self) -> int:
        """Return the present moment, to be given to ``oldest_since`` later."""
        return self._number

    def wrote(self, oldest_ms: int) -> None:
        """Note that samples from ``oldest_ms`` on were added; call it once they can be read."""
        mark = oldest_ms - oldest_ms % _GRAIN_MS if oldest_ms > EARLIEST else EARLIEST
        with self._lock:
            self._number += 1
            while self._oldest and self._oldest[-1] >= mark:
                self._oldest.pop()
                self._numbers.pop()
            self._oldest.append(mark)
            self._numbers.append(self._number)
            if len(self._oldest) > _MOST_MARKS:
                half = _MOST_MARKS // 2
                self._forgotten = self._numbers[half - 1]
                del self._oldest[:half], self._numbers[:half]

    def everything(self) -> None:
        """Note that any sample may have changed."""
        self.wrote(EARLIEST)

    def oldest_since(self, token: int) -> int:
        """Return the oldest time at which a sample may differ from what was read at ``token``.

        ``LATEST`` when nothing has changed, ``EARLIEST`` when it is not known (any more).
        """
        with self._lock:
            if token < self._forgotten:
                return EARLIEST
            at = bisect_right(self._numbers, token)
            return self._oldest[at] if at < len(self._oldest) else LATEST
