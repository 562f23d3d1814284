"""The alert state machine over elements and ticks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qvmon.model.compiled import kernel

NEVER = -(2**63)
"""A time that has not been."""

INACTIVE, PENDING, FIRING = 0, 1, 2
ABSENT, PRESENT, UNKNOWN = 0, 1, 2


@kernel(
    "void(int64[::1], uint8[:, ::1], int64, int64, int64, int64,"
    " int8[::1], int64[::1], int64[::1], int64[::1], int8[:, ::1], int64[:, ::1], boolean[::1])"
)
def advance(
    times: NDArray[np.int64],
    seen: NDArray[np.uint8],
    for_ms: int,
    keep_ms: int,
    hold_ms: int,
    limit: int,
    phase: NDArray[np.int8],
    active_at: NDArray[np.int64],
    keep_since: NDArray[np.int64],
    unknown_since: NDArray[np.int64],
    phases: NDArray[np.int8],
    actives: NDArray[np.int64],
    refused: NDArray[np.bool_],
) -> None:
    """Advance n elements over m ticks, following Prometheus' ``rules/alerting.go``.

    Args:
        times: int64[m]; milliseconds, increasing.
        seen: uint8[m, n]; whether the expression yielded the element: ABSENT, PRESENT, or
            UNKNOWN (absent, and nothing is known of the targets it came from).
        for_ms: How long an element is pending before it fires.
        keep_ms: How long it keeps firing after it is gone.
        hold_ms: How long it outlives its samples while unknown.
        limit: How many may be active at once, 0 for any number; a tick with more is refused.
        phase: int8[n]; INACTIVE, PENDING or FIRING before the ticks; afterwards, after them.
        active_at: int64[n]; since when, likewise.
        keep_since: int64[n]; since when it is gone, likewise.
        unknown_since: int64[n]; since when it is unknown, likewise.
        phases: int8[m, n] out; the phase after each tick.
        actives: int64[m, n] out; ``active_at`` after each tick.
        refused: bool[m] out; ticks that changed nothing because of ``limit``.
    """
    n = len(phase)
    keeps = np.empty(n, np.int64)
    unknowns = np.empty(n, np.int64)
    for tick in range(len(times)):
        now = times[tick]
        count = 0
        for i in range(n):
            state, since, keep, unknown = phase[i], active_at[i], keep_since[i], unknown_since[i]
            if seen[tick, i] == PRESENT:
                keep = unknown = NEVER
                if state == INACTIVE:
                    state, since = PENDING, now
                if state == PENDING and now - since >= for_ms:
                    state = FIRING
            elif state != INACTIVE:
                held = False
                if seen[tick, i] == UNKNOWN:
                    if unknown == NEVER:
                        unknown = now
                    held = now - unknown < hold_ms
                if not held:
                    if state == FIRING and keep_ms > 0:
                        if keep == NEVER:
                            keep = now
                        held = now - keep < keep_ms
                    if not held:
                        state, since, keep, unknown = INACTIVE, NEVER, NEVER, NEVER
            phases[tick, i], actives[tick, i], keeps[i], unknowns[i] = state, since, keep, unknown
            if state != INACTIVE:
                count += 1
        refused[tick] = limit > 0 and count > limit
        for i in range(n):
            if refused[tick]:
                phases[tick, i], actives[tick, i] = phase[i], active_at[i]
            else:
                phase[i], active_at[i] = phases[tick, i], actives[tick, i]
                keep_since[i], unknown_since[i] = keeps[i], unknowns[i]
