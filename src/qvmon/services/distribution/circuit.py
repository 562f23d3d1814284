"""Whether a sink is left alone for a while: a circuit breaker as pure transitions.

Source of the pattern: M. Nygard, Release It!
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from qvmon.services.distribution.config import DeliveryPolicy
from qvmon.services.distribution.delivery import Outcome, doubled


@dataclass(frozen=True, slots=True)
class Circuit:
    """What the latest attempts at a sink say about it.

    Attributes:
        failures: Transient failures in a row.
        openings: How often in a row it opened.
        open_until_us: Nobody tries before this; 0 while the circuit is closed.
        is_probing: One attempt is under way to learn whether the sink is back.
    """

    failures: int = 0
    openings: int = 0
    open_until_us: int = 0
    is_probing: bool = False

    @property
    def is_open(self) -> bool:
        """Whether the sink counts as away."""
        return self.open_until_us > 0

    def admits(self, now_us: int) -> bool:
        """Return whether an attempt may start."""
        return not self.is_open or (now_us >= self.open_until_us and not self.is_probing)

    def admitted(self) -> Circuit:
        """Return the circuit once an attempt has started."""
        return replace(self, is_probing=True) if self.is_open else self

    def after(self, outcome: Outcome, now_us: int, policy: DeliveryPolicy) -> Circuit:
        """Return the circuit once an attempt has ended; any definite answer closes it."""
        if not outcome.is_transient:
            return Circuit()
        failures = self.failures + 1
        if not self.is_open and failures < policy.circuit_failures:
            return replace(self, failures=failures)
        if self.is_open and not self.is_probing:  # a straggler that began before it opened
            return replace(self, failures=failures)
        openings = self.openings + 1
        pause = doubled(policy.circuit_open_seconds, openings, policy)
        return Circuit(failures, openings, now_us + int(pause * 1e6))
