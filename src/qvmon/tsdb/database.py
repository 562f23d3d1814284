"""One directory of metrics: takes samples, keeps them, gives them back.

Data path: ``append`` → head and write-ahead log → ``flush`` → blocks → ``compact`` → ``retain``;
``select`` reads head and blocks together.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Lock

import numpy as np

from qvmon.model.cardinality import Cardinality
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.labels import Matcher
from qvmon.model.ports import Allowance, AppendResult
from qvmon.model.series import (
    Bools,
    Bytes,
    Int64s,
    LabelFrame,
    SampleBatch,
    Selection,
    SeriesColumns,
    SeriesKeys,
)
from qvmon.tsdb.block.blocks import BlockList
from qvmon.tsdb.block.cache import PageCache
from qvmon.tsdb.block.samples import DamagedBlockError
from qvmon.tsdb.cardinality import cardinality
from qvmon.tsdb.changes import Changes
from qvmon.tsdb.deletion.tombstones import Tombstone
from qvmon.tsdb.estimate import estimate
from qvmon.tsdb.files.durable import sync
from qvmon.tsdb.files.paths import DataPaths
from qvmon.tsdb.head import kernels
from qvmon.tsdb.head.head import Admission, Head
from qvmon.tsdb.head.late import LateSamples
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.log.records import RecordKind
from qvmon.tsdb.log.wal import WriteAheadLog
from qvmon.tsdb.options import Options
from qvmon.tsdb.recovery.early import EarlySamples
from qvmon.tsdb.recovery.head_state import HeadState
from qvmon.tsdb.recovery.recover import recover, survey
from qvmon.tsdb.rows import EARLIEST, LATEST, Rows, merged
from qvmon.tsdb.snapshot import write_snapshot
from qvmon.tsdb.upkeep.compact import expired, merge_blocks, mergeable
from qvmon.tsdb.upkeep.flush import flush_head, flush_late

Merger = Callable[[Path, Sequence[int], int], None]
"""(directory, blocks, the number of the block to write); returns once that is there."""

REASONS = {
    kernels.OUT_OF_ORDER: "out_of_order",
    kernels.DUPLICATE: "duplicate_timestamp",
    kernels.TOO_OLD: "too_old",
    kernels.TOO_NEW: "too_far_in_future",
    kernels.SERIES_LIMIT: "series_limit",
}
"""Verdicts that refuse a sample, as ``AppendResult`` names them."""


class Database:
    """The owner of a data directory.

    Any thread may call any method. Those that change blocks (``flush``, ``compact``, ``retain``,
    ``delete``, ``clean_tombstones``) wait for one another, and those and queries for ``replay``.

    Attributes:
        overruled: Late samples dropped since the start because a block had another value then.

    Args:
        directory: Made when it is not there.
        options: Limits and sizes.
        replay: Whether to return with everything replayed. Otherwise samples can be appended at
            once, and the caller has to call ``replay``.

    Raises:
        QvmonError: CONFLICT, when another process owns the directory.
    """

    def __init__(
        self, directory: Path, options: Options | None = None, *, replay: bool = True
    ) -> None:
        self.options = options or Options()
        self.paths = DataPaths(directory)
        self.paths.create()
        sync(self.paths.root)
        self._owner = _own(self.paths.lock)
        try:
            self._open()
            if replay:
                self.replay()
        except BaseException:
            os.close(self._owner)
            raise

    def _open(self) -> None:
        options = self.options
        self.index = Index(
            options.max_series, options.max_metric_series, dict(options.metric_limits)
        )
        self.head = Head(self.index.capacity, options.head_bytes)
        self.cache = PageCache(self.options.cache_bytes)
        self.recovery = survey(self.paths)
        self.tombstones = self.recovery.tombstones
        self.blocks = BlockList(self.paths, self.index, self.cache, self.tombstones.last_block)
        self.wal = WriteAheadLog(
            self.paths,
            self.index.keys,
            self.index.capacity,
            self.options.segment_bytes,
            first=self.recovery.next_segment,
        )
        self.changes = Changes()
        self._write_lock = Lock()
        self._upkeep_lock = Lock()
        self.merger: Merger | None = None
        """Merges blocks in another process, as ``merging.merge_apart`` does; here when None."""
        self.overruled = 0
        self._state = self.recovery.state
        self._flushed_before = self._state.settled_before_ms
        self._early: EarlySamples | None = EarlySamples(self._state.settled_before_ms)
        self._frozen: tuple[int, LateSamples] | None = None
        self._closed = False
        self._replayed = False
        self._replay_ended = Event()

    def replay(self) -> None:
        """Bring back what blocks and log have; then what was appended meanwhile follows it.

        Raises:
            QvmonError: EXHAUSTED, when the head has no room for it. Then, and after any other
                failure, there are no queries and no upkeep, which would lose what is not in memory.
        """
        try:
            recover(self.paths, self.index, self.head, self.cache, self.recovery)
            self.blocks.add(self.recovery.blocks)
            self._store_early()
            self._replayed = True
        finally:
            self._replay_ended.set()

    def _store_early(self) -> None:
        with self._write_lock:
            self.wal.follow(self.recovery.segments)
            if self._early is not None:
                different = self._early.store(self.head, len(self.index))
                if different:
                    sentence = f"{different} samples came during replay with another value"
                    self.recovery.warnings.append(f"{sentence} than was stored; that one stays")
            self._early = None

    @property
    def replaying(self) -> bool:
        """Whether queries would have to wait."""
        return not self._replay_ended.is_set()

    def _wait_for_replay(self) -> None:
        self._replay_ended.wait()
        if not self._replayed:
            message = "what was stored could not be read back; the log of the start says why"
            raise QvmonError(ErrorKind.UNAVAILABLE, message)

    @contextmanager
    def _upkeep(self) -> Iterator[None]:
        """Let nobody else change blocks."""
        self._wait_for_replay()
        with self._upkeep_lock:
            if self._closed:
                raise QvmonError(ErrorKind.UNAVAILABLE, "the database is closed")
            yield

    def series_ids(self, keys: SeriesKeys) -> Int64s:
        """Return int64[n]: the ids of ``keys``; unknown series are added, -1 over the limit."""
        return self.index.ids(keys)

    def append(self, batches: Sequence[SampleBatch], now_ms: int) -> list[AppendResult]:
        """Store batches as one group; when it returns they are durable and visible.

        Raises:
            QvmonError: UNAVAILABLE, when they could not be made durable: send them again.
                EXHAUSTED, when the head has no room left.
        """
        with self._write_lock:
            self.wal.make_room()
            verdicts = [self._store(self._columns(batch), now_ms) for batch in batches]
            self.wal.commit()
        return [_result(each) for each in verdicts]

    def _columns(self, batch: SampleBatch) -> SampleBatch:
        """Return ``batch`` as the kernels take it, without a copy where it is so already."""
        return SampleBatch(
            self.index.current(np.ascontiguousarray(batch.series, np.int64)),
            np.ascontiguousarray(batch.timestamps, np.int64),
            np.ascontiguousarray(batch.values, np.float64),
        )

    def _store(self, batch: SampleBatch, now_ms: int) -> Bytes:
        window = self.options.out_of_order_window_ms
        latest = now_ms + self.options.future_tolerance_ms
        admission = Admission(len(self.index), window, latest)
        taker = self.head.append if self._early is None else self._early.admit
        verdicts = taker(batch, admission)
        if len(batch):
            self.changes.wrote(int(batch.timestamps.min()))
        self._log(RecordKind.FLOAT, batch, verdicts == kernels.STORED)
        self._log(RecordKind.LATE_FLOAT, batch, verdicts == kernels.LATE)
        if np.any(verdicts == kernels.NO_MEMORY):
            message = "the head has no room for more samples"
            raise QvmonError(ErrorKind.EXHAUSTED, message, head_bytes=self.options.head_bytes)
        return verdicts

    def _log(self, kind: RecordKind, batch: SampleBatch, chosen: Bools) -> None:
        rows = np.flatnonzero(chosen)
        if len(rows) == len(batch) > 0:
            self.wal.write(kind, batch)
        elif len(rows):
            columns = batch.series[rows], batch.timestamps[rows], batch.values[rows]
            self.wal.write(kind, SampleBatch(*columns))

    def select(self, selection: Selection, allowance: Allowance | None = None) -> SeriesColumns:
        """Return the samples of a selection, series with none left out.

        Raises:
            QvmonError: As ``allowance`` does when there is more than it allows; nothing was read.
        """
        self._wait_for_replay()
        ids = self.index.match(selection.matchers)
        if allowance is not None:
            start, end = selection.start_ms, selection.end_ms
            blocks = self.blocks.overlapping(start, end)
            allowance.reading(*estimate(self.head, blocks, ids, start, end))
        rows = self._rows(ids, selection.start_ms, selection.end_ms)
        kept = np.flatnonzero(rows.counts)
        rows = rows.some(kept)
        return SeriesColumns(self.index.frame(ids[kept]), rows.offsets, rows.times, rows.values)

    def _rows(self, ids: Int64s, start: int, end: int) -> Rows:
        """Read head before blocks: what a flush moves meanwhile is then seen twice, not never."""
        with self.head.parts(ids, start, end) as newest:
            damaged = len(self.blocks.damaged)
            parts = self.blocks.find(ids, start, end)
            if len(self.blocks.damaged) > damaged:
                self.changes.everything()
            return merged([*parts, *newest])

    def series(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> LabelFrame:
        """Return the series that match any set (all, with no set) and may have samples then."""
        self._wait_for_replay()
        matched = [self.index.match(matchers) for matchers in matcher_sets or [()]]
        ids = matched[0] if len(matched) == 1 else np.unique(np.concatenate(matched))
        present = self.head.present(ids, start_ms, end_ms)
        self.blocks.mark_present(ids, start_ms, end_ms, present)
        return self.index.frame(ids[present])

    def cardinality(self, limit: int) -> Cardinality:
        """Return which labels make the head's series many, ``limit`` entries a list."""
        return cardinality(self.index, self.head, limit)

    def delete(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> None:
        """Delete the samples in start_ms..end_ms of the series that match any set.

        When it returns no read finds them, also after a crash. What is appended from then on is
        kept: the deleted interval may be filled anew, late samples under the usual rules. It waits
        for a flush or merge that is under way.

        Raises:
            QvmonError: INVALID without a matcher set or with an interval that ends before it
                begins, UNAVAILABLE when it could not be made durable.
        """
        if not matcher_sets or start_ms > end_ms:
            message = "a deletion needs matchers and an interval that does not end before it begins"
            raise invalid(message, start_ms=start_ms, end_ms=end_ms)
        with self._upkeep(), self._write_lock:
            self.wal.commit()
            where = self.wal.rotate(), self.blocks.last
            bounds = max(start_ms, EARLIEST), min(end_ms, LATEST)
            entries = [Tombstone(each, *bounds, *where) for each in matcher_sets]
            self.tombstones.add(entries)
            try:
                for each in entries:
                    ids = self.index.match(each.matchers)
                    self.head.delete(ids, *bounds)
                    for block in self.blocks:
                        block.delete(ids, *bounds)
            finally:
                self.changes.wrote(bounds[0])

    def clean_tombstones(self) -> int:
        """Rewrite the blocks that hold deleted samples without them; return how many."""
        with self._upkeep():
            concerned = [block.meta.number for block in self.blocks if len(block.deleted)]
            for number in concerned:
                self._merge({number})
            self._forget_tombstones()
        return len(concerned)

    def _forget_tombstones(self) -> None:
        """Strike out the deletions of which neither the log nor a block has anything left."""
        self.blocks.clear_away()
        oldest = min(self.paths.segments(), default=self.wal.current)
        cut = [block.meta for block in self.blocks if len(block.deleted)]
        self.tombstones.forget(
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

    def snapshot(self, name: str, *, skip_head: bool = False) -> Path:
        """Make a copy of everything acknowledged so far and return its directory.

        Appends go on; it waits for a flush or merge that is under way.

        Args:
            name: Of a directory below ``snapshots/`` that is not there yet.
            skip_head: Leave out what is not in blocks.

        Raises:
            QvmonError: UNAVAILABLE, when the file system refuses.
        """
        with self._upkeep():
            with self._write_lock:
                self.wal.commit()
                current = self.wal.rotate()
            numbers = [] if skip_head else self.paths.segments()
            self._state.save(self.paths.head_state)
            return write_snapshot(
                self.paths,
                name,
                [block.meta.number for block in self.blocks],
                [number for number in numbers if number < current],
            )

    def flush(self) -> int:
        """Move what is due from the head to blocks; return how many blocks were written.

        A stretch of ``block_ms`` is due when the newest sample is half a stretch past its end.
        """
        with self._upkeep():
            written = self._flush()
            if written:
                self._forget_tombstones()
            return written

    def _flush(self) -> int:
        written = 0
        while (end := self._due()) is not None:
            self.head.settle(end)
            written += flush_head(self.head, self.index, self.blocks, end)
            self.head.trim(end)
            self._flushed_before = end
        if written or self.head.late_count >= self.options.late_samples:
            written += self._flush_late()
        return written

    def _due(self) -> int | None:
        length = self.options.block_ms
        end = (self.head.oldest // length + 1) * length
        return end if self.head.newest >= end + length // 2 else None

    def _flush_late(self) -> int:
        """Write the late samples to blocks of their own, then drop the log's finished segments.

        What could not be written is tried again before those that came since.
        """
        with self._write_lock:
            if self._frozen is None:
                self._frozen = self.wal.rotate(), self.head.freeze_late()
            segment, late = self._frozen
        written, different = flush_late(late, self.index, self.blocks, self.options.block_ms)
        self.overruled += different
        self._frozen = None
        self.head.drop_frozen_late()
        self._state = HeadState(self._flushed_before, segment)
        self._state.save(self.paths.head_state)
        with self._write_lock:
            self.wal.drop(self._state.settled_before_ms, segment)
        return written

    def compact(self) -> bool:
        """Merge the next blocks that are due into one; return whether there were any."""
        with self._upkeep():
            self.blocks.clear_away()
            metas = [block.meta for block in self.blocks]
            chosen = mergeable(metas, self._state.settled_before_ms, self.options)
            if chosen:
                self._merge({meta.number for meta in chosen})
            return bool(chosen)

    def _merge(self, numbers: set[int]) -> None:
        try:
            if self.merger is None:
                merge_blocks(self.index, self.blocks, numbers)
            else:
                self._merge_elsewhere(self.merger, numbers)
        except DamagedBlockError as error:
            self.blocks.quarantine(error)

    def _merge_elsewhere(self, merge: Merger, numbers: set[int]) -> None:
        paths = self.blocks.next_paths()
        try:
            merge(self.paths.root, sorted(numbers), paths.number)
        except QvmonError:
            if not paths.directory.exists():
                raise
        finally:
            shutil.rmtree(paths.temporary.directory, ignore_errors=True)
        sources = [block for block in self.blocks if block.meta.number in numbers]
        if paths.directory.exists():
            self.blocks.publish(paths)
        self.blocks.remove(sources)

    def retain(self, now_ms: int) -> int:
        """Delete the blocks that retention no longer keeps; return how many.

        Age is counted back from the newest sample, or from ``now_ms`` where that is earlier: a
        clock that jumps ahead deletes nothing. Size is that of blocks and log.
        """
        with self._upkeep():
            newest = max((block.meta.end_ms for block in self.blocks), default=EARLIEST)
            until = min(now_ms, max(newest, self.head.newest))
            gone = expired(self.blocks, until, self.wal.total_bytes, self.options)
            self.blocks.remove(gone)
            if gone:
                self.changes.everything()
                self._forget_series()
            return len(gone)

    def _forget_series(self) -> None:
        """Forget the series that have no sample in the head or in a block."""
        used = np.zeros(len(self.index), np.bool_)
        for block in self.blocks:
            used[block.ids[block.ids >= 0]] = True
        with self._write_lock:
            active = self.head.active()
            used[active[active < len(used)]] = True
            unused = np.flatnonzero(~used)
            if len(unused) > self.index.forgotten:
                self.index.forget(unused)

    def close(self) -> None:
        """Let go of the directory when a flush or merge under way has ended.

        Nothing that was acknowledged is lost.
        """
        with self._upkeep_lock, self._write_lock:
            self._closed = True
            self.wal.close()
            os.close(self._owner)


def _own(lock: Path) -> int:
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        message = f"the data directory {lock.parent} is in use by another process"
        raise QvmonError(ErrorKind.CONFLICT, message, path=str(lock.parent)) from None
    return descriptor


def _result(verdicts: Bytes) -> AppendResult:
    refused = {
        reason: np.flatnonzero(verdicts == verdict)
        for verdict, reason in REASONS.items()
        if np.any(verdicts == verdict)
    }
    return AppendResult(len(verdicts) - sum(map(len, refused.values())), refused)
