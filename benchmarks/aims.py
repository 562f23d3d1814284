"""What the figures shall become: a number, or so many times what a peer has in the same run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.subject import PROMETHEUS, VICTORIA_METRICS


@dataclass(frozen=True, slots=True)
class Aim:
    """A limit.

    Attributes:
        number: The limit itself, or NaN.
        times: So many times what ``peer`` has; the stricter of both counts.
        peer: Whom it is taken from.
    """

    number: float = math.nan
    times: float = math.nan
    peer: str = ""

    @property
    def text(self) -> str:
        """Say it."""
        parts = [] if math.isnan(self.number) else [f"{self.number:,g}"]
        if self.peer:
            parts.append(self.peer if self.times == 1 else f"{self.times:g} x {self.peer}")
        return " and ".join(parts)

    def limit(self, values: Mapping[str, float]) -> float:
        """Return the limit among figures of the same run, NaN where the peer is missing."""
        theirs = self.times * values.get(self.peer, math.nan)
        known = [each for each in (self.number, theirs) if not math.isnan(each)]
        return min(known, default=math.nan)


_ONCE, _TWICE = Aim(times=1, peer=VICTORIA_METRICS), Aim(times=2, peer=VICTORIA_METRICS)

AIMS: dict[str, Aim] = {
    "remote-write, one sample a series a request [CPU s/M samples]": Aim(0.5),
    "scraping targets of 5,000 series each second [CPU s/M samples]": Aim(0.4),
    "most series scraped each second [M series]": Aim(1.5),
    "on disk, counters [bytes/sample]": Aim(times=1.25, peer=VICTORIA_METRICS),
    "on disk, gauges [bytes/sample]": Aim(times=1.25, peer=VICTORIA_METRICS),
    "memory above idle of an active series [bytes]": Aim(1500, 1, PROMETHEUS),
    "sum by (service) (rate), 10,000 series: cold [ms]": _TWICE,
    "sum by (service) (rate), 10,000 series [ms]": _ONCE,
    "histogram_quantile, 10,000 buckets: cold [ms]": _TWICE,
    "histogram_quantile, 10,000 buckets [ms]": _ONCE,
    "rate of 10,000 series, all answered [ms]": Aim(626, 1, VICTORIA_METRICS),
    "max_over_time over 1h, 2,000 gauges [ms]": Aim(169, 1, VICTORIA_METRICS),
    "one series selected [ms]": Aim(1.5),
    "10,000 series selected [ms]": Aim(26),
    "rate of one series [ms]": Aim(2),
    "first sample taken after a restart on 31.7 M samples [s]": Aim(1),
    "first query answered after a restart on 31.7 M samples [s]": Aim(3),
}
"""By the row's name and unit."""
