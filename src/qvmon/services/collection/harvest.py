"""What one scrape yields: from the bytes of a page to columns of samples.

Reading is pure work on one target's state and may run in a thread; the store is asked for series
ids in between, and settling turns the answer into columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import (
    STALE,
    Bools,
    Float64s,
    Int64s,
    MetricMetadata,
    SampleBatch,
    SeriesKeys,
)
from qvmon.services.collection.arrays import UInt64s
from qvmon.services.collection.new_series import NewSeriesPath
from qvmon.services.collection.page import Page
from qvmon.services.collection.sample_labels import LabelPath
from qvmon.services.collection.series_cache import DROPPED, REFUSED, SeriesCache, Sightings
from qvmon.wire.exposition import NO_TIMESTAMP, Exposition, Layout, parse

_NO_ROWS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class NewSeries:
    """The series of a page that were never seen before.

    Attributes:
        hashes: uint64[m]; distinct hashes of their texts.
        kept: bool[m]; whether metric relabelling keeps each.
        keys: The canonical labels of those kept, in the same order.
        kept_samples: How many samples of the page belong to those kept.
    """

    hashes: UInt64s
    kept: Bools
    keys: SeriesKeys
    kept_samples: int


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A page, read; what is missing is the store's ids of its new series.

    Attributes:
        exposition: The parsed page.
        timed: bool[n]; the sample bears a time of its own that is honoured.
        found: Where each sample's series stands in the cache.
        new: The series that are not in it.
        kept: How many samples relabelling keeps.
        layout: How the page is laid out, when the next one may look like it.
    """

    exposition: Exposition
    timed: Bools
    found: Sightings
    new: NewSeries
    kept: int
    layout: Layout | None


@dataclass(frozen=True, slots=True, eq=False)
class _Steady:
    """What a page that looks like the last one becomes.

    Attributes:
        content_type: What it must be.
        layout: How it must be laid out.
        take: int64[k]; the rows whose samples are kept, None for all.
        series: int64[k]; their series.
        scraped: Samples on the page.
        kept: Samples that relabelling kept.
    """

    content_type: str
    layout: Layout
    take: Int64s | None
    series: Int64s
    scraped: int
    kept: int


def _parsed(page: Page) -> Exposition:
    """Return what is on a page; an empty one has no samples in any format, as in Prometheus."""
    try:
        return parse(page.body, page.content_type if page.body else "")
    except QvmonError as error:
        before = error.context.get("samples", 0)
        so_far = {"scraped": before, "kept": before}
        raise QvmonError(error.kind, error.message, **{**error.context, **so_far}) from None


@dataclass(frozen=True, slots=True, eq=False)
class Harvest:
    """The samples of one scrape, staleness markers included.

    Attributes:
        batch: What is appended.
        scraped: Samples on the page.
        kept: Samples that relabelling kept.
        series_added: Series that were not in the scrape before.
        stale: How many staleness markers are in the batch.
    """

    batch: SampleBatch
    scraped: int = 0
    kept: int = 0
    series_added: int = 0
    stale: int = 0


