"""What can be seen of rules and groups: the content of Prometheus' ``/api/v1/rules``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Health = Literal["unknown", "ok", "err"]
RuleType = Literal["alerting", "recording"]
State = Literal["unknown", "inactive", "pending", "firing"]


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An element that is pending or firing; times in milliseconds.

    Attributes:
        labels: Without external labels.
        keep_firing_since_ms: Since when it fires though its condition holds no longer.
        held: It has no samples, and nothing is known of its targets.
    """

    alert_id: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: State
    active_at_ms: int
    value: float
    keep_firing_since_ms: int | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """One rule; ``duration_seconds``, ``state`` and ``alerts`` mean something for alerting rules.

    Attributes:
        query: The expression, written as Prometheus writes it.
        labels: As written in the file. ``annotations``: likewise.
        duration_seconds: Its ``for``.
        last_evaluation_ms: 0 before the first.
    """

    name: str
    type: RuleType
    query: str
    labels: Mapping[str, str]
    health: Health
    last_error: str
    last_evaluation_ms: int
    evaluation_seconds: float
    annotations: Mapping[str, str]
    duration_seconds: float = 0.0
    keep_firing_for_seconds: float = 0.0
    state: State = "inactive"
    alerts: tuple[ActiveAlert, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleGroupStatus:
    """One group and its rules, in the order of the file."""

    name: str
    file: str
    interval_seconds: float
    limit: int
    last_evaluation_ms: int
    evaluation_seconds: float
    rules: tuple[RuleStatus, ...]
