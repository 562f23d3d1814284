"""Which series the ids in a segment stand for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from qvmon.model.series import Int64s
from qvmon.tsdb.identity.index import Index
from qvmon.tsdb.log.records import Record, RecordKind, read_header, read_records, read_series


class SeriesNames:
    """What the series records of a segment, and of others of the same run, say.

    Args:
        index: Learns the series.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._run = 0
        self._ids: Int64s = np.full(1024, -1, np.int64)

    def begin(self, segment: bytes) -> None:
        """Go on with ``segment``; what is known stays when it is of the same run."""
        header = read_header(segment)
        run = header.run if header is not None else 0
        if run == 0 or run != self._run:
            self._run = run
            self._ids = np.full(1024, -1, np.int64)

    def learn(self, record: Record) -> None:
        """Take in a series record.

        Raises:
            QvmonError: CORRUPT or INVALID, when it is none.
        """
        ids, keys = read_series(record.payload)
        known = self._index.ids(keys, unlimited=True)
        length = int(ids.max(initial=0)) + 1
        if length > len(self._ids):
            longer = np.full(2 * length, -1, np.int64)
            longer[: len(self._ids)] = self._ids
            self._ids = longer
        self._ids[ids] = known

    def of(self, ids: Int64s) -> Int64s:
        """Return int64[n]: the index's ids of a segment's ``ids``, -1 where nothing is known."""
        if ids.max(initial=0) < len(self._ids):
            return self._ids[ids]
        inside = ids < len(self._ids)
        return np.where(inside, self._ids[np.where(inside, ids, 0)], -1)

    def search(self, files: list[Path]) -> None:
        """Learn what other segments say of the same run: its ids mean the same in all of them."""
        for file in files if self._run else []:
            content = file.read_bytes()
            header = read_header(content)
            if header is not None and header.run == self._run:
                for each in read_records(content):
                    if isinstance(each, Record) and each.kind == RecordKind.SERIES:
                        self.learn(each)
