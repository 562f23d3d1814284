"""What a data set is made of, and the stretch of time it covers."""

from __future__ import annotations

import struct
from dataclasses import dataclass

BEGIN_MS = 1_704_063_600_000
"""2023-12-31T23:00:00Z."""

SPAN_MS = 2 * 3600 * 1000

STALE: float = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]

Sample = tuple[int, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One series; labels include ``__name__``, samples are in order of time."""

    labels: dict[str, str]
    samples: list[Sample]


@dataclass(frozen=True, slots=True)
class Metric:
    """What the grammar may ask for: a name, and what its label values are."""

    name: str
    labels: dict[str, tuple[str, ...]]
    counter: bool = False
    histogram: bool = False
