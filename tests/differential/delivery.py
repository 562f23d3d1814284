"""In which order samples are sent, so that qvmon holds them in its head, its log and its blocks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from enum import StrEnum

from tests.differential.series import BEGIN_MS, SPAN_MS, Sample, Series

PARTS = 4
_LATE = 0.2
"""Share of the series of which some samples come late, and of those samples."""


class Delivery(StrEnum):
    """How the samples arrive.

    ``AT_ONCE``: in one request. ``IN_PARTS``: hour by hour, late samples last, while qvmon cuts
    short blocks. ``RESTARTED``: the same, after which qvmon is killed and started again.
    """

    AT_ONCE = "at once"
    IN_PARTS = "in parts"
    RESTARTED = "restarted"


def requests(seed: int, series: Sequence[Series], delivery: Delivery) -> Iterator[list[Series]]:
    """Yield what each request carries; every sample is in one of them."""
    if delivery is Delivery.AT_ONCE:
        yield list(series)
        return
    timely, late = _parted_by_lateness(random.Random(seed), series)
    length = SPAN_MS // PARTS
    for part in range(PARTS):
        begin = BEGIN_MS + part * length if part else 0
        end = BEGIN_MS + (part + 1) * length if part < PARTS - 1 else 1 << 62
        yield _between(timely, begin, end)
    yield late


def _parted_by_lateness(
    rng: random.Random, series: Sequence[Series]
) -> tuple[list[Series], list[Series]]:
    timely, late = [], []
    for each in series:
        chosen: list[Sample] = []
        if rng.random() < _LATE:
            chosen = [sample for sample in each.samples[:-1] if rng.random() < _LATE]
        moments = {t for t, _ in chosen}
        timely.append(Series(each.labels, [s for s in each.samples if s[0] not in moments]))
        if chosen:
            late.append(Series(each.labels, chosen))
    return timely, late


def _between(series: Sequence[Series], begin: int, end: int) -> list[Series]:
    cut = [Series(s.labels, [x for x in s.samples if begin <= x[0] < end]) for s in series]
    return [each for each in cut if each.samples]
