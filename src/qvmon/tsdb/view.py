"""What a few selections need, set beside the directory in use for a process that only reads.

Blocks are shared (hard links), and samples that only the head has become one more block. A view
lives as long as a query, so nothing of it is synced.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Int64s, Selection, SeriesColumns, SeriesKeys
from qvmon.tsdb.block.blocks import BlockList, by_rank
from qvmon.tsdb.block.cache import PageCache
from qvmon.tsdb.block.writer import Origin, key_order, write_block
from qvmon.tsdb.deletion.deletions import Deletions
from qvmon.tsdb.deletion.tombstones import content, parsed
from qvmon.tsdb.files.paths import DataPaths, ViewPaths
from qvmon.tsdb.head.head import Head
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.reading import Reading
from qvmon.tsdb.rows import EARLIEST, LATEST, Rows
from qvmon.tsdb.snapshot import share_files
from qvmon.tsdb.upkeep.flush import in_parts
from qvmon.tsdb.upkeep.merging import leave_out, open_block

_HEAD_NUMBER = 10**9
"""Of the block with the head's samples: no deletion is about it, and other blocks win over it."""

_CACHE_BYTES = 256 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What a database has.

    Attributes:
        check: Called while a view is written; what it raises ends that.
    """

    index: Index
    head: Head
    blocks: BlockList
    deletions: Deletions
    check: Callable[[], None]


@contextmanager
def written_view(
    paths: ViewPaths, stored: Stored, selections: Sequence[Selection]
) -> Iterator[None]:
    """Have a view of what ``selections`` need at ``paths`` while the context lasts.

    Raises:
        QvmonError: UNAVAILABLE, when the file system refuses.
    """
    try:
        _write(paths, stored, selections)
        yield
    except OSError as error:
        raise QvmonError(ErrorKind.UNAVAILABLE, f"cannot write {paths.root}: {error}") from error
    finally:
        shutil.rmtree(paths.root, ignore_errors=True)


def _write(paths: ViewPaths, stored: Stored, selections: Sequence[Selection]) -> None:
    """Write a view beside appends, flushes, merges and deletions.

    The head is read before the blocks, so that what a flush moves meanwhile is there twice, not
    never; and deletions before and after both, so that none is missed that had ended or that is
    struck out meanwhile.
    """
    paths.samples.blocks.mkdir(parents=True)
    before = stored.deletions.entries
    matched = [stored.index.match(each.matchers) for each in selections]
    ids = np.unique(np.concatenate([np.empty(0, np.int64), *matched]))
    keys = stored.index.keys(ids)
    np.savez(paths.series, arena=keys.arena, offsets=keys.offsets)
    _write_head(paths.samples, stored, ids, selections)
    _share_blocks(paths.samples, stored.blocks, selections)
    known = dict.fromkeys((*before, *stored.deletions.entries))
    paths.samples.tombstones.write_bytes(content(tuple(known)))


def _write_head(
    paths: DataPaths, stored: Stored, ids: Int64s, selections: Sequence[Selection]
) -> None:
    start = min((each.start_ms for each in selections), default=LATEST)
    end = max((each.end_ms for each in selections), default=EARLIEST)
    head, order = stored.head, key_order(stored.index.keys(ids))
    counts = head.about(ids, start, end)

    def read(rows: Int64s) -> Rows:
        stored.check()
        return head.read(ids[rows], start, end)

    parts = map(read, in_parts(order, counts))
    place, keys = paths.block(_HEAD_NUMBER), stored.index.keys(ids[order])
    write_block(place, keys, parts, Origin(_HEAD_NUMBER), durable=False)


def _share_blocks(paths: DataPaths, blocks: BlockList, selections: Sequence[Selection]) -> None:
    """Share the blocks that may have something; begin anew when one goes meanwhile."""
    while True:
        there = list(blocks)
        shared = []
        try:
            for block in there:
                if any(block.overlaps(each.start_ms, each.end_ms) for each in selections):
                    shared.append(paths.block(block.meta.number).directory)
                    share_files(block.paths.directory, shared[-1])
        except FileNotFoundError:
            if there == list(blocks):
                raise
            for directory in shared:
                shutil.rmtree(directory, ignore_errors=True)
        else:
            return


class View:
    """An open view, read as the database is from which it comes.

    Args:
        paths: Where it is.

    Raises:
        DamagedBlockError: For a block that cannot be read.
    """

    def __init__(self, paths: ViewPaths) -> None:
        with np.load(paths.series) as stored:
            keys = SeriesKeys(stored["arena"], stored["offsets"])
        self._index = Index(max(1, len(keys)))
        self._index.ids(keys)
        cache, samples = PageCache(_CACHE_BYTES), paths.samples
        self._blocks = by_rank(
            open_block(samples.block(number), self._index, cache, only_known=True)
            for number in samples.block_numbers()
        )
        leave_out(parsed(samples.tombstones.read_bytes()), self._index, self._blocks)

    def select(self, selection: Selection) -> SeriesColumns:
        """Return the samples of a selection, series with none left out.

        Raises:
            DamagedBlockError: For a block that cannot be read.
        """
        start, end = selection.start_ms, selection.end_ms
        ids = self._index.match(selection.matchers)
        parts = [each.find(ids, start, end) for each in self._blocks if each.overlaps(start, end)]
        reading = Reading.of(parts or [Rows.empty(len(ids))])
        return reading.columns(self._index.frame(ids[reading.kept]), in_parts=True)
