"""Merging blocks away from the process that owns their directory; files are all it needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qvmon.model.errors import QvmonError
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.block.blocks import by_rank
from qvmon.tsdb.block.cache import PageCache
from qvmon.tsdb.block.samples import DamagedBlockError
from qvmon.tsdb.deletion.tombstones import Tombstone
from qvmon.tsdb.files.paths import BlockPaths, DataPaths
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.upkeep.compact import write_merged

_CACHE_BYTES = 64 << 20


def merge_apart(
    directory: Path, numbers: Sequence[int], into: int, deletions: Iterable[Tombstone]
) -> bool:
    """Write block ``into`` with the samples of blocks ``numbers``; return whether there are any.

    The blocks themselves stay: it is for the directory's owner, who must not change them meanwhile,
    to show the new one in their place.

    Args:
        directory: Where they are.
        numbers: Of the blocks to merge.
        into: Of the block to write.
        deletions: What is left out, as the owner has it in memory: files may rot.

    Raises:
        DamagedBlockError: For a block that cannot be read.
    """
    paths = DataPaths(directory)
    wanted = [paths.block(number) for number in numbers]
    index, cache = Index(_count_series(wanted)), PageCache(_CACHE_BYTES)
    blocks = by_rank(open_block(each, index, cache) for each in wanted)
    leave_out(deletions, index, blocks)
    return write_merged(index, paths.block(into), blocks)


def open_block(
    paths: BlockPaths, index: Index, cache: PageCache, *, only_known: bool = False
) -> Block:
    """Open a block of a directory that another process owns; arguments are those of ``Block``.

    Raises:
        DamagedBlockError: It cannot be read.
    """
    try:
        return Block(paths, index, cache, only_known=only_known)
    except QvmonError as error:
        raise DamagedBlockError(paths.number, error.message) from error


def leave_out(deletions: Iterable[Tombstone], index: Index, blocks: Sequence[Block]) -> None:
    """Count as gone from ``blocks`` what was deleted."""
    for tombstone in deletions:
        ids = index.match(tombstone.matchers)
        for block in blocks:
            if block.meta.number <= tombstone.through_block:
                block.delete(ids, tombstone.start_ms, tombstone.end_ms)


def _count_series(blocks: Iterable[BlockPaths]) -> int:
    """Return how many series blocks have together: an index reserves memory for each."""
    chunks = [chunk for each in blocks for chunk in _keys(each).chunks]
    return int(pc.count_distinct(pa.chunked_array(chunks, pa.large_binary())).as_py())


def _keys(paths: BlockPaths) -> pa.ChunkedArray:
    try:
        return pq.read_table(paths.series, columns=["key"]).column("key").cast(pa.large_binary())
    except (OSError, pa.ArrowException, KeyError) as error:
        reason = f"{paths.series} cannot be read: {error}"
        raise DamagedBlockError(paths.number, reason) from error
