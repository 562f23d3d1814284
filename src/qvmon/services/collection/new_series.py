"""From series texts never seen before to the labels under which they are stored, many at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from qvmon.model.labels import METRIC_NAME
from qvmon.model.series import Int64s, SeriesKeys
from qvmon.services.collection.arrays import PairTable
from qvmon.services.collection.kernels import (
    FIRST_OWN_ROW,
    LE_ROW,
    QUANTILE_ROW,
    stored_keys,
)
from qvmon.services.collection.sample_labels import LabelPath
from qvmon.wire.exposition import Exposition

_BOUND_ROWS = {b"histogram": LE_ROW, b"summary": QUANTILE_ROW}
_SPARE_BYTES = 16

LongWay = Callable[[int], bytes | None]


class NewSeriesPath:
    """The way of one target's new series.

    Where no rule and no limit of the job looks at labels, plain series texts become keys in a
    kernel; all others go the long way, one by one.

    Args:
        path: The long way's rules.
    """

    def __init__(self, path: LabelPath) -> None:
        job = path.job
        self._short = not (
            job.metric_rules
            or job.label_limit
            or job.label_name_length_limit
            or job.label_value_length_limit
        )
        fixed = [(METRIC_NAME, ""), ("le", ""), ("quantile", ""), *path.target.pairs()]
        assert len(fixed) == FIRST_OWN_ROW + len(path.target)  # noqa: S101 - the kernel's rows
        self._texts = "".join(name + value for name, value in fixed).encode()
        lengths = [len(text.encode()) for pair in fixed for text in pair]
        ends = np.cumsum(lengths).reshape(-1, 2)
        starts = ends - np.array(lengths).reshape(-1, 2)
        self._fixed: PairTable = np.ascontiguousarray(
            np.stack([starts[:, 0], ends[:, 0], starts[:, 1], ends[:, 1]], axis=1), np.int64
        )
        self._target_bytes = len(path.target.encode()) + 2 * len(METRIC_NAME)

    def keys(self, page: Exposition, rows: Int64s, long_way: LongWay) -> list[bytes | None]:
        """Return the canonical labels of ``rows``, None for each that is dropped.

        Raises:
            QvmonError: What ``long_way`` raises.
        """
        if not self._short:
            return [long_way(row) for row in rows.tolist()]
        written, plain = self._written(page, rows)
        return [
            written.key(at) if plain[at] else long_way(row) for at, row in enumerate(rows.tolist())
        ]

    def _written(self, page: Exposition, rows: Int64s) -> tuple[SeriesKeys, list[bool]]:
        source = np.frombuffer(self._texts + page.body, np.uint8)
        starts, ends = page.starts[rows], page.ends[rows]
        room = int(np.sum(ends - starts)) + len(rows) * (self._target_bytes + _SPARE_BYTES)
        out, offsets = np.empty(room, np.uint8), np.zeros(len(rows) + 1, np.int64)
        plain = np.zeros(len(rows), np.bool_)
        shift = len(self._texts)
        bounds = _bounds(page, starts)
        stored_keys(source, starts + shift, ends + shift, bounds, self._fixed, out, offsets, plain)
        return SeriesKeys(out, offsets), plain.tolist()


def _bounds(page: Exposition, starts: Int64s) -> Int64s:
    """Return int64[n]: which label's values are numbers at each place of a page, by its row."""
    places, types = page.types
    of_type = np.array([-1, *(_BOUND_ROWS.get(each, -1) for each in types)], np.int64)
    bounds: Int64s = of_type[np.searchsorted(np.array(places, np.int64), starts)]
    return bounds
