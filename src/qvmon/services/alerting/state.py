"""The alert state machine: elements as columns, a block of ticks in, changes out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

import numpy as np
from numpy.typing import NDArray

from qvmon.model.labels import Labels
from qvmon.model.series import Bools, Float64s, Int64s
from qvmon.services.alerting import kernels
from qvmon.services.alerting.kernels import NEVER

Phases = NDArray[np.int8]
Sightings = NDArray[np.uint8]


class Phase(IntEnum):
    """Where an element is between nothing and an alert."""

    INACTIVE = kernels.INACTIVE
    PENDING = kernels.PENDING
    FIRING = kernels.FIRING


class Seen(IntEnum):
    """Whether an expression yielded an element at a tick."""

    ABSENT = kernels.ABSENT
    PRESENT = kernels.PRESENT
    UNKNOWN = kernels.UNKNOWN


class Change(StrEnum):
    """What happened to an element at a tick."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True)
class Timing:
    """What an alerting rule says about time and number; durations in milliseconds."""

    for_ms: int = 0
    keep_firing_for_ms: int = 0
    unknown_hold_ms: int = 0
    limit: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Elements:
    """The n active elements of one rule.

    Attributes:
        labels: Their labels, ``alertname`` included; all different.
        phase: int8[n]; PENDING or FIRING.
        active_at: int64[n]; the tick at which the condition first held, milliseconds.
        keep_since: int64[n]; the tick at which a firing element was first gone, or NEVER.
        unknown_since: int64[n]; the tick at which its targets were first unknown, or NEVER.
        values: float64[n]; the expression's last value.
    """

    labels: tuple[Labels, ...]
    phase: Phases
    active_at: Int64s
    keep_since: Int64s
    unknown_since: Int64s
    values: Float64s

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def restored(
        cls,
        labels: Sequence[Labels],
        phases: Sequence[Phase],
        active_at: Sequence[int],
        values: Sequence[float],
    ) -> Elements:
        """Return elements as facts remember them."""
        n = len(labels)
        return cls(
            tuple(labels),
            np.array(phases, np.int8).reshape(n),
            np.array(active_at, np.int64).reshape(n),
            np.full(n, NEVER, np.int64),
            np.full(n, NEVER, np.int64),
            np.array(values, np.float64).reshape(n),
        )


NO_ELEMENTS = Elements.restored((), (), (), ())
"""A rule of which nothing is active."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """What an expression yielded over m ticks, for n elements.

    Attributes:
        times: int64[m]; milliseconds, increasing.
        labels: The n elements' labels, all different.
        seen: uint8[m, n]; a ``Seen`` each.
        values: float64[m, n]; the value where seen.
    """

    times: Int64s
    labels: tuple[Labels, ...]
    seen: Sightings
    values: Float64s


@dataclass(frozen=True, slots=True)
class Transition:
    """One change; ``row`` counts into the outcome's labels, ``tick`` into the block's times."""

    change: Change
    row: int
    tick: int
    active_at_ms: int
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a block made of a rule.

    Attributes:
        elements: The elements that are active after it.
        labels: The k elements that were there before it or appeared in it.
        phases: int8[m, k]; their phases after each tick. ``active_at``: int64[m, k].
        transitions: The changes, by tick, then by labels.
        refused: bool[m]; ticks that would have exceeded the limit and changed nothing.
    """

    elements: Elements
    labels: tuple[Labels, ...]
    phases: Phases
    active_at: Int64s
    transitions: tuple[Transition, ...]
    refused: Bools


def step(timing: Timing, before: Elements, block: Block) -> Outcome:
    """Return what ``block`` makes of the elements that were active before it."""
    labels, rows = _aligned(before.labels, block.labels)
    known, ticks, total = len(before), len(block.times), len(labels)
    seen = np.zeros((ticks, total), np.uint8)
    seen[:, rows] = block.seen
    phase, active_at, keep_since, unknown_since = (
        _grown(column, total, fill)
        for column, fill in (
            (before.phase, 0),
            (before.active_at, NEVER),
            (before.keep_since, NEVER),
            (before.unknown_since, NEVER),
        )
    )
    phases = np.empty((ticks, total), np.int8)
    actives = np.empty((ticks, total), np.int64)
    refused = np.empty(ticks, np.bool_)
    was = np.concatenate([before.phase, np.zeros(total - known, np.int8)])
    began = active_at.copy()
    kernels.advance(
        block.times, seen, timing.for_ms, timing.keep_firing_for_ms, timing.unknown_hold_ms,
        timing.limit, phase, active_at, keep_since, unknown_since, phases, actives, refused,
    )  # fmt: skip
    values = _last_values(before.values, block, rows, seen)
    final = values[-1] if ticks else _grown(before.values, total, np.nan)
    alive = np.flatnonzero(phase)
    after = Elements(
        labels if len(alive) == total else tuple(labels[row] for row in alive),
        phase[alive],
        active_at[alive],
        keep_since[alive],
        unknown_since[alive],
        final[alive],
    )
    changes = _transitions(was, began, phases, actives, values)
    changes.sort(key=lambda change: (change.tick, labels[change.row].pairs()))
    return Outcome(after, labels, phases, actives, tuple(changes), refused)


def _aligned(
    before: tuple[Labels, ...], now: tuple[Labels, ...]
) -> tuple[tuple[Labels, ...], Int64s]:
    """Return all elements, those before first, and int64[n]: where those of now are among them."""
    if before == now:
        return now, np.arange(len(now))
    labels = tuple(dict.fromkeys((*before, *now)))
    at = {each: row for row, each in enumerate(labels)}
    return labels, np.array([at[each] for each in now], np.int64)


def _grown(column: NDArray, total: int, fill: float) -> NDArray:  # type: ignore[type-arg]
    grown = np.full(total, fill, column.dtype)
    grown[: len(column)] = column
    return grown


def _last_values(before: Float64s, block: Block, rows: Int64s, seen: Sightings) -> Float64s:
    """Return float64[m, k]: each element's newest value as of each tick."""
    ticks, total = seen.shape
    values = np.empty((ticks + 1, total))
    values[0] = _grown(before, total, np.nan)
    values[1:, rows] = block.values
    filled = np.zeros((ticks + 1, total), np.int64)
    filled[1:] = np.where(seen == Seen.PRESENT, np.arange(1, ticks + 1)[:, None], 0)
    np.maximum.accumulate(filled, axis=0, out=filled)
    newest: Float64s = np.take_along_axis(values, filled, axis=0)[1:]
    return newest


def _transitions(
    was: Phases, began: Int64s, phases: Phases, actives: Int64s, values: Float64s
) -> list[Transition]:
    previous = np.vstack([was[None, :], phases[:-1]]) if len(phases) else phases
    since = np.vstack([began[None, :], actives[:-1]]) if len(phases) else actives
    ticks, rows = np.nonzero(phases != previous)
    changes = []
    for tick, row in zip(ticks.tolist(), rows.tolist(), strict=True):
        old, new = Phase(int(previous[tick, row])), Phase(int(phases[tick, row]))
        active_at = since[tick, row] if new is Phase.INACTIVE else actives[tick, row]
        change = _change(old, new)
        changes.append(Transition(change, row, tick, int(active_at), float(values[tick, row])))
    return changes


def _change(old: Phase, new: Phase) -> Change:
    if new is Phase.INACTIVE:
        return Change.RESOLVED if old is Phase.FIRING else Change.CLEARED
    return Change.FIRING if new is Phase.FIRING else Change.PENDING
