"""Numbered byte strings: an arena with a hash table over it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qvmon.model.series import Bytes, Int64s
from qvmon.tsdb.identity import kernels
from qvmon.tsdb.reserve import reserved

_FIRST_SLOTS = 1024


class StringTable:
    """Distinct byte strings, numbered from 0 in the order they came.

    Not locked: one thread adds at a time; strings already numbered may be read beside it.

    Args:
        capacity: The most strings it can hold.
        arena_bytes: The most bytes they can have together.
    """

    def __init__(self, capacity: int, arena_bytes: int) -> None:
        self.arena = reserved(arena_bytes, np.uint8)
        self._view = self.arena.data
        self.ends = reserved(capacity + 1, np.int64)
        self.hashes: NDArray[np.uint64] = np.zeros(_FIRST_SLOTS, np.uint64)
        self.codes: Int64s = np.zeros(_FIRST_SLOTS, np.int64)

    def make_room(self, strings: int) -> None:
        """Let the hash table hold ``strings`` entries at half its length or less."""
        slots = len(self.codes)
        while slots < 2 * strings:
            slots *= 2
        if slots > len(self.codes):
            hashes, codes = np.zeros(slots, np.uint64), np.zeros(slots, np.int64)
            kernels.rehash(self.hashes, self.codes, hashes, codes)
            self.hashes, self.codes = hashes, codes

    def forget(self, gone: Bytes) -> None:
        """Find no string from now on that is ``gone`` (uint8, 1 at its number)."""
        hashes, codes = np.zeros_like(self.hashes), np.zeros_like(self.codes)
        kernels.rehash_kept(self.hashes, self.codes, gone, hashes, codes)
        self.hashes, self.codes = hashes, codes

    def find(self, text: bytes) -> int:
        """Return the number of ``text``, negative when it has none."""
        key = np.frombuffer(text, np.uint8)
        hashed = kernels.hash_bytes(key, 0, len(key))
        return int(kernels.find(key, 0, len(key), *self.columns(), hashed))

    def columns(self) -> tuple[Bytes, Int64s, NDArray[np.uint64], Int64s]:
        """Return arena, ends, hashes and codes, as the kernels take them."""
        return self.arena, self.ends, self.hashes, self.codes

    def text(self, code: int) -> bytes:
        """Return the string numbered ``code``."""
        return bytes(self._view[self.ends[code] : self.ends[code + 1]])
