"""Decoded pages of blocks, the least recently used ones forgotten first."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from qvmon.model.series import Int64s

Page = tuple[Int64s, Int64s]


class PageCache:
    """Columns (times, bits) by block number and row group.

    Args:
        max_bytes: How much is kept.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._pages: OrderedDict[tuple[int, int], Page] = OrderedDict()
        self._bytes = 0
        self.hits = 0
        self.misses = 0

    @property
    def bytes(self) -> int:
        """Bytes of the pages that are kept."""
        return self._bytes

    def find(self, key: tuple[int, int]) -> Page | None:
        """Return a page, None when it is not here."""
        with self._lock:
            found = self._pages.get(key)
            if found is None:
                self.misses += 1
            else:
                self._pages.move_to_end(key)
                self.hits += 1
            return found

    def keep(self, key: tuple[int, int], page: Page) -> None:
        """Keep a decoded page, and forget others when there are too many."""
        with self._lock:
            if key in self._pages:
                return
            self._pages[key] = page
            self._bytes += _size(page)
            while self._bytes > self._max_bytes:
                _, oldest = self._pages.popitem(last=False)
                self._bytes -= _size(oldest)

    def forget_block(self, number: int) -> None:
        """Drop the pages of a block that is gone."""
        with self._lock:
            for key in [key for key in self._pages if key[0] == number]:
                self._bytes -= _size(self._pages.pop(key))


def _size(page: Page) -> int:
    times, bits = page
    return times.nbytes + bits.nbytes
