"""A block: the samples of one stretch of time as Parquet, beside a table of its series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Int64s, SeriesKeys
from qvmon.model.threads import side_by_side, stretches
from qvmon.tsdb import kernels
from qvmon.tsdb.block.cache import Page, PageCache
from qvmon.tsdb.block.cuts import NO_CUTS
from qvmon.tsdb.block.meta import BlockMeta
from qvmon.tsdb.block.samples import DamagedBlockError, SamplesFile, Scales
from qvmon.tsdb.files.paths import BlockPaths
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.rows import Part, Rows


@dataclass(frozen=True, eq=False)
class BlockPart:
    """Samples of n series that a block has.

    Attributes:
        counts: int64[n]; the samples of each series.
        pieces: What decoded pages have of them.
    """

    counts: Int64s
    pieces: list[_Piece]

    @property
    def ordered(self) -> bool:
        """Whether each series is known to ascend in time: it is."""
        return True

    def part(self, first: int, last: int) -> BlockPart:
        """Return series ``first`` to ``last`` (excluded)."""
        lows, highs = self._reach
        concerned = np.flatnonzero((lows < last) & (highs >= first)).tolist()
        pieces = [self.pieces[at].part(first, last) for at in concerned]
        return BlockPart(self.counts[first:last], pieces)

    @cached_property
    def _reach(self) -> tuple[Int64s, Int64s]:
        """Int64[pieces] each: the first and the last series of which a piece has samples."""
        some = [piece.places for piece in self.pieces]
        ends = [(places[0], places[-1]) if len(places) else (0, -1) for places in some]
        lows, highs = np.array(ends, np.int64).reshape(-1, 2).T
        return lows, highs

    def copy_to(self, rows: Rows, starts: Int64s) -> None:
        """Write series i to ``rows`` from ``starts[i]`` on."""

        def copy(some: range) -> None:
            for piece in self.pieces[some.start : some.stop]:
                targets = starts[piece.places] + piece.skips
                kernels.copy_rows(
                    *piece.page, piece.begins, piece.stops, targets, rows.times, rows.bits
                )

        side_by_side(copy, stretches(len(self.pieces), 1))


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """What one page has of some series.

    Attributes:
        page: Its times and bits.
        places: int64[k]; which series, of those asked for, ascending.
        begins: int64[k]; the first row of each.
        stops: int64[k]; the row after the last.
        skips: int64[k]; how many samples of each are on earlier pages.
    """

    page: Page
    places: Int64s
    begins: Int64s
    stops: Int64s
    skips: Int64s

    def part(self, first: int, last: int) -> _Piece:
        """Return what there is of series ``first`` to ``last``, counted from ``first``."""
        low, high = np.searchsorted(self.places, (first, last))
        some = slice(low, high)
        return _Piece(
            self.page,
            self.places[some] - first,
            self.begins[some],
            self.stops[some],
            self.skips[some],
        )


class Block:
    """One open block; any thread may read it, also after its files were deleted.

    Args:
        paths: Its files.
        index: The store's index, which learns the block's series.
        cache: Where decoded pages are kept.
        only_known: Whether the index learns nothing; other series cannot be found then.

    Raises:
        QvmonError: CORRUPT or UNSUPPORTED, saying which file and why.
    """

    def __init__(
        self, paths: BlockPaths, index: Index, cache: PageCache, *, only_known: bool = False
    ) -> None:
        self.paths = paths
        self.deleted = NO_CUTS
        self._cache = cache
        try:
            self.meta = _meta(paths)
            self._samples = SamplesFile(paths.samples)
            self.size = sum(path.stat().st_size for path in paths.directory.iterdir())
            self._read_series(index.known_ids if only_known else partial(index.ids, unlimited=True))
        except (OSError, pa.ArrowException, KeyError) as error:
            message = f"block {paths.directory} cannot be read: {error}"
            raise QvmonError(ErrorKind.CORRUPT, message) from error
        self._check_counts()

    def _read_series(self, ids_of: Callable[[SeriesKeys], Int64s]) -> None:
        decimal = self.meta.version > 1
        columns = ["key", "first_row", *(["base", "divisor"] if decimal else [])]
        table = pq.read_table(self.paths.series, columns=columns, page_checksum_verification=True)
        keys = _keys(table.column("key").combine_chunks().cast(pa.large_binary()))
        ids = ids_of(keys)
        starts = table.column("first_row").to_numpy()
        self._order = np.argsort(ids, kind="stable")
        self.ids: Int64s = ids[self._order]
        self._starts: Int64s = np.append(starts, self._samples.rows)
        self._scales = (
            Scales(
                self._starts, table.column("base").to_numpy(), table.column("divisor").to_numpy()
            )
            if decimal
            else None
        )

    def _check_counts(self) -> None:
        right = self._samples.rows == self.meta.samples and len(self.ids) == self.meta.series
        if not right or np.any(np.diff(self._starts) < 0):
            message = f"block {self.paths.directory}: its files do not belong together"
            raise QvmonError(ErrorKind.CORRUPT, message)

    @property
    def counts(self) -> Int64s:
        """int64[series]: how many samples each of ``ids`` has."""
        return np.diff(self._starts)[self._order]

    def overlaps(self, start: int, end: int) -> bool:
        """Return whether it may have samples in start..end."""
        return self.meta.start_ms <= end and self.meta.end_ms >= start

    def delete(self, ids: Int64s, start: int, end: int) -> None:
        """Count the samples of ``ids`` in start..end as gone, from the next read on."""
        if self.overlaps(start, end):
            self.deleted = self.deleted.plus(ids[self.present(ids)], start, end)

    def holds(self, ids: Int64s, start: int, end: int) -> Int64s:
        """Return the positions in ``ids`` of the series that may have samples in start..end.

        Of those that lack something deleted, only the ones that do have samples then.
        """
        places = self.present(ids)
        doubtful = self.deleted.concern(ids[places])
        if not np.any(doubtful):
            return places
        left = self.find(ids[places[doubtful]], start, end).counts > 0
        return np.concatenate((places[~doubtful], places[doubtful][left]))

    def present(self, ids: Int64s) -> Int64s:
        """Return the positions in ``ids`` of the series that have samples here."""
        at = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return np.flatnonzero(self.ids[at] == ids)

    def find(self, ids: Int64s, start: int, end: int) -> Part:
        """Return the samples of ``ids`` in start..end less what was deleted, decoded."""
        places = self.present(ids)
        series = self._order[np.searchsorted(self.ids, ids[places])]
        part = self._gather(len(ids), places, series, start, end)
        return self.deleted.applied(ids, part) if len(self.deleted) else part

    def _gather(self, n: int, places: Int64s, series: Int64s, start: int, end: int) -> BlockPart:
        """Find series number ``series[i]`` for place ``places[i]`` of n."""
        begins, stops = self._starts[series], self._starts[series + 1]
        counts = np.zeros(n, np.int64)
        pieces = []
        groups = self._groups_of(begins, stops).tolist()
        for group, page in zip(groups, self._pages(groups), strict=True):
            low, high = self._samples.group_starts[group], self._samples.group_starts[group + 1]
            inside = np.flatnonzero((begins < high) & (stops > low))
            first = np.maximum(begins[inside], low) - low
            last = np.minimum(stops[inside], high) - low
            clipped = np.empty(len(inside), np.int64)
            kernels.clip_rows(page[0], first, last, clipped, start, end)
            rows = places[inside]
            pieces.append(_Piece(page, rows, first, last, counts[rows]))
            counts[rows] += clipped
        return BlockPart(counts, pieces)

    def _groups_of(self, begins: Int64s, stops: Int64s) -> Int64s:
        """Return the row groups that hold the row ranges."""
        first = np.searchsorted(self._samples.group_starts, begins, side="right") - 1
        last = np.searchsorted(self._samples.group_starts, stops, side="left")
        marks = np.zeros(len(self._samples.group_starts) + 1, np.int64)
        np.add.at(marks, first, 1)
        np.add.at(marks, last, -1)
        return np.flatnonzero(np.cumsum(marks) > 0)

    def _pages(self, groups: list[int]) -> list[Page]:
        """Return decoded row groups; those not in memory are decoded side by side."""
        number = self.meta.number
        pages = {group: self._cache.find((number, group)) for group in groups}
        missing = [group for group, page in pages.items() if page is None]
        for group, page in zip(missing, side_by_side(self._decode, missing), strict=True):
            pages[group] = page
            self._cache.keep((number, group), page)
        return [page for page in pages.values() if page is not None]

    def _decode(self, group: int) -> Page:
        try:
            if self._scales is None:
                return self._samples.read_plain(group)
            return self._samples.read_decimals(group, self._scales)
        except (OSError, pa.ArrowException) as error:
            reason = f"{self.paths.samples}: row group {group} cannot be read: {error}"
            raise DamagedBlockError(self.meta.number, reason) from error


def _meta(paths: BlockPaths) -> BlockMeta:
    try:
        return BlockMeta.from_json(paths.meta.read_bytes())
    except QvmonError as error:
        raise QvmonError(error.kind, f"block {paths.directory}: {error.message}") from error


def _keys(column: pa.LargeBinaryArray) -> SeriesKeys:
    _, offsets, arena = column.buffers()
    stop = column.offset + len(column) + 1
    ends = np.frombuffer(offsets, np.int64)[column.offset : stop]
    return SeriesKeys(np.frombuffer(arena or b"", np.uint8), ends)
