"""Columns of series: batches of samples on the way in, frames of labels on the way out.

No Python object stands for a series or a sample; a row number does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from qvmon.model.labels import Labels, Matcher

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]
Float64s = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Bools = NDArray[np.bool_]

STALE_BITS = 0x7FF0000000000002
"""The NaN by which Prometheus marks that a series has ended; compare bits, not values."""

STALE = np.array([STALE_BITS], dtype=np.uint64).view(np.float64)[0]
"""The staleness marker as a float64 (copy it bit for bit, never through arithmetic)."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesKeys:
    """Canonical label bytes of n series in one arena.

    Attributes:
        arena: uint8[total]; the keys end to end.
        offsets: int64[n + 1]; key i is ``arena[offsets[i]:offsets[i + 1]]``.
    """

    arena: Bytes
    offsets: Int64s

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def key(self, row: int) -> bytes:
        """Return the canonical bytes of one series."""
        return self.arena[self.offsets[row] : self.offsets[row + 1]].tobytes()

    @classmethod
    def from_bytes(cls, keys: Sequence[bytes]) -> SeriesKeys:
        """Return an arena of ``keys``."""
        offsets = np.zeros(len(keys) + 1, np.int64)
        np.cumsum([len(key) for key in keys], out=offsets[1:])
        return cls(np.frombuffer(b"".join(keys), np.uint8), offsets)

    @classmethod
    def from_labels(cls, labels: Iterable[Labels]) -> SeriesKeys:
        """Return an arena of the canonical bytes of ``labels``."""
        return cls.from_bytes([each.encode() for each in labels])


@dataclass(frozen=True, slots=True, eq=False)
class SampleBatch:
    """Samples on the way into a store, one row each.

    Attributes:
        series: int64[n]; ids given by the same store's ``series_ids``.
        timestamps: int64[n]; milliseconds since the epoch, UTC.
        values: float64[n]; a staleness marker is ``STALE`` bit for bit.
    """

    series: Int64s
    timestamps: Int64s
    values: Float64s

    def __len__(self) -> int:
        return len(self.series)


@dataclass(frozen=True, slots=True)
class MetricMetadata:
    """What a target says about a metric family."""

    name: str
    type: str = "unknown"
    help: str = ""
    unit: str = ""


class Symbols(Protocol):
    """Numbered strings; number 0 is always the empty string (an absent label)."""

    def __getitem__(self, code: int, /) -> str:
        """Return the string numbered ``code``."""
        ...

    def __len__(self) -> int:
        """Return one more than the largest code in use."""
        ...


class SymbolTable:
    """Symbols kept in a list, with interning; what engines and small sources use."""

    __slots__ = ("_codes", "_strings")

    def __init__(self, strings: Iterable[str] = ()) -> None:
        self._strings = [""]
        self._codes = {"": 0}
        for string in strings:
            self.intern(string)

    def __getitem__(self, code: int, /) -> str:
        return self._strings[code]

    def __len__(self) -> int:
        return len(self._strings)

    def intern(self, string: str) -> int:
        """Return the code of ``string``, giving it the next one when it is new."""
        code = self._codes.get(string)
        if code is None:
            code = self._codes[string] = len(self._strings)
            self._strings.append(string)
        return code


@dataclass(frozen=True, slots=True, eq=False)
class LabelFrame:
    """The labels of n series as columns of symbol codes.

    Attributes:
        names: k label names, sorted; ``__name__`` is one of them when any series has a name.
        codes: int32[n, k]; code 0 means the series lacks that label.
        symbols: What the codes stand for. Two frames share codes only when they share this object.
    """

    names: tuple[str, ...]
    codes: Int32s
    symbols: Symbols

    def __len__(self) -> int:
        return len(self.codes)

    def labels(self, row: int) -> Labels:
        """Return the labels of one series."""
        codes = self.codes[row]
        return Labels((n, self.symbols[int(c)]) for n, c in zip(self.names, codes, strict=True))

    def all_labels(self) -> list[Labels]:
        """Return the labels of every series, in row order."""
        return [self.labels(row) for row in range(len(self))]

    def column(self, name: str) -> Int32s:
        """Return int32[n]: the codes of one label, zeros when no series has it."""
        if name in self.names:
            codes: Int32s = self.codes[:, self.names.index(name)]
            return codes
        return np.zeros(len(self), np.int32)

    def take(self, rows: NDArray[np.integer] | Bools) -> LabelFrame:
        """Return the frame of the chosen rows (indices, or a mask of length n)."""
        return LabelFrame(self.names, self.codes[rows], self.symbols)

    def part(self, first: int, last: int) -> LabelFrame:
        """Return the frame of series ``first`` to ``last`` (excluded), as a view."""
        return LabelFrame(self.names, self.codes[first:last], self.symbols)

    def keep(self, names: Iterable[str]) -> LabelFrame:
        """Return the frame with only those of ``names`` it has."""
        wanted = frozenset(names)
        at = [i for i, name in enumerate(self.names) if name in wanted]
        return LabelFrame(tuple(self.names[i] for i in at), self.codes[:, at], self.symbols)

    def drop(self, names: Iterable[str]) -> LabelFrame:
        """Return the frame without the labels called ``names``."""
        unwanted = frozenset(names)
        return self.keep(name for name in self.names if name not in unwanted)

    @classmethod
    def from_labels(cls, labels: Sequence[Labels]) -> LabelFrame:
        """Return a frame of ``labels`` with symbols of its own."""
        names = tuple(sorted({name for each in labels for name in each}))
        symbols = SymbolTable()
        codes = np.zeros((len(labels), len(names)), np.int32)
        at = {name: column for column, name in enumerate(names)}
        for row, each in enumerate(labels):
            for name, value in each.pairs():
                codes[row, at[name]] = symbols.intern(value)
        return cls(names, codes, symbols)


