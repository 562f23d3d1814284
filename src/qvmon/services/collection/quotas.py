"""What each sender of remote writes may send, and what was refused to whom. No I/O, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

OTHERS = "(others)"
"""Stands for the senders beyond those that are told apart."""

_BURST_SECONDS = 10.0
_HOUR_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Rate:
    """How much may be taken: ``most`` at once, ``per_second`` on average; 0 sets no limit."""

    per_second: float
    most: float

    @classmethod
    def of_samples(cls, per_second: float) -> Rate:
        """Return the rate of samples, with bursts of ten seconds."""
        return cls(per_second, per_second * _BURST_SECONDS)

    @classmethod
    def of_series(cls, per_hour: float) -> Rate:
        """Return the rate of new series, those of an hour at once."""
        return cls(per_hour / _HOUR_SECONDS, per_hour)


@dataclass(frozen=True, slots=True)
class Stock:
    """What was left of a rate at a moment (seconds), less than nothing after a large request."""

    left: float
    at: float


def left(stock: Stock, rate: Rate, now: float) -> float:
    """Return how much may be taken now."""
    return min(rate.most, stock.left + max(0.0, now - stock.at) * rate.per_second)


def wait(stock: Stock, rate: Rate, amount: float, now: float) -> float:
    """Return after how many seconds ``amount`` may be taken, 0 for at once.

    More than ``rate.most`` may be taken when that is there; it is missing afterwards.
    """
    missing = min(amount, rate.most) - left(stock, rate, now)
    return max(0.0, missing / rate.per_second) if rate.per_second else 0.0


def taken(stock: Stock, rate: Rate, amount: float, now: float) -> Stock:
    """Return what is there when ``amount`` has been taken."""
    return Stock(left(stock, rate, now) - amount, now)


@dataclass(frozen=True, slots=True)
class SenderStatus:
    """What became of what one sender sent.

    Attributes:
        name: Who it is: a principal's name, or an address.
        accepted: Samples stored.
        refused: Samples refused, by reason.
        last_refused_ms: When some were refused last; None for never.
    """

    name: str
    accepted: int
    refused: Mapping[str, int]
    last_refused_ms: int | None


@dataclass(slots=True)
class _Sender:
    samples: Stock
    series: Stock
    accepted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    last_refused_ms: int | None = None


class Quotas:
    """Counts what senders send, and tells when it is too much.

    Args:
        samples: How many samples each may send.
        series: How many series each may bring that were not there.
        most_senders: How many are told apart; further ones are one.
    """

    def __init__(self, samples: Rate, series: Rate, most_senders: int = 1000) -> None:
        self._samples, self._series = samples, series
        self._most_senders = most_senders
        self._senders: dict[str, _Sender] = {}

    def name_of(self, sender: str) -> str:
        """Return the name under which a sender is counted."""
        known = sender in self._senders or len(self._senders) < self._most_senders
        return sender if known else OTHERS

    def take_samples(self, name: str, count: int, now: float) -> float:
        """Return 0 when a sender may send so many samples now, else after how many seconds."""
        sender = self._sender(name, now)
        seconds = wait(sender.samples, self._samples, count, now)
        if not seconds:
            sender.samples = taken(sender.samples, self._samples, count, now)
        return seconds

    @property
    def limits_series(self) -> bool:
        """Whether a sender may bring only so many series."""
        return self._series.per_second > 0

    def take_series(self, name: str, wanted: int, now: float) -> int:
        """Return how many of ``wanted`` new series a sender may bring now."""
        sender = self._sender(name, now)
        count = max(0, min(wanted, int(left(sender.series, self._series, now))))
        sender.series = taken(sender.series, self._series, count, now)
        return count

    def count(self, name: str, accepted: int, refused: Mapping[str, int], now_ms: int) -> None:
        """Note what became of a request whose samples were asked for."""
        sender = self._senders[name]
        sender.accepted += accepted
        if any(refused.values()):
            sender.refused.update({why: count for why, count in refused.items() if count})
            sender.last_refused_ms = now_ms

    def report(self) -> list[SenderStatus]:
        """Return everybody, by name."""
        return [
            SenderStatus(
                name, each.accepted, dict(sorted(each.refused.items())), each.last_refused_ms
            )
            for name, each in sorted(self._senders.items())
        ]

    def _sender(self, name: str, now: float) -> _Sender:
        found = self._senders.get(name)
        if found is None:
            full = Stock(self._samples.most, now), Stock(self._series.most, now)
            found = self._senders[name] = _Sender(*full)
        return found
