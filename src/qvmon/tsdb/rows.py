"""Ragged rows of samples of several series, and how rows of several places become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from qvmon.model.series import Float64s, Int64s
from qvmon.tsdb import kernels

EARLIEST = -(2**63)
"""Before any sample."""

LATEST = 2**63 - 1
"""After any sample."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Samples of n series in time order.

    Attributes:
        offsets: int64[n + 1]; series i owns rows ``offsets[i]:offsets[i + 1]``.
        times: int64[total]; milliseconds.
        bits: int64[total]; the 64 bits of each float64 value.
    """

    offsets: Int64s
    times: Int64s
    bits: Int64s

    @property
    def counts(self) -> Int64s:
        """int64[n]: the samples of each series."""
        return np.diff(self.offsets)

    @property
    def values(self) -> Float64s:
        """float64[total]: the same bits as numbers."""
        return self.bits.view(np.float64)

    def some(self, chosen: Int64s) -> Rows:
        """Return the rows less the series not ``chosen``, which must own no sample."""
        return Rows(np.append(self.offsets[chosen], self.offsets[-1]), self.times, self.bits)

    @property
    def ordered(self) -> bool:
        """Whether each series is known to ascend in time: it is not."""
        return False

    def part(self, first: int, last: int) -> Rows:
        """Return series ``first`` to ``last`` (excluded), as views."""
        return Rows(self.offsets[first : last + 1], self.times, self.bits)

    def copy_to(self, rows: Rows, starts: Int64s) -> None:
        """Write series i to ``rows`` from ``starts[i]`` on."""
        ranges = self.offsets[:-1].copy(), self.offsets[1:].copy()
        kernels.copy_rows(self.times, self.bits, *ranges, starts, rows.times, rows.bits)

    @classmethod
    def empty(cls, series: int) -> Rows:
        """Return no samples of ``series`` series."""
        none = np.empty(0, np.int64)
        return cls(np.zeros(series + 1, np.int64), none, none)

    @classmethod
    def sized(cls, counts: Int64s) -> Rows:
        """Return room for ``counts`` samples of each series."""
        offsets = np.zeros(len(counts) + 1, np.int64)
        np.cumsum(counts, out=offsets[1:])
        total = int(offsets[-1])
        return cls(offsets, np.empty(total, np.int64), np.empty(total, np.int64))


class Part(Protocol):
    """Samples of n series that are still somewhere else; readable for as long as it is kept."""

    @property
    def counts(self) -> Int64s:
        """int64[n]: the samples of each series."""
        ...

    @property
    def ordered(self) -> bool:
        """Whether each series is known to ascend in time."""
        ...

    def part(self, first: int, last: int) -> Part:
        """Return series ``first`` to ``last`` (excluded)."""
        ...

    def copy_to(self, rows: Rows, starts: Int64s) -> None:
        """Write series i to ``rows`` from ``starts[i]`` on."""
        ...


def merged(parts: Sequence[Part]) -> Rows:
    """Return the samples of all ``parts`` (same series), of equal times the earliest part's.

    A part itself may be out of time order.
    """
    rows = Rows.sized(np.sum(np.stack([part.counts for part in parts]), axis=0))
    starts, newest = rows.offsets[:-1].copy(), np.full(len(rows.offsets) - 1, EARLIEST)
    ordered = True
    for part in parts:
        part.copy_to(rows, starts)
        ordered = ordered and part.ordered
        ordered = ordered and kernels.follows(starts, part.counts, rows.times, newest)
        starts += part.counts
    if ordered:
        return rows
    total = int(kernels.settle(rows.offsets, rows.times, rows.bits))
    return Rows(rows.offsets, rows.times[:total], rows.bits[:total])