class Harvester:
    """One target's way from pages to samples.

    Args:
        path: The way of new series.
        cache: What the target exposed before.
        max_series_bytes: The longest name with labels that is accepted.
    """

    def __init__(
        self, path: LabelPath, cache: SeriesCache, max_series_bytes: int = 64 << 10
    ) -> None:
        self.path = path
        self._new = NewSeriesPath(path)
        self._max_series_bytes = max_series_bytes
        self.cache = cache
        self.metadata: list[MetricMetadata] = []
        """What the last page said about its metrics."""
        self._metadata_hash: int | None = None
        self._steady: _Steady | None = None
        self._last_type = ""

    def repeat(self, page: Page, at_ms: int) -> Harvest | None:
        """Return the samples of a page that has the series of the last one; None for any other.

        The cache stays as that page left it: nothing was seen that it does not know.
        """
        steady = self._steady
        if steady is None or page.content_type != steady.content_type:
            return None
        values = steady.layout.values(page.body)
        if values is None:
            return None
        if steady.take is not None:
            values = values[steady.take]
        times: Int64s = np.full(len(values), at_ms, np.int64)
        batch = SampleBatch(steady.series, times, values)
        return Harvest(batch, steady.scraped, steady.kept)

    def read(self, page: Page) -> Reading:
        """Return what is on a page.

        Raises:
            QvmonError: INVALID for a page or series that is wrong, EXHAUSTED for a limit; the
                context's ``scraped`` and ``kept`` say how far it came.
        """
        self._steady, self._last_type = None, page.content_type
        exposition = _parsed(page)
        found = self.cache.look_up(exposition.hashes)
        new = self._new_series(exposition, np.flatnonzero(found.rows < 0))
        known = self.cache.ids(found.rows[found.rows >= 0])
        kept = int(np.count_nonzero(known != DROPPED)) + new.kept_samples
        self._check_sample_limit(kept, len(exposition))
        known_all = not len(new.hashes) and len(exposition) > 0
        layout = Layout.of(exposition) if known_all else None
        return Reading(exposition, self._timed(exposition), found, new, kept, layout)

    def settle(self, reading: Reading, ids: Int64s, at_ms: int) -> Harvest:
        """Return the samples of a reading.

        Args:
            reading: What ``read`` returned last.
            ids: int64[k]; the store's ids of ``reading.new.keys``.
            at_ms: The scrape's time.
        """
        place = self._placed(reading, ids)
        rows = place.rows
        series = self.cache.ids(rows)
        take = np.flatnonzero((series != DROPPED) & ~(place.repeated & ~reading.timed))
        tracked = take
        if not self.path.job.track_timestamps_staleness:
            tracked = take[~reading.timed[take]]
        stale = self.cache.finish(rows[tracked], good=True)
        times = np.where(reading.timed, reading.exposition.timestamps, at_ms)
        batch = joined(
            SampleBatch(series[take], times[take], reading.exposition.values[take]),
            stale_batch(stale, at_ms),
        )
        added = int(np.count_nonzero(place.returned[take]))
        if reading.layout is not None:
            self._settle_down(reading, reading.layout, take, series[take])
        return Harvest(batch, len(reading.exposition), reading.kept, added, len(stale))

    def _settle_down(self, reading: Reading, layout: Layout, take: Int64s, series: Int64s) -> None:
        """Expect the next page to look like this one."""
        if np.any(series == REFUSED):  # they are tried again
            return
        scraped = len(reading.exposition)
        rows = None if len(take) == scraped else take
        self._steady = _Steady(self._last_type, layout, rows, series, scraped, reading.kept)

    def fail(self, at_ms: int, scraped: int = 0, kept: int = 0) -> Harvest:
        """Return what a failed scrape yields: the end of every series of the one before."""
        self._steady = None
        stale = self.cache.finish(_NO_ROWS, good=False)
        return Harvest(stale_batch(stale, at_ms), scraped, kept, 0, len(stale))

    def news(self, exposition: Exposition) -> list[MetricMetadata]:
        """Return the metadata of a page, or nothing when it is that of the page before."""
        if exposition.metadata_hash == self._metadata_hash:
            return []
        self._metadata_hash, self.metadata = exposition.metadata_hash, exposition.metadata
        return self.metadata

    def _timed(self, exposition: Exposition) -> Bools:
        timed: Bools = exposition.timestamps != NO_TIMESTAMP
        return timed if self.path.job.honor_timestamps else np.zeros_like(timed)

    def _new_series(self, exposition: Exposition, rows: Int64s) -> NewSeries:
        self._check_lengths(exposition, rows)
        hashes, first, inverse = np.unique(
            exposition.hashes[rows], return_index=True, return_inverse=True
        )
        stored = self._new.keys(exposition, rows[first], partial(self._stored, exposition))
        kept = np.array([key is not None for key in stored], np.bool_)
        keys = SeriesKeys.from_bytes([key for key in stored if key is not None])
        return NewSeries(hashes, kept, keys, int(np.count_nonzero(kept[inverse])))

    def _check_lengths(self, exposition: Exposition, rows: Int64s) -> None:
        longest = int(np.max(exposition.ends[rows] - exposition.starts[rows], initial=0))
        if longest > self._max_series_bytes:
            raise QvmonError(
                ErrorKind.EXHAUSTED,
                f"a series has a name with labels of {longest} bytes, "
                f"and at most {self._max_series_bytes} are allowed",
                limit="max_series_bytes",
                scraped=len(exposition),
            )

    def _check_sample_limit(self, kept: int, scraped: int) -> None:
        limit = self.path.job.sample_limit
        if 0 < limit < kept:
            raise QvmonError(
                ErrorKind.EXHAUSTED,
                f"sample_limit exceeded (samples: {kept}, limit: {limit})",
                limit="sample_limit",
                scraped=scraped,
                kept=kept,
            )

    def _stored(self, exposition: Exposition, row: int) -> bytes | None:
        try:
            labels = self.path.stored(exposition.labels(row))
        except QvmonError as error:
            so_far = {"scraped": row + 1, "kept": row}
            raise QvmonError(error.kind, error.message, **{**error.context, **so_far}) from None
        return None if labels is None else labels.encode()

    def _placed(self, reading: Reading, ids: Int64s) -> Sightings:
        """Learn the new series, and return where all stand now."""
        found, new = reading.found, reading.new
        if len(new.hashes) == 0:
            return found
        learnt = np.full(len(new.hashes), DROPPED, np.int64)
        learnt[new.kept] = ids
        self.cache.learn(new.hashes, learnt)
        at = np.flatnonzero(found.rows < 0)
        late = self.cache.look_up(reading.exposition.hashes[at])
        found.rows[at], found.returned[at], found.repeated[at] = (
            late.rows,
            late.returned,
            late.repeated,
        )
        return found


def stale_batch(series: Int64s, at_ms: int) -> SampleBatch:
    """Return a staleness marker for each of ``series`` at one time."""
    values: Float64s = np.full(len(series), STALE)
    return SampleBatch(series, np.full(len(series), at_ms, np.int64), values)


def joined(*batches: SampleBatch) -> SampleBatch:
    """Return batches end to end."""
    return SampleBatch(
        np.concatenate([each.series for each in batches]),
        np.concatenate([each.timestamps for each in batches]),
        np.concatenate([each.values for each in batches]),
    )
