"""Prometheus remote-write 1.0: snappy-compressed protobuf in, columns out, and back.

Protocol: https://prometheus.io/docs/specs/prw/remote_write_spec/, messages in prompb/types.proto.
"""

from qvmon.wire.remote_write.decoding import Refusal, WriteRequest, all_samples, decode
from qvmon.wire.remote_write.encoding import encode
from qvmon.wire.remote_write.recognition import SeriesMemory

__all__ = ["Refusal", "SeriesMemory", "WriteRequest", "all_samples", "decode", "encode"]
