"""The numbers of protobuf's wire format: https://protobuf.dev/programming-guides/encoding/."""

from qvmon.wire.protobuf.kernels import (
    FINE,
    LONG_VARINT,
    TRUNCATED,
    put_varint,
    read_varint,
    varint_size,
)

__all__ = ["FINE", "LONG_VARINT", "TRUNCATED", "put_varint", "read_varint", "varint_size"]
