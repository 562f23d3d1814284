"""What stays the same from page to page of one target: everything but the numbers.

Most pages repeat the one before with other values. Comparing the text between the values costs a
fraction of parsing it again, and whoever recognises a page knows all its series at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qvmon.model.series import Bytes, Float64s, Int64s
from qvmon.wire.exposition import kernels
from qvmon.wire.exposition.samples import Exposition


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The text between the values of a page.

    Attributes:
        text: uint8[total]; what stands before each value, then what stands after the last.
        offsets: int64[n + 2]; piece i is ``text[offsets[i]:offsets[i + 1]]``.
    """

    text: Bytes
    offsets: Int64s

    @classmethod
    def of(cls, page: Exposition) -> Layout | None:
        """Return the layout of ``page``; None where timestamps or exemplars stand on it."""
        body = np.frombuffer(page.body, np.uint8)
        text = np.empty(len(body), np.uint8)
        offsets = np.zeros(len(page) + 2, np.int64)
        if not kernels.outline(body, page.ends, text, offsets):
            return None
        return cls(text[: offsets[-1]].copy(), offsets)

    def values(self, body: bytes) -> Float64s | None:
        """Return float64[n]: the values on a page laid out so; None for any other page."""
        values = np.empty(len(self.offsets) - 2, np.float64)
        source = np.frombuffer(body, np.uint8)
        return values if kernels.refill(source, self.text, self.offsets, values) else None
