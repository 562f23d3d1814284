"""Canonical label bytes taken apart: all names in one arena, all values in another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qvmon.model.series import Bytes, Int32s, Int64s, SeriesKeys
from qvmon.tsdb.identity import kernels


@dataclass(frozen=True, slots=True, eq=False)
class LabelPairs:
    """The labels of n series, end to end.

    Attributes:
        ends: int32[n + 1]; series i has the pairs ``ends[i]:ends[i + 1]``.
        name_ends: int32[pairs + 1]; where each name is in ``names``.
        names: uint8; UTF-8.
        value_ends: int32[pairs + 1]; where each value is in ``values``.
        values: uint8; UTF-8.
    """

    ends: Int32s
    name_ends: Int32s
    names: Bytes
    value_ends: Int32s
    values: Bytes

    @classmethod
    def of(cls, keys: SeriesKeys, rows: Int64s) -> LabelPairs:
        """Return the labels of some of ``keys``."""
        sizes = np.zeros(3, np.int64)
        kernels.measure_labels(keys.arena, keys.offsets, rows, sizes)
        pairs, name_bytes, value_bytes = sizes.tolist()
        taken = cls(
            np.zeros(len(rows) + 1, np.int32),
            np.zeros(pairs + 1, np.int32),
            np.empty(name_bytes, np.uint8),
            np.zeros(pairs + 1, np.int32),
            np.empty(value_bytes, np.uint8),
        )
        columns = taken.ends, taken.name_ends, taken.names, taken.value_ends, taken.values
        kernels.split_labels(keys.arena, keys.offsets, rows, *columns)
        return taken
