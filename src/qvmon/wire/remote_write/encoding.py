"""From columns to the body of a remote-write request."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from qvmon.model.series import Float64s, Int64s, MetricMetadata, SeriesKeys
from qvmon.wire.compression import compress_snappy
from qvmon.wire.remote_write import kernels
from qvmon.wire.remote_write.decoding import METRIC_TYPES

_VARINT, _STRING = 0, 2


def encode(
    keys: SeriesKeys,
    rows: Int64s,
    timestamps: Int64s,
    values: Float64s,
    metadata: Iterable[MetricMetadata] = (),
) -> bytes:
    """Return a snappy-compressed remote-write 1.0 request.

    Args:
        keys: n series.
        rows: int64[m]; the series of each sample. Samples of a series keep their order.
        timestamps: int64[m]; milliseconds.
        values: float64[m].
        metadata: What to say about the metrics.
    """
    order = np.argsort(rows, kind="stable")
    firsts = np.zeros(len(keys) + 1, np.int64)
    np.cumsum(np.bincount(rows, minlength=len(keys)), out=firsts[1:])
    out = np.empty(3 * len(keys.arena) + 22 * len(rows) + 11 * len(keys), np.uint8)
    bits = values[order].view(np.uint64)
    size = kernels.write(keys.arena, keys.offsets, firsts, timestamps[order], bits, out)
    described = b"".join(_framed(3, _metadata_entry(each)) for each in metadata)
    return compress_snappy(out[:size].tobytes() + described)


def _metadata_entry(metadata: MetricMetadata) -> bytes:
    kind = METRIC_TYPES.index(metadata.type) if metadata.type in METRIC_TYPES else 0
    texts = ((2, metadata.name), (4, metadata.help), (5, metadata.unit))
    strings = b"".join(_framed(number, text.encode()) for number, text in texts if text)
    return bytes((1 << 3 | _VARINT, kind)) + strings


def _framed(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | _STRING,)) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
