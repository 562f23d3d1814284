"""Unknown intervals as the series by which rules read them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qvmon.model.labels import Labels
from qvmon.model.series import STALE, Float64s, Int64s, LabelFrame, SeriesColumns
from qvmon.model.unknown import UnknownInterval

SPACING_MS = 5_000
"""The value 1 stands at an interval's start and at every multiple of this within it."""


def series_of(intervals: Sequence[UnknownInterval], start_ms: int, end_ms: int) -> SeriesColumns:
    """Return one series for each scope and reason, with the samples of a stretch of time.

    A staleness marker stands at the end of an interval that has one. The samples of a series
    depend on its intervals alone, so that any two queries see the same ones.

    Args:
        intervals: Ordered by start.
        start_ms: The first moment of the stretch.
        end_ms: The last.
    """
    of_labels: dict[Labels, list[UnknownInterval]] = {}
    for each in intervals:
        of_labels.setdefault(each.labels(), []).append(each)
    parts = [_samples(each, start_ms, end_ms) for each in of_labels.values()]
    lengths = [len(times) for times, _ in parts]
    kept = [row for row, length in enumerate(lengths) if length]
    offsets = np.zeros(len(kept) + 1, np.int64)
    np.cumsum([lengths[row] for row in kept], out=offsets[1:])
    labels = list(of_labels)
    return SeriesColumns(
        LabelFrame.from_labels([labels[row] for row in kept]),
        offsets,
        np.concatenate([np.empty(0, np.int64), *(parts[row][0] for row in kept)]),
        np.concatenate([np.empty(0, np.float64), *(parts[row][1] for row in kept)]),
    )


def _samples(
    intervals: Sequence[UnknownInterval], start_ms: int, end_ms: int
) -> tuple[Int64s, Float64s]:
    times, values = [], []
    for each in intervals:
        stop = end_ms + 1 if each.end_ms is None else min(each.end_ms, end_ms + 1)
        first = -(-max(each.start_ms + 1, start_ms) // SPACING_MS) * SPACING_MS
        grid = np.arange(first, stop, SPACING_MS, dtype=np.int64)
        head = [each.start_ms] if start_ms <= each.start_ms <= end_ms else []
        ended = each.end_ms is not None and start_ms <= each.end_ms <= end_ms
        times += [np.array(head, np.int64), grid, np.array([each.end_ms] * ended, np.int64)]
        values += [np.ones(len(head) + len(grid)), np.full(int(ended), STALE)]
    return np.concatenate(times), np.concatenate(values)
