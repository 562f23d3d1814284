"""Deleting samples: gone from memory at once, and never back from a file.

A deletion waits for nothing long. Blocks may be written while it happens, from samples that were
there before: they get their number first, so that the tombstone names them, and what was deleted
meanwhile is cut out of them before they are shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Matcher
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.block.blocks import BlockList
from qvmon.tsdb.changes import Changes
from qvmon.tsdb.deletion.tombstones import Tombstone, TombstoneBook
from qvmon.tsdb.files.paths import BlockPaths, DataPaths
from qvmon.tsdb.head.head import Head
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.log.wal import WriteAheadLog
from qvmon.tsdb.rows import EARLIEST, LATEST


class Deletions:
    """Deletes samples of one database; any thread may call it.

    Args:
        paths: The directory.
        book: What was deleted before.
        index: The series.
        head: The newest samples.
        wal: The log of these.
        blocks: The other samples.
        changes: Is told what went.
        writing: Held by whoever appends.
    """

    def __init__(
        self,
        *,
        paths: DataPaths,
        book: TombstoneBook,
        index: Index,
        head: Head,
        wal: WriteAheadLog,
        blocks: BlockList,
        changes: Changes,
        writing: Lock,
    ) -> None:
        self._paths = paths
        self._book = book
        self._index = index
        self._head = head
        self._wal = wal
        self._blocks = blocks
        self._changes = changes
        self._writing = writing
        self._lock = Lock()
        self._ended = False

    @property
    def entries(self) -> tuple[Tombstone, ...]:
        """What counts as gone and may still stand in files, in the order of the deletions."""
        return self._book.entries

    def delete(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> None:
        """Delete the samples in start_ms..end_ms of the series that match any set.

        Raises:
            QvmonError: UNAVAILABLE when it could not be made durable.
        """
        bounds = max(start_ms, EARLIEST), min(end_ms, LATEST)
        with self._lock, self._writing:
            if self._ended:
                raise QvmonError(ErrorKind.UNAVAILABLE, "the database is closed")
            self._wal.commit()
            where = self._wal.rotate(), self._blocks.last
            entries = [Tombstone(each, *bounds, *where) for each in matcher_sets]
            self._book.add(entries)
            try:
                for each in entries:
                    self._head.delete(self._index.match(each.matchers), *bounds)
                    for block in self._blocks:
                        self._cut(block, each)
            finally:
                self._changes.wrote(bounds[0])

    def _cut(self, block: Block, tombstone: Tombstone) -> None:
        ids = self._index.match(tombstone.matchers)
        block.delete(ids, tombstone.start_ms, tombstone.end_ms)

    @contextmanager
    def held_off(self) -> Iterator[None]:
        """Let nobody delete anything meanwhile."""
        with self._lock:
            yield

    def end(self) -> None:
        """Delete nothing from now on; return when what is under way has ended."""
        with self._lock:
            self._ended = True

    def publish(self, paths: BlockPaths) -> None:
        """Show a block, less what was deleted since it got its number.

        All its samples were stored before it got that.
        """
        block = self._blocks.open(paths)
        with self._lock:
            for each in self._book.entries:
                if each.through_block >= paths.number:
                    self._cut(block, each)
            self._blocks.publish(block)

    def forget_spent(self) -> None:
        """Strike out the deletions of which neither the log nor a block has anything left."""
        self._blocks.clear_away()
        with self._lock:
            oldest = min(self._paths.segments(), default=self._wal.current)
            cut = [block.meta for block in self._blocks if len(block.deleted)]
            self._book.forget(
                lambda each: (
                    each.before_segment <= oldest
                    and not any(
                        meta.number <= each.through_block
                        and meta.start_ms <= each.end_ms
                        and meta.end_ms >= each.start_ms
                        for meta in cut
                    )
                )
            )
