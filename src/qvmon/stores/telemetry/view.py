"""A view of a telemetry store, opened by another process."""

from __future__ import annotations

import sys
from pathlib import Path

from qvmon.model.series import Selection, SeriesColumns
from qvmon.model.unknown import asks_for_unknown
from qvmon.stores.telemetry.unknown import UnknownBook
from qvmon.stores.telemetry.unknown_series import series_of
from qvmon.tsdb.files.paths import ViewPaths
from qvmon.tsdb.view import View


class TelemetryView:
    """What ``TelemetryStore.view`` has written, read as the store is.

    Attributes:
        result: A directory, not made yet, for what comes of it.

    Args:
        directory: Where it is.
        now_ms: Nothing is unknown after this yet.

    Raises:
        DamagedBlockError: For a block that cannot be read.
    """

    def __init__(self, directory: Path, now_ms: int) -> None:
        paths = ViewPaths(directory)
        self.result = paths.result
        self._now_ms = now_ms
        self._samples = View(paths)
        self._unknown = paths.samples.unknown

    def select(self, selection: Selection) -> SeriesColumns:
        """Return the samples of a selection; of unknown intervals when it names their metric.

        Raises:
            DamagedBlockError: For a block that cannot be read.
        """
        if not asks_for_unknown(selection.matchers):
            return self._samples.select(selection)
        end_ms = min(selection.end_ms, self._now_ms)
        book = UnknownBook(self._unknown, sys.maxsize)
        found = book.find([selection.matchers], selection.start_ms, end_ms)
        return series_of(found, selection.start_ms, end_ms)
