"""From columns to the body of a remote-write request."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from qvmon.model.series import Float64s, Int64s, MetricMetadata, SeriesKeys
from qvmon.wire.compression import compress_snappy
from qvmon.wire.protobuf.writing import bytes_field, number_field
from qvmon.wire.remote_write import kernels
from qvmon.wire.remote_write.decoding import METRIC_TYPES


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
    samples = timeseries(keys, firsts, timestamps[order], values[order])
    described = b"".join(bytes_field(3, _metadata_entry(each)) for each in metadata)
    return compress_snappy(samples + described)


def timeseries(keys: SeriesKeys, firsts: Int64s, timestamps: Int64s, values: Float64s) -> bytes:
    """Return the field ``timeseries`` of a write request, or of a read result: it is the same.

    Args:
        keys: n series.
        firsts: int64[n + 1]; series i has samples ``firsts[i]:firsts[i + 1]``.
        timestamps: int64[m]; milliseconds.
        values: float64[m].
    """
    out = np.empty(3 * len(keys.arena) + 22 * len(values) + 11 * len(keys), np.uint8)
    bits = values.view(np.uint64)
    size = kernels.write(keys.arena, keys.offsets, firsts, timestamps, bits, out)
    return out[:size].tobytes()


def _metadata_entry(metadata: MetricMetadata) -> bytes:
    kind = METRIC_TYPES.index(metadata.type) if metadata.type in METRIC_TYPES else 0
    texts = ((2, metadata.name), (4, metadata.help), (5, metadata.unit))
    strings = b"".join(bytes_field(number, text.encode()) for number, text in texts if text)
    return number_field(1, kind) + strings
