"""What a database of samples should do, in plain dictionaries; imports nothing from qvmon."""

from __future__ import annotations


class Oracle:
    """Samples as ``{series: {time: bits}}``, the rules of admission, and when a flush is due.

    ``head`` and ``late`` are what a repeat is compared with; ``visible`` is what a query sees.
    """

    def __init__(self, window: int, block: int, tolerance: int, retention: int = 0) -> None:
        self.window, self.block, self.tolerance = window, block, tolerance
        self.retention = retention
        self.settled = None
        self.newest: dict[int, int] = {}
        self.latest: int | None = None
        self.head: dict[int, dict[int, int]] = {}
        self.late: dict[int, dict[int, int]] = {}
        self.visible: dict[int, dict[int, int]] = {}

    def kept_from(self, now: int) -> int | None:
        """Return the oldest time at which a sample is taken; all are when it is None."""
        if not self.retention or self.latest is None:
            return None
        return min(self.latest, now) - max(self.retention, self.window)

    def append(self, series: int, time: int, bits: int, now: int, kept: int | None) -> str:
        """Return ``accepted`` or the reason of refusal; ``kept`` is of before the batch."""
        if kept is not None and time < kept:
            return "too_old"
        settled = self.settled is not None and time < self.settled
        if time > now + self.tolerance:
            return "too_far_in_future"
        if not settled and time > self.newest.get(series, time - 1):
            self.newest[series] = time
            self.latest = time if self.latest is None else max(self.latest, time)
            return self._store(self.head, series, time, bits)
        if not settled and time in self.head.get(series, {}):
            return self._repeat(self.head[series][time], bits)
        if self.window == 0:
            return "too_old" if settled else "out_of_order"
        if self.latest is not None and time < self.latest - self.window:
            return "too_old"
        if time in self.late.get(series, {}):
            return self._repeat(self.late[series][time], bits)
        return self._store(self.late, series, time, bits)

    def _store(self, where: dict[int, dict[int, int]], series: int, time: int, bits: int) -> str:
        where.setdefault(series, {})[time] = bits
        self.visible.setdefault(series, {}).setdefault(time, bits)
        return "accepted"

    def _repeat(self, stored: int, bits: int) -> str:
        return "accepted" if stored == bits else "duplicate_timestamp"

    def delete(self, chosen: set[int], start: int, end: int) -> None:
        """Forget samples; what comes from now on is new."""
        for place in (self.head, self.late, self.visible):
            for series in chosen & place.keys():
                for time in [time for time in place[series] if start <= time <= end]:
                    del place[series][time]
        for series in chosen & self.newest.keys():
            if start <= self.newest[series] <= end:
                self.newest[series] = start - 1
        if self.latest is not None and start <= self.latest <= end:
            known = list(self.newest.values()) + (
                [] if self.settled is None else [self.settled - 1]
            )
            self.latest = max(known, default=None)

    def flush(self) -> None:
        """Settle every stretch whose end is half a stretch behind the newest sample."""
        settled = self.settled
        while times := [time for samples in self.head.values() for time in samples]:
            end = (min(times) // self.block + 1) * self.block
            if self.latest < end + self.block // 2:
                break
            self.settled = max(time for time in times if time < end) + 1
            for samples in self.head.values():
                for time in [time for time in samples if time < end]:
                    del samples[time]
        if self.settled != settled:
            self.late.clear()

    def retain(self, now: int, left: dict[int, list[tuple[int, int]]]) -> None:
        """Take ``left`` for what there is, which may lack only what is older than retention."""
        for series, samples in self.visible.items():
            still = {time: bits for time, bits in left.get(series, []) if samples.get(time) == bits}
            assert len(still) == len(left.get(series, []))
            until = None if self.latest is None else min(self.latest, now) - self.retention
            assert all(until is not None and t < until for t in samples.keys() - still.keys())
            self.visible[series] = still

    def select(self, start: int, end: int) -> dict[int, list[tuple[int, int]]]:
        """Return the samples in start..end of every series that has some."""
        chosen = {
            series: sorted((t, bits) for t, bits in samples.items() if start <= t <= end)
            for series, samples in self.visible.items()
        }
        return {series: samples for series, samples in chosen.items() if samples}
