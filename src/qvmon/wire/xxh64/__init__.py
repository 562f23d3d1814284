"""XXH64 over ranges of a byte array: how the wire codecs recognise text they have seen before."""

from qvmon.wire.xxh64.kernels import little_endian, xxh64

__all__ = ["little_endian", "xxh64"]
