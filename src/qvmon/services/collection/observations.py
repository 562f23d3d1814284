"""What is known of every target, and the log of what is not."""

from __future__ import annotations

from collections.abc import Iterable

from qvmon.model.labels import Labels
from qvmon.model.unknown import QVMON_DOWN
from qvmon.services.collection.ports import UnknownLog
from qvmon.services.collection.target import Target
from qvmon.services.collection.unknown import (
    LATE,
    SENDER_GAP,
    SENDER_IDLE,
    Change,
    Knowledge,
    left,
    missed,
    scope_of,
    seen,
)

_OF_SENDERS = frozenset({SENDER_IDLE, SENDER_GAP, LATE})


class Observations:
    """Keeps ``Knowledge`` of each target by its labels; an interval left open goes on.

    Args:
        log: Where intervals are written down.
    """

    def __init__(self, log: UnknownLog) -> None:
        self._log = log
        self._known: dict[Labels, Knowledge] = {}
        self._resumed: dict[Labels, str] = {}

    def resume(self) -> None:
        """Go on with the intervals that an earlier process left open."""
        for each in self._log.open_unknown():
            if each.reason != QVMON_DOWN and each.reason not in _OF_SENDERS:
                self._resumed[each.scope] = each.reason

    def settle(self, targets: Iterable[Target], at_ms: int) -> None:
        """End what was missed while qvmon was down, and what is open of targets no longer there."""
        self._log.end_unknown(Labels(), QVMON_DOWN, at_ms)
        there = {scope_of(target.labels) for target in targets}
        for scope in self._resumed.keys() - there:
            self._log.end_unknown(scope, self._resumed.pop(scope), at_ms)

    def good(self, target: Target, at_ms: int) -> None:
        """Remember a good scrape."""
        known, changes = seen(self._knowledge(target), at_ms, target.interval_ms)
        self._known[target.labels] = known
        self._write(target, changes)

    def failed(self, target: Target, at_ms: int, reason: str) -> None:
        """Remember a scrape that failed, or whose samples were lost."""
        known, changes = missed(self._knowledge(target), at_ms, reason)
        self._known[target.labels] = known
        self._write(target, changes)

    def gone(self, target: Target, at_ms: int) -> None:
        """Forget a target that is no longer watched."""
        self._write(target, left(self._knowledge(target), at_ms))
        self._known.pop(target.labels, None)

    def _knowledge(self, target: Target) -> Knowledge:
        known = self._known.get(target.labels)
        if known is None:
            reason = self._resumed.pop(scope_of(target.labels), "")
            known = Knowledge(reason=reason)
        return known

    def _write(self, target: Target, changes: list[Change]) -> None:
        for each in changes:
            scope = scope_of(target.labels)
            if each.begin_ms is not None:
                self._log.begin_unknown(scope, each.reason, each.begin_ms)
            if each.end_ms is not None:
                self._log.end_unknown(scope, each.reason, each.end_ms)
