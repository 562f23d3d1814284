"""The slow and always exact way, for the few numbers the kernel leaves undecided."""

from __future__ import annotations

import math

from qvmon.model.errors import invalid


def decimal(text: bytes) -> float:
    """Return the double nearest to a number whose syntax the kernel has accepted.

    Raises:
        QvmonError: INVALID, when it is too large for a double (Go's ``ParseFloat`` refuses it too).
    """
    value = float(text)
    if math.isinf(value):
        shown = text[:40].decode("ascii", "replace")
        raise invalid(f"number {shown!r} is out of the range of a double")
    return value
