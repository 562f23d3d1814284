"""How much a selection would read, known from counts alone."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from qvmon.model.series import Int64s
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.head.head import Head


def estimate(
    head: Head, blocks: Iterable[Block], ids: Int64s, start: int, end: int
) -> tuple[int, int]:
    """Return about how many of ``ids`` have samples in start..end, and how many samples.

    The head counts; of a block each series gives the part of its samples that corresponds to the
    part of the block's time. Late samples are left out.
    """
    counts = head.about(ids, start, end)
    for block in blocks:
        places = block.present(ids)
        of_series = block.counts[np.searchsorted(block.ids, ids[places])]
        counts[places] += np.ceil(of_series * _overlap(block, start, end)).astype(np.int64)
    return int(np.count_nonzero(counts)), int(counts.sum())


def _overlap(block: Block, start: int, end: int) -> float:
    length = block.meta.end_ms - block.meta.start_ms + 1
    inside = min(block.meta.end_ms, end) - max(block.meta.start_ms, start) + 1
    return max(0.0, min(1.0, inside / length))
