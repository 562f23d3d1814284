"""Looking after a directory: head to blocks, blocks to larger ones, what is too old away."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.tsdb.block.block import Block
from qvmon.tsdb.block.blocks import BlockList
from qvmon.tsdb.block.samples import DamagedBlockError
from qvmon.tsdb.changes import Changes
from qvmon.tsdb.deletion.deletions import Deletions
from qvmon.tsdb.deletion.tombstones import Tombstone
from qvmon.tsdb.files.paths import BlockPaths, DataPaths
from qvmon.tsdb.head.head import Head
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.log.wal import WriteAheadLog
from qvmon.tsdb.options import Options
from qvmon.tsdb.recovery.head_state import HeadState
from qvmon.tsdb.recovery.readiness import Readiness
from qvmon.tsdb.rows import EARLIEST
from qvmon.tsdb.upkeep.compact import FAN_IN, expired, mergeable, write_merged
from qvmon.tsdb.upkeep.flush import flush_head, flush_late

_MOST_STRETCHES = 64
"""A head that spans more becomes fewer, longer blocks."""

Merger = Callable[[Path, Sequence[int], int, Sequence[Tombstone]], None]
"""(directory, blocks, the number of the block to write, what to leave out of it); returns once that
is there."""


class Upkeep:
    """What is done now and then; any thread may ask for it, and one at a time does it.

    Attributes:
        state: How much of the log is in blocks.
        merger: Merges blocks in another process, as ``merge_apart`` does; here when None.
        overruled: Late samples dropped since the start because a block had another value then.

    Args:
        paths: The directory.
        options: Block length and retention.
        index: Its series.
        head: Its newest samples.
        wal: The log of these.
        blocks: Its other samples.
        deletions: What is left out.
        changes: Is told when samples go.
        writing: Held by whoever appends.
        readiness: Nothing is done before it has ended.
        state: How much of the log was in blocks when the directory was opened.
    """

    def __init__(
        self,
        *,
        paths: DataPaths,
        options: Options,
        index: Index,
        head: Head,
        wal: WriteAheadLog,
        blocks: BlockList,
        deletions: Deletions,
        changes: Changes,
        writing: Lock,
        readiness: Readiness,
        state: HeadState,
    ) -> None:
        self.state = state
        self.merger: Merger | None = None
        self.overruled = 0
        self._paths = paths
        self._options = options
        self._index = index
        self._head = head
        self._wal = wal
        self._blocks = blocks
        self._deletions = deletions
        self._changes = changes
        self._writing = writing
        self._readiness = readiness
        self._lock = Lock()
        self._ended = False
        self._flushed_before = state.settled_before_ms

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else change blocks.

        Raises:
            QvmonError: UNAVAILABLE, when the database is closed or could not be read.
        """
        self._readiness.wait()
        with self._lock:
            if self._ended:
                raise QvmonError(ErrorKind.UNAVAILABLE, "the database is closed")
            yield

    def end(self) -> None:
        """Return when what is under way has ended; nothing else begins."""
        with self._lock:
            self._ended = True

    def flush(self) -> int:
        """Move what is due from the head to blocks; return how many blocks were written.

        A stretch of ``block_ms`` is due when the newest sample is half a stretch past its end.
        After a flush, and when there is room for no other, series without a sample are forgotten.
        """
        with self.alone():
            written = self._flush_due()
            unsaved = self._flushed_before > self.state.settled_before_ms
            if unsaved or self._head.late_count >= self._options.late_samples:
                written += self._flush_late()
            if written:
                self._deletions.forget_spent()
            if written or self._index.live >= self._options.max_series:
                self._forget_series()
            return written

    def _flush_due(self) -> int:
        """Flush stretch by stretch, and settle each as far as it has samples.

        The newest sample may be from a clock that was ahead: what comes with the right time then
        is not old.
        """
        written = 0
        while (end := self._due()) is not None:
            self._head.settle(end)
            block = flush_head(self._head, self._index, self._blocks, self._deletions, end)
            if block is not None:
                self._flushed_before = max(self._flushed_before, block.end_ms + 1)
                written += 1
            self._head.trim(self._flushed_before)
        return written

    def _due(self) -> int | None:
        """Return the end of the next stretch to flush: a long one where there are years of them."""
        oldest, newest = self._head.oldest, self._head.newest
        length = self._options.block_ms
        while newest - oldest > _MOST_STRETCHES * length:
            length *= FAN_IN
        end = (oldest // length + 1) * length
        return end if newest >= end + self._options.block_ms // 2 else None

    def _flush_late(self) -> int:
        """Write the late samples to blocks of their own, then drop the log's finished segments."""
        with self._writing:
            segment = self._wal.rotate()
            self._head.freeze_late()
        length = self._options.block_ms
        written, different = flush_late(
            self._head, self._index, self._blocks, self._deletions, length
        )
        self.overruled += different
        self._head.drop_frozen_late()
        state = HeadState(self._flushed_before, segment)
        state.save(self._paths.head_state)
        self.state = state
        with self._writing:
            self._wal.drop(state.settled_before_ms, segment)
        return written

    def compact(self) -> bool:
        """Merge the next blocks that are due into one; return whether there were any."""
        with self.alone():
            self._blocks.clear_away()
            metas = [block.meta for block in self._blocks]
            chosen = mergeable(metas, self.state.settled_before_ms, self._options)
            if chosen:
                self._merge({meta.number for meta in chosen})
            return bool(chosen)

    def clean_tombstones(self) -> int:
        """Rewrite the blocks that hold deleted samples without them; return how many."""
        with self.alone():
            concerned = [block.meta.number for block in self._blocks if len(block.deleted)]
            for number in concerned:
                self._merge({number})
            self._deletions.forget_spent()
        return len(concerned)

    def _merge(self, numbers: set[int]) -> None:
        with self._deletions.held_off():
            paths, deletions = self._blocks.next_paths(), self._deletions.entries
        sources = [block for block in self._blocks if block.meta.number in numbers]
        if not sources:  # a query found them damaged
            return
        try:
            if self.merger is None:
                write_merged(self._index, paths, sources)
            else:
                self._merge_elsewhere(self.merger, sources, paths, deletions)
        except DamagedBlockError as error:
            self._blocks.quarantine(error)
            return
        if paths.directory.exists():
            self._deletions.publish(paths)
        self._blocks.remove(sources)

    def _merge_elsewhere(
        self,
        merge: Merger,
        sources: Sequence[Block],
        paths: BlockPaths,
        deletions: Sequence[Tombstone],
    ) -> None:
        try:
            numbers = sorted(block.meta.number for block in sources)
            merge(self._paths.root, numbers, paths.number, deletions)
        except QvmonError:
            if not paths.directory.exists():
                raise
        finally:
            shutil.rmtree(paths.temporary.directory, ignore_errors=True)

    def retain(self, now_ms: int) -> int:
        """Delete the blocks that retention no longer keeps; return how many.

        Age is counted back from the newest sample, or from ``now_ms`` where that is earlier: a
        clock that jumps ahead deletes nothing. Size is that of blocks and log.
        """
        with self.alone():
            newest = max((block.meta.end_ms for block in self._blocks), default=EARLIEST)
            until = min(now_ms, max(newest, self._head.newest))
            gone = expired(self._blocks, until, self._wal.total_bytes, self._options)
            self._blocks.remove(gone)
            if gone:
                self._changes.everything()
                self._forget_series()
            return len(gone)

    def _forget_series(self) -> None:
        """Forget the series that neither the head knows nor a block has."""
        used = np.zeros(len(self._index), np.bool_)
        for block in self._blocks:
            used[block.ids[block.ids >= 0]] = True
        with self._writing:
            known = self._head.known()
            used[known[known < len(used)]] = True
            unused = np.flatnonzero(~used)
            if len(unused) > self._index.forgotten:
                self._index.forget(unused)
