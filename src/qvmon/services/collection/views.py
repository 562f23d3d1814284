"""What collection shows of its targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from qvmon.model.labels import Labels
from qvmon.model.series import MetricMetadata
from qvmon.relabel import RelabelRule


class Health(StrEnum):
    """How a target's last scrape went."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """One active target as ``/api/v1/targets`` shows it.

    Attributes:
        discovered_labels: Labels before relabelling.
        labels: Labels after it.
        scrape_pool: The job's name in the configuration.
        scrape_url: What is fetched.
        global_url: The same, as somebody on another machine reaches it.
        last_error: What was wrong with the last scrape; empty when nothing was.
        last_scrape_ms: When it started; 0 before the first.
        last_scrape_duration_seconds: How long it took.
        health: How it went.
        scrape_interval_seconds: How often the target is scraped.
        scrape_timeout_seconds: How long a scrape may take.
        metadata: What its last page said about its metrics.
    """

    discovered_labels: Labels
    labels: Labels
    scrape_pool: str
    scrape_url: str
    global_url: str
    last_error: str = ""
    last_scrape_ms: int = 0
    last_scrape_duration_seconds: float = 0.0
    health: Health = Health.UNKNOWN
    scrape_interval_seconds: float = 0.0
    scrape_timeout_seconds: float = 0.0
    metadata: Sequence[MetricMetadata] = ()


@dataclass(frozen=True, slots=True)
class DroppedTarget:
    """A discovered target that is not scraped: relabelling dropped it, or ``reason`` says why."""

    discovered_labels: Labels
    scrape_pool: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TargetsView:
    """Every target there is, in the order of jobs and URLs; and every job's relabelling."""

    active: list[TargetStatus] = field(default_factory=list)
    dropped: list[DroppedTarget] = field(default_factory=list)
    relabelling: Mapping[str, Sequence[RelabelRule]] = field(default_factory=dict)
