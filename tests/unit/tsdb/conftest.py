"""Small databases and the shorthand to fill and read them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.ports import AppendResult
from qvmon.model.series import SampleBatch, Selection, SeriesColumns, SeriesKeys
from qvmon.tsdb.database import Database
from qvmon.tsdb.options import Options

NOW = 1_000_000
BLOCK = 1_000
_NAME = Matcher("__name__", MatchOp.EQUAL, "requests_total")
EVERYTHING = Selection((), -(2**62), 2**62)


def options(**changes: int) -> Options:
    defaults = {
        "max_series": 1_000,
        "block_ms": BLOCK,
        "head_bytes": 8 << 20,
        "segment_bytes": 1 << 14,
        "retention_ms": 0,
    }
    return Options(**{**defaults, **changes})


def labels_of(number: int) -> Labels:
    return Labels({"__name__": "requests_total", "instance": f"host-{number}"})


class Small:
    """A database that can be closed and opened again."""

    def __init__(self, directory: Path, **changes: int) -> None:
        self.directory, self.changes = directory, changes
        self.open()

    def open(self) -> None:
        self.database = Database(self.directory, options(**self.changes))

    def reopen(self) -> None:
        self.database.close()
        self.open()

    def id(self, number: int) -> int:
        keys = SeriesKeys.from_labels([labels_of(number)])
        return int(self.database.series_ids(keys)[0])

    def append(self, *samples: tuple[int, int, float], now: int = NOW) -> AppendResult:
        """Append (series number, time, value) rows."""
        ids = {number: self.id(number) for number in {each[0] for each in samples}}
        batch = SampleBatch(
            np.array([ids[number] for number, _, _ in samples], np.int64),
            np.array([time for _, time, _ in samples], np.int64),
            np.array([value for _, _, value in samples], np.float64),
        )
        return self.database.append([batch], now)[0]

    def delete(self, *numbers: int, start: int = -(2**62), end: int = 2**62) -> None:
        """Delete the samples of series in an interval, one matcher set for each series."""
        sets = [(Matcher("instance", MatchOp.EQUAL, f"host-{number}"),) for number in numbers]
        self.database.delete(sets, start, end)

    def read(self, start: int = -(2**62), end: int = 2**62) -> dict[int, list[tuple[int, float]]]:
        """Return {series number: [(time, value)]}."""
        return self._listed(self.database.select(Selection((_NAME,), start, end)))

    def read_in_parts(
        self, start: int, end: int, at_once: int
    ) -> dict[int, list[tuple[int, float]]]:
        """Return the same, read some series at a time."""
        columns = self.database.select(Selection((_NAME,), start, end), in_parts=True)
        found = {}
        for first in range(0, len(columns), at_once):
            found |= self._listed(columns.part(first, min(first + at_once, len(columns))))
        return found

    def _listed(self, columns: SeriesColumns) -> dict[int, list[tuple[int, float]]]:
        found = {}
        for row, labels in enumerate(columns.labels.all_labels()):
            rows = slice(columns.offsets[row], columns.offsets[row + 1])
            pairs = zip(columns.timestamps[rows].tolist(), columns.values[rows], strict=True)
            found[int(labels["instance"].removeprefix("host-"))] = list(pairs)
        return found


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Small]:
    each = Small(tmp_path / "small")
    yield each
    each.database.close()
