"""One directory of metrics: takes samples, keeps them, gives them back.

Data path: ``append`` → head and write-ahead log → blocks → larger blocks, which is for ``upkeep``;
``select`` reads head and blocks together.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import numpy as np

from qvmon.model.cardinality import Cardinality
from qvmon.model.errors import ErrorKind, QvmonError, invalid
from qvmon.model.labels import Matcher
from qvmon.model.ports import Allowance, AppendResult
from qvmon.model.series import (
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
from qvmon.tsdb.deletion.deletions import Deletions
from qvmon.tsdb.estimate import estimate
from qvmon.tsdb.files.durable import sync
from qvmon.tsdb.files.paths import DataPaths, ViewPaths
from qvmon.tsdb.head.head import Head
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.intake import Intake
from qvmon.tsdb.log.wal import WriteAheadLog
from qvmon.tsdb.options import Options
from qvmon.tsdb.reading import Reading
from qvmon.tsdb.recovery.readiness import Readiness
from qvmon.tsdb.recovery.recover import recover, survey
from qvmon.tsdb.snapshot import write_snapshot
from qvmon.tsdb.upkeep.upkeep import Upkeep
from qvmon.tsdb.view import Stored, written_view


class Database:
    """The owner of a data directory.

    Any thread may call any method. ``snapshot`` and what ``upkeep`` does wait for one another,
    those, ``delete`` and queries for ``replay``.

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
        shutil.rmtree(self.paths.views, ignore_errors=True)
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
        book = self.recovery.tombstones
        self.blocks = BlockList(self.paths, self.index, self.cache, book.last_block)
        self.wal = WriteAheadLog(
            self.paths,
            self.index.keys,
            self.index.capacity,
            self.options.segment_bytes,
            first=self.recovery.next_segment,
        )
        self.changes = Changes()
        self._write_lock = Lock()
        self._intake = Intake(
            options=options,
            index=self.index,
            head=self.head,
            wal=self.wal,
            changes=self.changes,
            writing=self._write_lock,
            settled_before_ms=self.recovery.state.settled_before_ms,
        )
        self._readiness = Readiness()
        self.deletions = Deletions(
            paths=self.paths,
            book=book,
            index=self.index,
            head=self.head,
            wal=self.wal,
            blocks=self.blocks,
            changes=self.changes,
            writing=self._write_lock,
        )
        self.upkeep = Upkeep(
            paths=self.paths,
            options=options,
            index=self.index,
            head=self.head,
            wal=self.wal,
            blocks=self.blocks,
            deletions=self.deletions,
            changes=self.changes,
            writing=self._write_lock,
            readiness=self._readiness,
            state=self.recovery.state,
        )

    def replay(self) -> None:
        """Bring back what blocks and log have; then what was appended meanwhile follows it.

        Raises:
            QvmonError: EXHAUSTED, when the head has no room for it. Then, and after any other
                failure, there are no queries and no upkeep, which would lose what is not in memory.
        """
        try:
            recover(self.paths, self.index, self.head, self.cache, self.recovery)
            self.blocks.add(self.recovery.blocks)
            self._take_early()
        except BaseException:
            self._readiness.end(complete=False)
            raise
        self._readiness.end(complete=True)

    def _take_early(self) -> None:
        different = self._intake.follow(self.recovery.segments)
        if different:
            sentence = f"{different} samples came during replay with another value"
            self.recovery.warnings.append(f"{sentence} than was stored; that one stays")

    @property
    def replaying(self) -> bool:
        """Whether queries would have to wait."""
        return self._readiness.pending

    def series_ids(self, keys: SeriesKeys) -> Int64s:
        """Return int64[n]: the ids of ``keys``; unknown series are added, -1 over the limit."""
        return self.index.ids(keys)

    def append(self, batches: Sequence[SampleBatch], now_ms: int) -> list[AppendResult]:
        """Store batches as one group; when it returns they are durable and visible.

        Raises:
            QvmonError: UNAVAILABLE, when they could not be made durable: send them again.
                EXHAUSTED, when the head has no room left.
        """
        return self._intake.append(batches, now_ms)

    def select(
        self,
        selection: Selection,
        allowance: Allowance | None = None,
        *,
        in_parts: bool = False,
    ) -> SeriesColumns:
        """Return the samples of a selection, series with none left out.

        With ``in_parts`` many are read only when they are looked at; they are those of now.

        Raises:
            QvmonError: As ``allowance`` does when there is more than it allows; nothing was read.
        """
        self._readiness.wait()
        ids = self.index.match(selection.matchers)
        if allowance is not None:
            allowance.reading(*self._estimate(ids, selection))
        reading = self._reading(ids, selection.start_ms, selection.end_ms)
        return reading.columns(self.index.frame(ids[reading.kept]), in_parts=in_parts)

    @contextmanager
    def view(
        self, name: str, selections: Sequence[Selection], allowance: Allowance
    ) -> Iterator[ViewPaths]:
        """Give a directory with what ``selections`` need, for another process (``view.View``).

        It is there while the context lasts; what is appended meanwhile does not count.

        Raises:
            QvmonError: As ``allowance`` does when there is more than it allows or nobody waits;
                UNAVAILABLE, when the file system refuses.
        """
        self._readiness.wait()
        for each in selections:
            allowance.reading(*self._estimate(self.index.match(each.matchers), each))
        paths = self.paths.view(name)
        stored = Stored(self.index, self.head, self.blocks, self.deletions, allowance.check)
        with written_view(paths, stored, selections):
            yield paths

    def set_aside(self, damage: DamagedBlockError) -> bool:
        """Quarantine a block that the reader of a view found damaged; return whether it was here.

        Meanwhile it may have been merged or quarantined already.
        """
        was_here = any(block.meta.number == damage.number for block in self.blocks)
        if was_here:
            self.blocks.quarantine(damage)
            self.changes.everything()
        return was_here

    def _estimate(self, ids: Int64s, selection: Selection) -> tuple[int, int]:
        start, end = selection.start_ms, selection.end_ms
        return estimate(self.head, self.blocks.overlapping(start, end), ids, start, end)

    def _reading(self, ids: Int64s, start: int, end: int) -> Reading:
        """Look at the head before blocks: what a flush moves then is seen twice, not never."""
        newest = self.head.parts(ids, start, end)
        damaged = len(self.blocks.damaged)
        parts = self.blocks.find(ids, start, end)
        if len(self.blocks.damaged) > damaged:
            self.changes.everything()
        return Reading.of([*parts, *newest])

    def series(
        self, matcher_sets: Sequence[tuple[Matcher, ...]], start_ms: int, end_ms: int
    ) -> LabelFrame:
        """Return the series that match any set (all, with no set) and may have samples then."""
        self._readiness.wait()
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
        kept: the deleted interval may be filled anew, late samples under the usual rules.

        Raises:
            QvmonError: INVALID without a matcher set or with an interval that ends before it
                begins, UNAVAILABLE when it could not be made durable.
        """
        if not matcher_sets or start_ms > end_ms:
            message = "a deletion needs matchers and an interval that does not end before it begins"
            raise invalid(message, start_ms=start_ms, end_ms=end_ms)
        self._readiness.wait()
        self.deletions.delete(matcher_sets, start_ms, end_ms)

    def snapshot(self, name: str, *, skip_head: bool = False) -> Path:
        """Make a copy of everything acknowledged so far and return its directory.

        Appends go on; it waits for a flush or merge that is under way.

        Args:
            name: Of a directory below ``snapshots/`` that is not there yet.
            skip_head: Leave out what is not in blocks.

        Raises:
            QvmonError: UNAVAILABLE, when the file system refuses.
        """
        with self.upkeep.alone(), self.deletions.held_off():
            with self._write_lock:
                self.wal.commit()
                current = self.wal.rotate()
            numbers = [] if skip_head else self.paths.segments()
            self.upkeep.state.save(self.paths.head_state)
            return write_snapshot(
                self.paths,
                name,
                [block.meta.number for block in self.blocks],
                [number for number in numbers if number < current],
                self.deletions.entries,
            )

    def close(self) -> None:
        """Let go of the directory when a flush or merge under way has ended.

        Nothing that was acknowledged is lost.
        """
        self.upkeep.end()
        self.deletions.end()
        with self._write_lock:
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
