"""The blocks of a database, as readers see them: whole lists, swapped at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Lock

from qvmon.model.series import Bools, Int64s
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.block.cache import PageCache
from qvmon.tsdb.block.samples import DamagedBlockError
from qvmon.tsdb.files.durable import remove_directory, set_aside
from qvmon.tsdb.files.paths import BlockPaths, DataPaths
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.rows import Part


class BlockList:
    """Blocks in the order in which they win at equal times; any thread may read or change it.

    Args:
        paths: Where blocks are.
        index: Learns the series of each block.
        cache: Keeps decoded pages.
        last: Every new block gets a larger number.
    """

    def __init__(self, paths: DataPaths, index: Index, cache: PageCache, last: int = 0) -> None:
        self._paths = paths
        self._index = index
        self._cache = cache
        self._lock = Lock()
        self._blocks: tuple[Block, ...] = ()
        self._leftovers: list[Path] = []
        self.damaged: list[str] = []
        self._next = max([last, *paths.block_numbers()]) + 1

    def __iter__(self) -> Iterator[Block]:
        return iter(self._blocks)

    def __len__(self) -> int:
        return len(self._blocks)

    def add(self, blocks: Iterable[Block]) -> None:
        """Show the blocks that were found when the database was opened."""
        with self._lock:
            self._blocks = by_rank([*self._blocks, *blocks])

    @property
    def last(self) -> int:
        """The largest number a block was ever given."""
        return self._next - 1

    @property
    def total_bytes(self) -> int:
        """Bytes of all blocks' files."""
        return sum(block.size for block in self._blocks)

    def overlapping(self, start: int, end: int) -> list[Block]:
        """Return the blocks that may have samples in start..end."""
        return [block for block in self._blocks if block.overlaps(start, end)]

    def find(self, ids: Int64s, start: int, end: int) -> list[Part]:
        """Return what each block has of ``ids`` in start..end.

        A block found damaged is quarantined, and the others are answered.
        """
        parts = []
        for block in self._blocks:
            if block.overlaps(start, end):
                try:
                    parts.append(block.find(ids, start, end))
                except DamagedBlockError as error:
                    self.quarantine(error)
        return parts

    def mark_present(self, ids: Int64s, start: int, end: int, present: Bools) -> None:
        """Set ``present[i]`` where a block may have samples of ``ids[i]`` in start..end."""
        for block in self.overlapping(start, end):
            try:
                present[block.holds(ids, start, end)] = True
            except DamagedBlockError as error:
                self.quarantine(error)

    def quarantine(self, error: DamagedBlockError) -> None:
        """Set a damaged block's files aside and note why in ``damaged``."""
        with self._lock:
            kept = tuple(each for each in self._blocks if each.meta.number != error.number)
            if len(kept) < len(self._blocks):
                self._blocks = kept
                block = self._paths.block(error.number).directory
                place = set_aside(block, self._paths.quarantine)
                self.damaged.append(f"{error.message}; moved to {place}")

    def next_paths(self) -> BlockPaths:
        """Return the place of a block yet to be written."""
        with self._lock:
            paths = self._paths.block(self._next)
            self._next += 1
        return paths

    def open(self, paths: BlockPaths) -> Block:
        """Return a written block, which nobody else sees yet."""
        return Block(paths, self._index, self._cache)

    def publish(self, block: Block) -> None:
        """Show a block to readers, in place of the blocks it was merged from."""
        with self._lock:
            kept = [each for each in self._blocks if each.meta.number not in block.meta.sources]
            self._blocks = by_rank([*kept, block])

    def remove(self, blocks: Iterable[Block]) -> None:
        """Delete blocks; those who are reading them may go on."""
        gone = {block.meta.number: block for block in blocks}
        with self._lock:
            self._blocks = tuple(each for each in self._blocks if each.meta.number not in gone)
            self._leftovers += [block.paths.directory for block in gone.values()]
        for number in gone:
            self._cache.forget_block(number)
        self.clear_away()

    def clear_away(self) -> None:
        """Delete the files of blocks that are no longer shown.

        Raises:
            OSError: When that fails; what is left is known, and deleted the next time.
        """
        with self._lock:
            while self._leftovers:
                if self._leftovers[0].exists():
                    remove_directory(self._leftovers[0])
                del self._leftovers[0]


def by_rank(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """Return blocks in the order in which they win at equal times."""
    return tuple(sorted(blocks, key=lambda block: (block.meta.rank, block.meta.number)))
