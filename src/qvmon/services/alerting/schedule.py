"""At which instants a group is evaluated. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True)
class Schedule:
    """Instants ``interval_ms`` apart, shifted by ``offset_ms`` so that groups spread out."""

    interval_ms: int
    offset_ms: int

    @classmethod
    def of(cls, file: str, name: str, interval_ms: int) -> Schedule:
        """Return the schedule of a group: the same in every process.

        Intervals of a second or more begin at whole seconds, so that groups meet: what they have
        in common is then read once.
        """
        digest = blake2b(f"{file}\0{name}".encode(), digest_size=8).digest()
        offset = int.from_bytes(digest) % interval_ms
        return cls(interval_ms, offset - offset % 1000 if interval_ms >= 1000 else offset)

    def latest(self, now_ms: int) -> int:
        """Return the last instant that is not after ``now_ms``."""
        return now_ms - (now_ms - self.offset_ms) % self.interval_ms

    def after(self, tick_ms: int, now_ms: int) -> tuple[int, int]:
        """Return the instant to evaluate after ``tick_ms``, and how many were missed before it.

        When the evaluation took longer than the interval, instants that have passed are missed,
        save the last, which is due at once. When the clock was set back, the instants start anew.
        """
        due = tick_ms + self.interval_ms
        latest = self.latest(now_ms)
        if latest < tick_ms:
            return latest + self.interval_ms, 0
        return max(due, latest), max(0, (latest - due) // self.interval_ms)
