"""From the head to blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from qvmon.model.series import Int64s
from qvmon.tsdb import kernels
from qvmon.tsdb.block.blocks import BlockList
from qvmon.tsdb.block.meta import BlockMeta
from qvmon.tsdb.block.writer import Origin, key_order, write_block
from qvmon.tsdb.deletion.deletions import Deletions
from qvmon.tsdb.files.paths import BlockPaths
from qvmon.tsdb.head.head import Head
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.rows import EARLIEST, Part, Rows, merged

_PART_ROWS = 1 << 20
_MOST_LATE_BLOCKS = 64


def flush_head(
    head: Head, index: Index, blocks: BlockList, deletions: Deletions, end: int
) -> BlockMeta | None:
    """Write the head's samples before ``end`` to a block; return that, None without samples."""
    with deletions.held_off():
        paths = blocks.next_paths()
    counts = head.counts(EARLIEST, end - 1)
    ids = np.flatnonzero(counts)

    def read(some: Int64s) -> Rows:
        return head.read_in_order(some, EARLIEST, end - 1)

    written = write_series(index, paths, ids, counts[ids], read)
    if written is not None:
        deletions.publish(paths)
    return written


def flush_late(
    head: Head, index: Index, blocks: BlockList, deletions: Deletions, block_ms: int
) -> tuple[int, int]:
    """Write the late samples set aside to blocks, one for each stretch of time.

    What a block has already is left out: the value that was stored first stays.

    Returns:
        How many blocks were written, and how many samples a block has with another value.
    """
    with deletions.held_off():
        view = head.frozen_late()
        stretches = _stretches(view.times, block_ms)
        places = [blocks.next_paths() for _ in stretches]
    written, different = 0, np.zeros(1, np.int64)
    for (start, end), paths in zip(stretches, places, strict=True):
        inside = (view.times >= start) & (view.times <= end)
        ids, counts = np.unique(view.series[inside], return_counts=True)

        def read(some: Int64s, start: int = start, end: int = end) -> Rows:
            rows = merged([view.read(some, len(index), start, end)])
            return _unknown(rows, blocks.find(some, start, end), different)

        if write_series(index, paths, ids, counts, read) is not None:
            deletions.publish(paths)
            written += 1
    return written, int(different[0])


def _stretches(times: Int64s, block_ms: int) -> list[tuple[int, int]]:
    """Return the first and last millisecond of the stretches that have some of ``times``."""
    length = block_ms
    while len(stretches := np.unique(times // length)) > _MOST_LATE_BLOCKS:
        length *= 3
    return [(start, start + length - 1) for start in (stretches * length).tolist()]


def _unknown(rows: Rows, stored: Sequence[Part], different: Int64s) -> Rows:
    """Return ``rows`` less those at whose time ``stored`` has one; count those not the same."""
    if not stored:
        return rows
    known = merged(stored)
    total = kernels.drop_known(
        rows.offsets, rows.times, rows.bits, known.offsets, known.times, known.bits, different
    )
    return Rows(rows.offsets, rows.times[:total], rows.bits[:total])


def write_series(
    index: Index,
    paths: BlockPaths,
    ids: Int64s,
    counts: Int64s,
    read: Callable[[Int64s], Rows],
    *,
    origin: Origin | None = None,
) -> BlockMeta | None:
    """Write a block of the series ``ids`` and return what it is, None when they have no samples.

    Args:
        index: Knows the series' keys.
        paths: Where it goes.
        ids: int64[n]; series.
        counts: int64[n]; about how many samples each has.
        read: Gives the samples of some of them.
        origin: Of samples that were in blocks before; new ones rank by the block's own number.
    """
    keys = index.keys(ids)
    order = key_order(keys)
    parts = (read(ids[rows]) for rows in in_parts(order, counts))
    origin = origin or Origin(paths.number)
    return write_block(paths, index.keys(ids[order]), parts, origin)


def in_parts(order: Int64s, counts: Int64s) -> Iterator[Int64s]:
    """Yield ``order`` in pieces that have about ``_PART_ROWS`` samples."""
    parts = np.cumsum(counts[order]) // _PART_ROWS
    yield from np.split(order, np.flatnonzero(np.diff(parts)) + 1)
