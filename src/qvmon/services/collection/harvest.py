"""What one scrape yields: from the bytes of a page to columns of samples.

Reading is pure work on one target's state and may run in a thread; the store is asked for series
ids in between, and settling turns the answer into columns.
"""

from __future__ import annotations

from dataclasses import dataclass

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
from qvmon.services.collection.page import Page
from qvmon.services.collection.sample_labels import LabelPath
from qvmon.services.collection.series_cache import DROPPED, SeriesCache
from qvmon.wire.exposition import NO_TIMESTAMP, Exposition, parse

_NO_ROWS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """A page, read, with the series that were never seen before.

    Attributes:
        exposition: The parsed page.
        timed: bool[n]; the sample bears a time of its own that is honoured.
        rows: int64[n]; rows in the series cache, -1 for new series.
        returned: bool[n]; the series was not in the last good scrape.
        repeated: bool[n]; the series was already in this page, and bears no time.
        new_hashes: uint64[m]; distinct hashes of the new series.
        new_kept: bool[m]; whether metric relabelling keeps each.
        new_keys: The canonical labels of those kept, in the same order.
        kept: How many samples relabelling keeps.
    """

    exposition: Exposition
    timed: Bools
    rows: Int64s
    returned: Bools
    repeated: Bools
    new_hashes: UInt64s
    new_kept: Bools
    new_keys: SeriesKeys
    kept: int


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
    """

    def __init__(self, path: LabelPath, cache: SeriesCache) -> None:
        self._path = path
        self.cache = cache
        self._metadata_hash: int | None = None

    def read(self, page: Page) -> Reading:
        """Return what is on a page.

        Raises:
            QvmonError: INVALID for a page or series that is wrong, EXHAUSTED for a limit; the
                context's ``scraped`` and ``kept`` say how far it came.
        """
        exposition = parse(page.body, page.content_type)
        job = self._path.job
        timed = exposition.timestamps != NO_TIMESTAMP
        if not job.honor_timestamps:
            timed = np.zeros(len(exposition), np.bool_)
        found = self.cache.look_up(exposition.hashes)
        new = np.flatnonzero(found.rows < 0)
        hashes, first, inverse = np.unique(
            exposition.hashes[new], return_index=True, return_inverse=True
        )
        stored = [self._stored(exposition, int(row)) for row in new[first]]
        new_kept = np.array([key is not None for key in stored], np.bool_)
        kept = int(np.count_nonzero(self.cache.ids(found.rows[found.rows >= 0]) != DROPPED))
        kept += int(np.count_nonzero(new_kept[inverse]))
        if 0 < job.sample_limit < kept:
            raise QvmonError(
                ErrorKind.EXHAUSTED,
                f"sample_limit exceeded (samples: {kept}, limit: {job.sample_limit})",
                limit="sample_limit",
                scraped=len(exposition),
                kept=kept,
            )
        return Reading(
            exposition,
            timed,
            found.rows,
            found.returned,
            found.repeated & ~timed,
            hashes,
            new_kept,
            SeriesKeys.from_bytes([key for key in stored if key is not None]),
            kept,
        )

    def settle(self, reading: Reading, ids: Int64s, at_ms: int) -> Harvest:
        """Return the samples of a reading.

        Args:
            reading: What ``read`` returned last.
            ids: int64[k]; the store's ids of ``reading.new_keys``.
            at_ms: The scrape's time.
        """
        rows, returned, repeated = self._place_new(reading, ids)
        series = self.cache.ids(rows)
        take = np.flatnonzero((series != DROPPED) & ~repeated)
        tracked = take
        if not self._path.job.track_timestamps_staleness:
            tracked = take[~reading.timed[take]]
        stale = self.cache.finish(rows[tracked], good=True)
        times = np.where(reading.timed, reading.exposition.timestamps, at_ms)
        batch = joined(
            SampleBatch(series[take], times[take], reading.exposition.values[take]),
            stale_batch(stale, at_ms),
        )
        added = int(np.count_nonzero(returned[take]))
        return Harvest(batch, len(reading.exposition), reading.kept, added, len(stale))

    def fail(self, at_ms: int, scraped: int = 0, kept: int = 0) -> Harvest:
        """Return what a failed scrape yields: the end of every series of the one before."""
        stale = self.cache.finish(_NO_ROWS, good=False)
        return Harvest(stale_batch(stale, at_ms), scraped, kept, 0, len(stale))

    def news(self, exposition: Exposition) -> list[MetricMetadata]:
        """Return the metadata of a page, or nothing when it is that of the page before."""
        if exposition.metadata_hash == self._metadata_hash:
            return []
        self._metadata_hash = exposition.metadata_hash
        return exposition.metadata

    def _stored(self, exposition: Exposition, row: int) -> bytes | None:
        try:
            labels = self._path.stored(exposition.labels(row))
        except QvmonError as error:
            raise QvmonError(
                error.kind, error.message, **{**error.context, "scraped": len(exposition)}
            ) from None
        return None if labels is None else labels.encode()

    def _place_new(self, reading: Reading, ids: Int64s) -> tuple[Int64s, Bools, Bools]:
        """Learn the new series; return rows, returned and repeated of all samples."""
        rows, returned, repeated = reading.rows, reading.returned, reading.repeated
        if len(reading.new_hashes) == 0:
            return rows, returned, repeated
        learnt = np.full(len(reading.new_hashes), DROPPED, np.int64)
        learnt[reading.new_kept] = ids
        self.cache.learn(reading.new_hashes, learnt)
        at = np.flatnonzero(rows < 0)
        found = self.cache.look_up(reading.exposition.hashes[at])
        rows[at] = found.rows
        returned[at] = found.returned
        repeated[at] = found.repeated & ~reading.timed[at]
        return rows, returned, repeated


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
