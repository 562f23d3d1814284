"""Floats as the shortest text that reads back the same, as Go and JSON APIs print them."""

from qvmon.wire.shortest.kernels import LONGEST_FLOAT_BYTES, put_float, put_integer

__all__ = ["LONGEST_FLOAT_BYTES", "put_float", "put_integer"]
