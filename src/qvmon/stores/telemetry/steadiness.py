"""Whether the wall clock can be trusted with deleting: it has gone on evenly for a while."""

from __future__ import annotations

STEADY_AFTER_SECONDS = 3600.0
_UNEVEN_SECONDS = 600.0


class Steadiness:
    """Compares the wall clock with one that never jumps.

    A clock that was set wrong for some minutes, and samples that carry its time, would make
    everything look older than retention allows. So nothing is deleted for its age in the first
    hour of a process, and in the hour after a jump, within which somebody or NTP sets it right.
    """

    def __init__(self) -> None:
        self._lead: float | None = None
        self._steady_at = 0.0
        self.jumps = 0

    def observe(self, wall_ms: int, monotonic: float) -> bool:
        """Return whether the clock is steady; to be called again and again.

        Args:
            wall_ms: What the wall clock says now.
            monotonic: Seconds of the clock that never jumps.
        """
        lead = wall_ms / 1000 - monotonic
        if self._lead is None:
            self._steady_at = monotonic + STEADY_AFTER_SECONDS
        elif abs(lead - self._lead) > _UNEVEN_SECONDS:
            self._steady_at = monotonic + STEADY_AFTER_SECONDS
            self.jumps += 1
        self._lead = lead
        return monotonic >= self._steady_at
