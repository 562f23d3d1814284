"""Prometheus remote read: what another Prometheus asks, and samples as it takes them.

Protocol: prompb/remote.proto and https://prometheus.io/docs/prometheus/latest/querying/remote_read_api/.
"""

from qvmon.wire.remote_read.requests import ReadQuery, ReadRequest, decode_request
from qvmon.wire.remote_read.responses import (
    CHUNKS_TYPE,
    SAMPLES_TYPE,
    ReadSeries,
    chunk_frames,
    encode_samples,
)

__all__ = [
    "CHUNKS_TYPE",
    "SAMPLES_TYPE",
    "ReadQuery",
    "ReadRequest",
    "ReadSeries",
    "chunk_frames",
    "decode_request",
    "encode_samples",
]
