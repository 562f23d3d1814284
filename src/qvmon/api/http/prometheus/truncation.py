"""The ``limit`` parameter: fewer results, and a warning that there were more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from qvmon.model.series import LabelFrame
from qvmon.promql import Matrix, Result, Samples, Scalar, Text, Vector

_WARNING = "results truncated due to limit"


def truncated(result: Result, limit: int | None) -> tuple[Result, list[str]]:
    """Return at most ``limit`` series of a result, with a warning when that left some out."""
    if limit is None or isinstance(result, Scalar | Text) or len(result) <= limit:
        return result, []
    labels = truncated_frame(result.labels, limit)[0]
    return _first(result, labels, limit), [_WARNING]


def _first(result: Vector | Matrix | Samples, labels: LabelFrame, limit: int) -> Result:
    match result:
        case Vector():
            return Vector(labels, result.values[:limit], result.time_ms, result.notes)
        case Matrix():
            values, present = result.values[:limit], result.present[:limit]
            return Matrix(labels, result.times, values, present, result.notes)
        case Samples():
            return replace(result, labels=labels, offsets=result.offsets[: limit + 1])


def truncated_frame(frame: LabelFrame, limit: int | None) -> tuple[LabelFrame, list[str]]:
    """Return at most ``limit`` rows of a frame, with a warning when that left some out."""
    if limit is None or len(frame) <= limit:
        return frame, []
    return frame.take(np.arange(limit)), [_WARNING]


def truncated_list(items: list[str], limit: int | None) -> tuple[list[str], list[str]]:
    """Return at most ``limit`` items, with a warning when that left some out."""
    if limit is None or len(items) <= limit:
        return items, []
    return items[:limit], [_WARNING]
