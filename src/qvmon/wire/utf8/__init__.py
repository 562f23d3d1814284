"""UTF-8, checked where bytes stay bytes."""

from qvmon.wire.utf8.kernels import is_utf8

__all__ = ["is_utf8"]
