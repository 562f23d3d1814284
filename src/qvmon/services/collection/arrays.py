"""The array types that only collection speaks of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

UInt64s = NDArray[np.uint64]

PairTable = NDArray[np.int64]
"""int64[n, 4]; where the name and the value of each label begin and end."""
