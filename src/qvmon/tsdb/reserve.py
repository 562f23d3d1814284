"""Arrays that grow in place: address space now, memory when a page is first written.

An array that never moves needs no lock between the thread that appends to it and those that read
rows already written, and never pays for copying itself.
"""

from __future__ import annotations

import mmap
import os
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from qvmon.model.errors import ErrorKind, QvmonError

Scalar = TypeVar("Scalar", bound=np.generic)

_NO_RESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if os.uname().sysname == "Linux" else 0)


def reserved(length: int, dtype: type[Scalar]) -> NDArray[Scalar]:
    """Return ``length`` zeros of ``dtype`` that take memory only where they are written.

    Raises:
        QvmonError: EXHAUSTED, when the system refuses the address space.
    """
    size = max(1, length) * np.dtype(dtype).itemsize
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE
    try:
        pages = mmap.mmap(-1, size, flags=flags)
    except (OSError, ValueError) as error:
        message = f"cannot reserve {size} bytes of address space: {error}"
        raise QvmonError(ErrorKind.EXHAUSTED, message) from error
    return np.frombuffer(pages, dtype, count=length)


def machine_bytes() -> int:
    """Return the bytes of memory this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
