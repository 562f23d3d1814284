"""Which blocks to merge and which to delete, and the merging itself.

Merging follows Prometheus' leveled ranges: three blocks that share an aligned range of the block
length times 3, 9, 27, ... become one, up to a tenth of the retention.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Int64s
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.block.meta import BlockMeta
from qvmon.tsdb.block.writer import Origin
from qvmon.tsdb.files.paths import BlockPaths
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.options import Options
from qvmon.tsdb.rows import EARLIEST, LATEST, Rows, merged
from qvmon.tsdb.upkeep.flush import write_series

FAN_IN = 3
_LARGEST_WITHOUT_RETENTION = 3**5


def ranges(options: Options) -> Iterator[int]:
    """Yield the lengths of blocks in milliseconds, ascending."""
    largest = options.retention_ms // 10 or options.block_ms * _LARGEST_WITHOUT_RETENTION
    length = options.block_ms
    while length <= max(largest, options.block_ms):
        yield length
        length *= FAN_IN


def mergeable(
    blocks: Sequence[BlockMeta], settled_before: int, options: Options
) -> list[BlockMeta]:
    """Return the next blocks to merge into one, none when all is well.

    Args:
        blocks: All there are.
        settled_before: Only ranges whose last stretch was flushed are complete; this is in it.
        options: Block length and retention.
    """
    begun = -(-settled_before // options.block_ms) * options.block_ms
    for length in ranges(options):
        groups: dict[int, list[BlockMeta]] = defaultdict(list)
        for block in blocks:
            aligned = block.start_ms // length
            complete = (aligned + 1) * length <= begun
            if complete and block.end_ms // length == aligned:
                groups[aligned].append(block)
        for _, group in sorted(groups.items()):
            if len(group) >= FAN_IN:
                return group
    return []


def expired(
    blocks: Iterable[Block], until_ms: int, other_bytes: int, options: Options
) -> list[Block]:
    """Return the blocks that retention says to delete.

    Args:
        blocks: All there are.
        until_ms: Age is counted back from here.
        other_bytes: What else counts for retention by size: the log, as in Prometheus.
        options: Retention.
    """
    newest_first = sorted(blocks, key=lambda block: block.meta.end_ms, reverse=True)
    gone, total = [], other_bytes
    for block in newest_first:
        total += block.size
        too_old = 0 < options.retention_ms < until_ms - block.meta.end_ms
        too_much = 0 < options.retention_bytes < total
        if too_old or too_much:
            gone.append(block)
    return gone


def write_merged(index: Index, paths: BlockPaths, sources: Sequence[Block]) -> bool:
    """Write one block with the samples of ``sources``; return whether they have any.

    Of equal times the earlier source's sample counts.

    Raises:
        QvmonError: EXHAUSTED, when the index has no room for all their series.
    """
    if any(len(block.ids) and block.ids[0] < 0 for block in sources):
        message = "the index has no room for all series of the blocks to merge: raise max_series"
        raise QvmonError(ErrorKind.EXHAUSTED, message)
    ids = np.unique(np.concatenate([block.ids for block in sources]))
    counts = np.zeros(len(ids), np.int64)
    for block in sources:
        counts[np.searchsorted(ids, block.ids)] += block.counts

    def read(some: Int64s) -> Rows:
        return merged([block.find(some, EARLIEST, LATEST) for block in sources])

    numbers = tuple(sorted(block.meta.number for block in sources))
    origin = Origin(min(block.meta.rank for block in sources), numbers)
    return write_series(index, paths, ids, counts, read, origin=origin) is not None
