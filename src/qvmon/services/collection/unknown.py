"""What is not known of one target, and why. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.services.collection.page import BODY_SIZE_LIMIT

SCOPE = ("instance", "job", "service", "workflow")
"""The labels that say whom an unknown interval is about."""

GAP = "scrape_gap"
GONE = "target_gone"
NOT_STORED = "not_stored"
SENDER_IDLE = "sender_idle"
SENDER_GAP = "sender_gap"
LATE = "late_refused"

_OF_KIND = {
    ErrorKind.TIMEOUT: "scrape_timeout",
    ErrorKind.INVALID: "scrape_bad_exposition",
    ErrorKind.UNSUPPORTED: "scrape_unsupported",
    ErrorKind.FORBIDDEN: "scrape_forbidden",
    ErrorKind.EXHAUSTED: "scrape_limit",
    ErrorKind.UNAVAILABLE: "scrape_unreachable",
}


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What is known of a target.

    Attributes:
        good_ms: The time of its last good sample; None before the first.
        reason: Why nothing is known since; empty while it is.
    """

    good_ms: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """An interval of ``reason`` begins at ``begin_ms``, ends at ``end_ms``, or both."""

    reason: str
    begin_ms: int | None = None
    end_ms: int | None = None


def seen(before: Knowledge, at_ms: int, interval_ms: int) -> tuple[Knowledge, list[Change]]:
    """Return what follows from a good scrape; one that comes late ends a gap."""
    now = Knowledge(at_ms)
    if before.reason:
        return now, [Change(before.reason, end_ms=at_ms)]
    if before.good_ms is not None and at_ms - before.good_ms > 1.5 * interval_ms:
        return now, [Change(GAP, before.good_ms, at_ms)]
    return now, []


def missed(before: Knowledge, at_ms: int, reason: str) -> tuple[Knowledge, list[Change]]:
    """Return what follows from a failed scrape: unknown since the last good sample."""
    now = replace(before, reason=reason)
    if not before.reason:
        return now, [Change(reason, at_ms if before.good_ms is None else before.good_ms)]
    if before.reason != reason:
        return now, [Change(before.reason, end_ms=at_ms), Change(reason, at_ms)]
    return now, []


def left(before: Knowledge, at_ms: int) -> list[Change]:
    """Return what follows from a target that is no longer watched: nothing more is expected."""
    if before.reason:
        return [Change(before.reason, end_ms=at_ms)]
    return [] if before.good_ms is None else [Change(GONE, before.good_ms, at_ms)]


def scope_of(labels: Labels) -> Labels:
    """Return the labels of a target that name it in unknown intervals."""
    return labels.keep(*SCOPE)


def reason_of(error: QvmonError) -> str:
    """Return the word for why a scrape failed."""
    if error.context.get("limit") == BODY_SIZE_LIMIT:
        return "scrape_too_large"
    if "status" in error.context:
        return "scrape_http_status"
    if "cause" in error.context:
        return f"scrape_{error.context['cause']}"
    return _OF_KIND.get(error.kind, "scrape_failed")
