"""Which labels make the series many: counted over columns, names read only for what is told."""

from __future__ import annotations

import numpy as np

from qvmon.model.cardinality import Cardinality, Count
from qvmon.model.labels import METRIC_NAME
from qvmon.model.series import Int64s
from qvmon.tsdb.head.head import Head
from qvmon.tsdb.identity.index import Index


def cardinality(index: Index, head: Head, limit: int) -> Cardinality:
    """Return what the head's series are made of, the ``limit`` largest entries of each list.

    The lists are those of Prometheus' ``status/tsdb``; equal counts stand in order of arrival.
    """
    ids = head.active()
    names, values, counts = index.count_pairs(ids)
    sizes = index.symbols.lengths(values) * counts
    metrics = np.flatnonzero(names == index.symbols.find(METRIC_NAME))
    by_name = np.bincount(names, minlength=1)
    bytes_by_name = np.bincount(names, sizes, minlength=1).astype(np.int64)
    symbols = index.symbols
    return Cardinality(
        series=len(ids),
        label_pairs=len(names),
        chunks=head.chunks,
        min_time_ms=head.earliest(),
        max_time_ms=head.newest,
        series_by_metric=tuple(
            Count(symbols[int(values[metrics[at]])], int(counts[metrics[at]]))
            for at in _largest(counts[metrics], limit)
        ),
        values_by_label=tuple(
            Count(symbols[at], int(by_name[at])) for at in _largest(by_name, limit)
        ),
        bytes_by_label=tuple(
            Count(symbols[at], int(bytes_by_name[at])) for at in _largest(bytes_by_name, limit)
        ),
        series_by_pair=tuple(
            Count(f"{symbols[int(names[at])]}={symbols[int(values[at])]}", int(counts[at]))
            for at in _largest(counts, limit)
        ),
    )


def _largest(counts: Int64s, limit: int) -> list[int]:
    """Return where the largest counts stand, the largest first, zeros apart."""
    present = np.flatnonzero(counts)
    order = np.argsort(-counts[present], kind="stable")[:limit]
    return [int(at) for at in present[order]]
