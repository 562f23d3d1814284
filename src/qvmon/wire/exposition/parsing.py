"""From the body of a scrape to columns, or to an error that names line and column."""

from __future__ import annotations

import numpy as np

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.series import Float64s, Int64s
from qvmon.wire.decimals import decimal
from qvmon.wire.exposition import kernels
from qvmon.wire.exposition.mistakes import mistake_at
from qvmon.wire.exposition.samples import Exposition

_MISTAKES = {
    kernels.NO_NAME: "expected a metric name",
    kernels.BAD_LABEL_NAME: "expected a label name",
    kernels.NO_EQUALS: "expected '=' after the label name",
    kernels.NO_QUOTE: "expected a quoted label value",
    kernels.OPEN_STRING: "the quoted string has no end",
    kernels.NO_COMMA: "expected ',' or '}' after the label",
    kernels.OPEN_BRACES: "the label set has no end",
    kernels.NO_VALUE: "the sample has no value",
    kernels.BAD_VALUE: "expected a number as value",
    kernels.BAD_TIMESTAMP: "expected a timestamp",
    kernels.TRAILING: "unexpected text after the sample",
    kernels.BLANK_LINE: "OpenMetrics allows no blank line",
    kernels.BAD_COMMENT: "expected HELP, TYPE, UNIT or EOF as the format writes them",
    kernels.BAD_TYPE: "unknown metric type",
    kernels.AFTER_EOF: "unexpected text after # EOF",
    kernels.NO_EOF: "the exposition does not end with # EOF",
    kernels.TWO_NAMES: "the series has two metric names",
    kernels.BAD_EXEMPLAR: "malformed exemplar",
    kernels.BAD_UNIT: "the metric's name does not end in its unit",
    kernels.NO_SPACE: "expected one space before the value",
}

# Bytes of the shortest possible text of each kind: what bounds the room that is set aside.
_SHORTEST_SAMPLE = len("a 1\n")
_SHORTEST_COMMENT = len("# HELP a\n")
_SHORTEST_UNDECIDED = len(" 1e309")


def parse(body: bytes, content_type: str) -> Exposition:
    """Return the samples and metadata of an exposition.

    Args:
        body: What the target answered, decompressed.
        content_type: Its ``Content-Type``; OpenMetrics where it says so, else the text format.
            Parameters such as ``escaping`` change nothing: names are kept as they are written.

    Raises:
        QvmonError: INVALID, with ``line``, ``column`` and ``snippet``, at the first mistake, and
            ``samples``, the number of those before it; UNSUPPORTED for the protobuf format.
    """
    openmetrics = _is_openmetrics(content_type)
    source = np.frombuffer(body, np.uint8)
    lines = body.count(b"\n") + 1
    room = min(lines, len(body) // _SHORTEST_SAMPLE + 1)
    starts, ends, timestamps = (np.empty(room, np.int64) for _ in range(3))
    hashes, values = np.empty(room, np.uint64), np.empty(room, np.float64)
    comments = np.empty((min(lines, len(body) // _SHORTEST_COMMENT + 1), 5), np.int64)
    undecided = np.empty((min(2 * lines, len(body) // _SHORTEST_UNDECIDED + 1), 4), np.int64)
    rows, notes, numbers, mistake, at = kernels.scan(
        source, openmetrics, starts, ends, hashes, timestamps, values, comments, undecided
    )
    if mistake != kernels.FINE:
        raise mistake_at(body, at, _MISTAKES[mistake], samples=rows)
    _decide(body, undecided[:numbers], timestamps, values)
    if not body.isascii():
        _check_help(body, comments[:notes], starts[:rows])
    return Exposition(
        body=body,
        starts=starts[:rows],
        ends=ends[:rows],
        hashes=hashes[:rows],
        timestamps=timestamps[:rows],
        values=values[:rows],
        comments=comments[:notes].copy(),
        openmetrics=openmetrics,
    )


def _check_help(body: bytes, comments: Int64s, samples: Int64s) -> None:
    """Refuse a help text that is no UTF-8; series are checked when their labels are read."""
    for kind, _, _, start, end in comments.tolist():
        try:
            if kind == kernels.HELP:
                body[start:end].decode()
        except UnicodeDecodeError:
            before = int(np.searchsorted(samples, start))
            raise mistake_at(body, start, "the help text is not valid UTF-8", before) from None


def _is_openmetrics(content_type: str) -> bool:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/vnd.google.protobuf":
        raise QvmonError(ErrorKind.UNSUPPORTED, "the protobuf exposition format is not read")
    return media_type == "application/openmetrics-text"


def _decide(body: bytes, numbers: Int64s, timestamps: Int64s, values: Float64s) -> None:
    """Fill in the numbers that the kernel could not round."""
    for row, start, end, column in numbers.tolist():
        try:
            number = decimal(body[start:end])
        except QvmonError as error:
            raise mistake_at(body, start, error.message, samples=row) from None
        if column == kernels.OF_VALUE:
            values[row] = number
        elif abs(number) > kernels.LARGEST_SECONDS:
            raise mistake_at(body, start, _MISTAKES[kernels.BAD_TIMESTAMP], samples=row)
        else:
            timestamps[row] = int(number * 1000)
