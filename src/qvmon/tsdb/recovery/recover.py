"""What a directory holds when it is opened, after a clean stop or a crash alike."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field

from qvmon.model.errors import QvmonError
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.block.cache import PageCache
from qvmon.tsdb.deletion.tombstones import Tombstone, TombstoneBook, open_tombstones
from qvmon.tsdb.files.durable import put_away, remove_directory
from qvmon.tsdb.files.paths import DataPaths
from qvmon.tsdb.head.head import Head
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.log.wal import Segment
from qvmon.tsdb.recovery.head_state import HeadState
from qvmon.tsdb.recovery.replay import Replay
from qvmon.tsdb.rows import LATEST


@dataclass(slots=True)
class Recovery:
    """What was found.

    Attributes:
        state: How far the head is in blocks.
        numbers: The segments of the write-ahead log that earlier runs left.
        tombstones: What was deleted.
        blocks: The readable blocks.
        segments: The segments of the write-ahead log.
        samples: How many samples were replayed.
        warnings: A sentence for everything that was not as it should be.
    """

    state: HeadState
    numbers: list[int]
    tombstones: TombstoneBook
    blocks: list[Block] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    samples: int = 0
    warnings: list[str] = field(default_factory=list)

    @property
    def next_segment(self) -> int:
        """The smallest number a new segment may have."""
        after = self.state.late_before_segment, self.tombstones.first_segment
        return max(1, *after, *(number + 1 for number in self.numbers))


def survey(paths: DataPaths) -> Recovery:
    """Return what small files and names tell: enough to take samples."""
    warnings: list[str] = []
    tombstones = open_tombstones(paths.tombstones, paths.quarantine, warnings)
    state = HeadState.load(paths.head_state)
    return Recovery(state, paths.segments(), tombstones, warnings=warnings)


def recover(
    paths: DataPaths, index: Index, head: Head, cache: PageCache, recovery: Recovery
) -> None:
    """Fill ``index``, ``head`` and the rest of ``recovery`` from the blocks and the log.

    Raises:
        QvmonError: EXHAUSTED, when the head has no room for what the log holds.
    """
    head.settle(recovery.state.settled_before_ms)
    _open_blocks(paths, index, cache, recovery)
    deletions = _Deletions(index, head, recovery)
    replay = Replay(paths, index, head, recovery.state, recovery.warnings)
    for number in recovery.numbers:
        deletions.repeat_before(number)
        replay.segment(number)
    deletions.repeat_before(LATEST)
    recovery.segments, recovery.samples = replay.segments, replay.samples


class _Deletions:
    """Repeats deletions where they came in the order of the log."""

    def __init__(self, index: Index, head: Head, recovery: Recovery) -> None:
        self._index = index
        self._head = head
        self._blocks = recovery.blocks
        self._waiting = list(recovery.tombstones.entries)

    def repeat_before(self, segment: int) -> None:
        """Repeat those that were made before ``segment`` was begun."""
        while self._waiting and self._waiting[0].before_segment <= segment:
            self._repeat(self._waiting.pop(0))

    def _repeat(self, tombstone: Tombstone) -> None:
        ids = self._index.match(tombstone.matchers)
        self._head.delete(ids, tombstone.start_ms, tombstone.end_ms)
        for block in self._blocks:
            if block.meta.number <= tombstone.through_block:
                block.delete(ids, tombstone.start_ms, tombstone.end_ms)


def _open_blocks(paths: DataPaths, index: Index, cache: PageCache, recovery: Recovery) -> None:
    for leftover in paths.unfinished_blocks():
        shutil.rmtree(leftover)
    for number in paths.block_numbers():
        try:
            recovery.blocks.append(Block(paths.block(number), index, cache))
        except QvmonError as error:
            done = put_away(paths.block(number).directory, paths.quarantine)
            recovery.warnings.append(f"{paths.block(number).directory}: {error.message}; {done}")
    replaced = {number for block in recovery.blocks for number in block.meta.sources}
    for block in [block for block in recovery.blocks if block.meta.number in replaced]:
        remove_directory(block.paths.directory)
        recovery.blocks.remove(block)
