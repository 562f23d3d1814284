"""From series texts never seen before to the labels under which they are stored, many at once."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from qvmon.model.labels import METRIC_NAME
from qvmon.model.series import Int64s, SeriesKeys
from qvmon.relabel import Action, RelabelRule, relabel
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
_AFTER_NAME = re.compile(rb"[{ \t]")

LongWay = Callable[[int], bytes | None]


class NewSeriesPath:
    """The way of one target's new series.

    Where no rule and no limit of the job looks at labels, or rules keep and drop by the metric's
    name alone, plain series texts become keys in a kernel; all others go the long way, one by one.

    Args:
        path: The long way's rules.
    """

    def __init__(self, path: LabelPath) -> None:
        job = path.job
        self._rules, self._target = job.metric_rules, path.target
        self._short = all(_asks_name_only(rule, path) for rule in job.metric_rules) and not (
            job.label_limit or job.label_name_length_limit or job.label_value_length_limit
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
        kept = self._kept(page, rows)
        return [
            (written.key(at) if kept[at] else None) if plain[at] else long_way(row)
            for at, row in enumerate(rows.tolist())
        ]

    def _kept(self, page: Exposition, rows: Int64s) -> list[bool]:
        """Return which rows the rules keep by their metrics' names; right for plain ones."""
        if not self._rules:
            return [True] * len(rows)
        names = [_name(page.series_text(row)) for row in rows.tolist()]
        kept = {name: self._keeps(name) for name in set(names)}
        return [kept[name] for name in names]

    def _keeps(self, name: bytes) -> bool:
        labels = self._target.merged({METRIC_NAME: name.decode("utf-8", "replace")})
        return relabel(labels, self._rules) is not None

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


def _name(series_text: bytes) -> bytes:
    return _AFTER_NAME.split(series_text, maxsplit=1)[0]


def _asks_name_only(rule: RelabelRule, path: LabelPath) -> bool:
    """Return whether a rule keeps or drops by what is known of a plain series from its name.

    A plain series has no label that its target has too.
    """
    fixed = {METRIC_NAME, *path.target}
    return rule.action in (Action.KEEP, Action.DROP) and fixed.issuperset(rule.source_labels)


def _bounds(page: Exposition, starts: Int64s) -> Int64s:
    """Return int64[n]: which label's values are numbers at each place of a page, by its row."""
    places, types = page.types
    of_type = np.array([-1, *(_BOUND_ROWS.get(each, -1) for each in types)], np.int64)
    bounds: Int64s = of_type[np.searchsorted(np.array(places, np.int64), starts)]
    return bounds
