"""What a scrape brought: columns of samples over the bytes they were read from."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from qvmon.model.errors import QvmonError
from qvmon.model.floats import format_general, parse_float
from qvmon.model.labels import METRIC_NAME, Labels
from qvmon.model.series import Float64s, Int64s, MetricMetadata
from qvmon.wire.exposition import kernels
from qvmon.wire.exposition.mistakes import mistake_at

_NAME = re.compile(rb"[a-zA-Z_:][a-zA-Z0-9_:]*")
_STRING = rb'"([^"\\]*(?:\\.[^"\\]*)*)"'
_LABEL = re.compile(
    rb"[ \t]*(?:" + _STRING + rb"|([a-zA-Z_][a-zA-Z0-9_]*))[ \t]*(?:=[ \t]*" + _STRING + rb")?"
    rb"[ \t]*,?"
)
_HELP_ESCAPE = re.compile(r"\\([\\n])")
"""In the text format a quotation mark of a help text is not escaped."""

_ESCAPE = re.compile(r'\\([\\"n])')
_BOUNDS = {b"histogram": "le", b"summary": "quantile"}
"""The label whose values are numbers, by type: they are stored as OpenMetrics writes them."""

_NOT_A_GO_FLOAT = re.compile(r"[+-](?i:nan)|[+-]?0[xX][^pP]*")
_FIELDS = {kernels.HELP: "help", kernels.TYPE: "type", kernels.UNIT: "unit"}


@dataclass(frozen=True, eq=False)
class Exposition:
    """Samples of one exposition, one row each, in the order in which they were written.

    Attributes:
        body: The text they were read from.
        starts: int64[n]; where the series text (name and labels) of each row begins in ``body``.
        ends: int64[n]; where it ends.
        hashes: uint64[n]; XXH64 of the series text: equal texts have equal hashes.
        timestamps: int64[n]; milliseconds, ``NO_TIMESTAMP`` where none was given.
        values: float64[n].
        comments: int64[m, 5]; kind, name start and end, text start and end of metadata lines.
        openmetrics: Which dialect it is.
    """

    body: bytes
    starts: Int64s
    ends: Int64s
    hashes: NDArray[np.uint64]
    timestamps: Int64s
    values: Float64s
    comments: Int64s
    openmetrics: bool

    def __len__(self) -> int:
        return len(self.starts)

    def series_text(self, row: int) -> bytes:
        """Return the name and labels of one row as they were written."""
        return self.body[self.starts[row] : self.ends[row]]

    def labels(self, row: int) -> Labels:
        """Return the labels of one row, the metric name among them.

        Raises:
            QvmonError: INVALID, when a label is given twice or is not UTF-8.
        """
        try:
            pairs = label_pairs(self.series_text(row))
        except UnicodeDecodeError:
            raise self._mistake(row, "a label is not valid UTF-8") from None
        labels = dict(pairs)
        if len(labels) < len(pairs):
            raise self._mistake(row, "the series gives a label twice")
        bound = _BOUNDS.get(self._type_above(row), "")
        if bound in labels:
            labels[bound] = _as_openmetrics_writes(labels[bound])
        return Labels(labels)

    def _type_above(self, row: int) -> bytes:
        """Return the type of the last TYPE line before a row, whichever metric it names."""
        at = bisect_left(self.types[0], int(self.starts[row]))
        return self.types[1][at - 1] if at else b""

    @cached_property
    def types(self) -> tuple[list[int], list[bytes]]:
        """Where TYPE lines stand, and the type each tells."""
        lines = [line for line in self.comments.tolist() if line[0] == kernels.TYPE]
        return [line[1] for line in lines], [self.body[line[3] : line[4]] for line in lines]

    @cached_property
    def metadata(self) -> list[MetricMetadata]:
        """What HELP, TYPE and UNIT lines say, one entry for each metric they name."""
        found: dict[str, dict[str, str]] = {}
        for kind, *where in self.comments.tolist():
            name, text = self._comment_texts(*where)
            if kind == kernels.TYPE and text == "untyped":
                text = "unknown"
            found.setdefault(name, {})[_FIELDS[kind]] = text
        return [MetricMetadata(name, **fields) for name, fields in found.items()]

    @cached_property
    def metadata_hash(self) -> int:
        """A number that changes when the metadata lines do: cheaper than reading them."""
        texts = b"\0".join(self.body[row[1] : row[4]] for row in self.comments.tolist())
        return hash(texts)

    def _comment_texts(self, name: int, name_end: int, text: int, text_end: int) -> tuple[str, str]:
        metric = self.body[name:name_end].decode("utf-8", "replace")
        if metric.startswith('"'):
            metric = _unescaped(metric[1:-1])
        said = self.body[text:text_end].decode("utf-8", "replace")
        return metric, _unescaped(said) if self.openmetrics else _HELP_ESCAPE.sub(_plain, said)

    def _mistake(self, row: int, message: str) -> QvmonError:
        return mistake_at(self.body, int(self.starts[row]), message)


def _as_openmetrics_writes(text: str) -> str:
    """Return a number as OpenMetrics writes it, such as ``1.0``; other text as it is.

    Source: Prometheus, model/textparse (normalizeFloatsInLabelValues).
    """
    try:
        number = parse_float(text)
    except (QvmonError, OverflowError):
        return text
    too_large = math.isinf(number) and "n" not in text.lower()
    if too_large or _NOT_A_GO_FLOAT.fullmatch(text):
        return text
    shown = format_general(number)
    return shown if "e" in shown or not math.isfinite(number) or "." in shown else f"{shown}.0"


def label_pairs(text: bytes) -> list[tuple[str, str]]:
    """Return the labels of a series text whose syntax the kernel has accepted."""
    name = _NAME.match(text)
    pairs = [(METRIC_NAME, name.group().decode())] if name else []
    at = text.find(b"{", name.end() if name else 0) + 1
    while at and (match := _LABEL.match(text, at)):  # a search would try every blank in turn
        at = match.end()
        quoted, plain, value = match.groups()
        key = _unescaped(quoted.decode()) if plain is None else plain.decode()
        pairs.append((METRIC_NAME, key) if value is None else (key, _unescaped(value.decode())))
    return pairs


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(_plain, text)


def _plain(escape: re.Match[str]) -> str:
    return "\n" if escape[1] == "n" else escape[1]
