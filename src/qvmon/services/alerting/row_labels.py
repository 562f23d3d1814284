"""The labels of a rule's result, made anew only for rows that were not there before."""

from __future__ import annotations

import numpy as np

from qvmon.model.labels import Labels
from qvmon.model.series import LabelFrame


class RowLabels:
    """Remembers one rule's last frame, for most ticks yield the same series again."""

    def __init__(self) -> None:
        self._frame: LabelFrame | None = None
        self._labels: tuple[Labels, ...] = ()
        self._by_codes: dict[bytes, Labels] = {}

    def of(self, frame: LabelFrame) -> tuple[Labels, ...]:
        """Return the labels of every row; the same tuple as before when the series are."""
        last, self._frame = self._frame, frame
        comparable = last is not None and last.symbols is frame.symbols
        if last is None or not comparable or last.names != frame.names:
            self._by_codes = {}
        elif np.array_equal(last.codes, frame.codes):
            return self._labels
        known, width = self._by_codes, frame.codes.itemsize * len(frame.names)
        codes = np.ascontiguousarray(frame.codes).tobytes()
        keys = [codes[row * width : (row + 1) * width] for row in range(len(frame))]
        self._labels = tuple(known.get(key) or frame.labels(row) for row, key in enumerate(keys))
        self._by_codes = dict(zip(keys, self._labels, strict=True))
        return self._labels