@dataclass(frozen=True, slots=True, eq=False)
class SeriesColumns:
    """Samples of n series on the way out, ragged.

    Attributes:
        labels: The n series.
        offsets: int64[n + 1]; series i owns rows ``offsets[i]:offsets[i + 1]``.
        timestamps: int64[total]; milliseconds, strictly increasing within a series.
        values: float64[total]; staleness markers included.
        starts: int64[total], or none when no sample carries one; when the counter of a sample
            started, in milliseconds, 0 for unknown.
    """

    labels: LabelFrame
    offsets: Int64s
    timestamps: Int64s
    values: Float64s
    starts: Int64s | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def sizes(self) -> Int64s:
        """int64[n]: how many samples each series has."""
        return np.diff(self.offsets)

    def part(self, first: int, last: int) -> SeriesColumns:
        """Return the samples of series ``first`` to ``last`` (excluded), as views."""
        low, high = self.offsets[first], self.offsets[last]
        return SeriesColumns(
            self.labels.part(first, last),
            self.offsets[first : last + 1] - low,
            self.timestamps[low:high],
            self.values[low:high],
            None if self.starts is None else self.starts[low:high],
        )

    def then(self, change: Callable[[SeriesColumns], SeriesColumns]) -> SeriesColumns:
        """Return what ``change`` makes of the samples; it keeps every series and adds no sample."""
        return change(self)


class DeferredColumns(SeriesColumns):
    """Samples that are read when they are looked at: some series at a time, or all and then kept.

    No sample carries the time at which its counter started.

    Args:
        labels: The n series.
        sizes: int64[n]; how many samples each has, or a few more.
        read: Returns the samples of series ``first`` to ``last`` (excluded); for any thread.
    """

    _sizes: Int64s
    _read: Callable[[int, int], SeriesColumns]

    def __init__(
        self, labels: LabelFrame, sizes: Int64s, read: Callable[[int, int], SeriesColumns]
    ) -> None:
        given = {"labels": labels, "starts": None, "_sizes": sizes, "_read": read}
        for name, value in given.items():
            object.__setattr__(self, name, value)

    @cached_property
    def _all(self) -> SeriesColumns:
        return self._read(0, len(self))

    @property
    def offsets(self) -> Int64s:
        """As ``SeriesColumns``; reads all samples, as ``timestamps`` and ``values`` do."""
        return self._all.offsets

    @property
    def timestamps(self) -> Int64s:
        """As ``SeriesColumns``."""
        return self._all.timestamps

    @property
    def values(self) -> Float64s:
        """As ``SeriesColumns``."""
        return self._all.values

    @property
    def sizes(self) -> Int64s:
        """int64[n]: how many samples each series has, or a few more."""
        return self._sizes

    def part(self, first: int, last: int) -> SeriesColumns:
        """Return the samples of series ``first`` to ``last`` (excluded)."""
        if "_all" in self.__dict__:
            return self._all.part(first, last)
        return self._read(first, last)

    def then(self, change: Callable[[SeriesColumns], SeriesColumns]) -> SeriesColumns:
        """Return what ``change`` makes of the samples, once they are looked at."""
        return DeferredColumns(
            self.labels, self.sizes, lambda first, last: change(self.part(first, last))
        )


@dataclass(frozen=True, slots=True)
class Selection:
    """Which samples a query needs: every matcher holds, and start <= t <= end (milliseconds)."""

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int
