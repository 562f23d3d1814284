"""What to do after an attempt: the pure policy of retries and dead letters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.services.distribution.config import DeliveryPolicy

_TRANSIENT = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT, ErrorKind.EXHAUSTED})


class Action(StrEnum):
    """What happens next to a delivery."""

    SUCCEED = "succeed"
    RETRY = "retry"
    DIE = "die"


class Reason(StrEnum):
    """Why."""

    ACCEPTED = "accepted"  # the sink took it
    SINK_AWAY = "sink_away"  # no answer, or one that asks to come back later
    REFUSED = "refused"  # the sink says that repeating will not help
    TOO_OLD = "too_old"  # another attempt would come later than the maximum age


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt; ``error`` is None when the sink took the message."""

    detail: str
    error: ErrorKind | None = None
    maybe_arrived: bool = False
    retry_after_seconds: float = 0.0

    @property
    def is_transient(self) -> bool:
        """Whether another attempt may help."""
        return self.error in _TRANSIENT

    @classmethod
    def of_error(cls, error: QvmonError) -> Outcome:
        """Return the outcome that ``error`` from a sink means."""
        timed_out = error.kind is ErrorKind.TIMEOUT
        retry_after = error.context.get("retry_after_seconds", 0.0)
        return cls(
            detail=error.message,
            error=error.kind,
            maybe_arrived=bool(error.context.get("maybe_arrived", timed_out)),
            retry_after_seconds=float(retry_after) if isinstance(retry_after, float | int) else 0.0,
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt that has ended, microseconds since the epoch."""

    outcome: Outcome
    started_us: int
    finished_us: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a delivery has come; times in microseconds.

    Attributes:
        created_us: When the fact that is told was recorded (or a person re-drove it).
        attempts: How many were made.
        maybe_arrived: One of them may have been taken.
        due_us: No attempt before this.
    """

    created_us: int
    attempts: int = 0
    maybe_arrived: bool = False
    due_us: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """What happens next, why, and whether the ledger is told.

    A sink that stays away would otherwise fill the ledger: of the failures of one delivery only
    the first, second, fourth, eighth and so on become facts.
    """

    action: Action
    reason: Reason
    progress: Progress
    is_reported: bool = True


def decide(progress: Progress, attempt: Attempt, policy: DeliveryPolicy, draw: float) -> Decision:
    """Return what follows from one more attempt.

    Args:
        progress: Before the attempt.
        attempt: What became of it.
        policy: How the sink is treated.
        draw: Randomness from 0 up to 1, so that many waiting do not come back together.
    """
    outcome = attempt.outcome
    after = replace(
        progress,
        attempts=progress.attempts + 1,
        maybe_arrived=progress.maybe_arrived or outcome.maybe_arrived,
    )
    if outcome.error is None:
        return Decision(Action.SUCCEED, Reason.ACCEPTED, after)
    if not outcome.is_transient:
        return Decision(Action.DIE, Reason.REFUSED, after)
    pause = max(backoff_seconds(after.attempts, policy, draw), outcome.retry_after_seconds)
    after = replace(after, due_us=attempt.finished_us + int(pause * 1e6))
    if is_too_old(after, after.due_us, policy):
        return Decision(Action.DIE, Reason.TOO_OLD, after)
    return Decision(Action.RETRY, Reason.SINK_AWAY, after, _is_power_of_two(after.attempts))


def is_too_old(progress: Progress, now_us: int, policy: DeliveryPolicy) -> bool:
    """Return whether an attempt at ``now_us`` would come too late."""
    return now_us - progress.created_us > policy.max_age_seconds * 1e6


def backoff_seconds(attempts: int, policy: DeliveryPolicy, draw: float) -> float:
    """Return the pause after ``attempts``: exponential, half of it random.

    Source: "equal jitter", AWS Architecture Blog, Exponential Backoff And Jitter (2015).
    """
    return doubled(policy.initial_backoff_seconds, attempts, policy) * (0.5 + 0.5 * draw)


def doubled(seconds: float, times: int, policy: DeliveryPolicy) -> float:
    """Return ``seconds`` doubled ``times - 1`` times, up to the longest pause."""
    return min(policy.max_backoff_seconds, seconds * 2.0 ** min(times - 1, 60))


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0
