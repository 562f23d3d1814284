"""What a store holds: how many series, which labels make them many, and which blocks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Count:
    """A name (of a metric, a label, or ``label=value``) and how many it stands for."""

    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Cardinality:
    """What a store's newest samples are made of; each list is cut to its largest entries.

    Attributes:
        series: Series with samples in the head.
        label_pairs: Distinct label pairs of those series.
        chunks: Pieces of memory in use by their samples.
        min_time_ms: The oldest sample of the head.
        max_time_ms: The newest sample of the head.
        series_by_metric: Metric to its number of series, largest first.
        values_by_label: Label to its number of distinct values.
        bytes_by_label: Label to the bytes of its values, each counted for every series it is in.
        series_by_pair: ``label=value`` to its number of series.
    """

    series: int
    label_pairs: int
    chunks: int
    min_time_ms: int
    max_time_ms: int
    series_by_metric: tuple[Count, ...]
    values_by_label: tuple[Count, ...]
    bytes_by_label: tuple[Count, ...]
    series_by_pair: tuple[Count, ...]


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A stretch of time on disk.

    Attributes:
        number: The block's number; a later block has a larger one.
        sources: Numbers of the blocks it was merged from.
        start_ms: No sample is older. ``end_ms``: no sample is newer.
        series: How many series have samples.
        samples: How many samples there are.
    """

    number: int
    sources: tuple[int, ...]
    start_ms: int
    end_ms: int
    series: int
    samples: int
