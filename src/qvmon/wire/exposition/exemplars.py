"""Exemplars of an OpenMetrics exposition: read apart from its samples, where there are any.

Source: https://prometheus.io/docs/specs/om/open_metrics_spec/#exemplars.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from qvmon.model.errors import invalid
from qvmon.model.floats import parse_float
from qvmon.model.labels import Labels
from qvmon.wire.exposition.samples import Exposition, label_pairs

_BEGINNING = b" # {"
_EXEMPLAR = re.compile(
    rb' # (\{(?:[^"}\n]|"(?:[^"\\\n]|\\.)*")*\}) ([^ \n]+)(?: ([^ \n]+))?(?=\n|\Z)'
)


@dataclass(frozen=True, slots=True)
class FoundExemplar:
    """An exemplar behind a sample.

    Attributes:
        row: The sample's row in the exposition.
        text: The exemplar as it was written: equal texts are equal exemplars.
    """

    row: int
    text: bytes

    def read(self) -> tuple[Labels, float, int | None]:
        """Return its labels, its value, and its time in milliseconds where it has one.

        Raises:
            QvmonError: INVALID, when a label is given twice or a number is none.
        """
        found = _EXEMPLAR.match(self.text)
        assert found  # noqa: S101 - it was found by this expression
        labels, value, seconds = found.groups()
        time_ms = None if seconds is None else round(parse_float(seconds.decode()) * 1000)
        pairs = label_pairs(labels)
        if len(dict(pairs)) < len(pairs):
            raise invalid("the exemplar gives a label twice")
        return Labels(pairs), parse_float(value.decode()), time_ms


def find_exemplars(exposition: Exposition) -> Iterator[FoundExemplar]:
    """Yield the exemplars of a page whose samples have been read."""
    body = exposition.body
    if _BEGINNING not in body:
        return
    for found in _EXEMPLAR.finditer(body):
        row = int(np.searchsorted(exposition.ends, found.start(), "right")) - 1
        if row >= 0 and b"\n" not in body[exposition.ends[row] : found.start()]:
            yield FoundExemplar(row, found.group())
