"""Numbers written in text, read correctly rounded."""

from qvmon.wire.decimals.exact import decimal
from qvmon.wire.decimals.kernels import BAD, OK, UNDECIDED, read_decimal

__all__ = ["BAD", "OK", "UNDECIDED", "decimal", "read_decimal"]
