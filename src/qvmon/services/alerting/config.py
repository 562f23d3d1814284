"""What can be set about alerting."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RouteConfig(BaseModel):
    """Who is told about every alert, and in what rhythm.

    Attributes:
        receivers: Names of receivers; each of them is told. None at all is recorded, too.
        group_by: Alerts that agree on these labels are told together; a missing label counts
            as empty.
        group_wait_seconds: How long the first message about a group waits for more alerts.
        group_interval_seconds: The least distance between two messages about a group.
        repeat_interval_seconds: After how long a group that still fires is told again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    receivers: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ("service", "workflow")
    group_wait_seconds: float = Field(default=10.0, ge=0)
    group_interval_seconds: float = Field(default=60.0, ge=0)
    repeat_interval_seconds: float = Field(default=4 * 3600.0, gt=0)


class AlertingConfig(BaseModel):
    """How rules are evaluated and their alerts told.

    Attributes:
        evaluation_interval_seconds: For groups that name no interval of their own.
        query_offset_seconds: For groups that name no offset of their own.
        query_timeout_seconds: How long the query of one rule may take.
        external_labels: Added to alerts as they are told, where an alert lacks them.
        external_url: Where people reach this qvmon; links in alerts begin with it.
        start_hold_seconds: How long evaluation waits at start for sources to report.
        unknown_hold_seconds: How long an alert outlives its samples while nothing is known of
            their source; 0 is Prometheus' behaviour.
        retry_seconds: Pause after the ledger could not be reached.
        route: Who is told.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    evaluation_interval_seconds: float = Field(default=60.0, ge=0.001)
    query_offset_seconds: float = Field(default=0.0, ge=0)
    query_timeout_seconds: float = Field(default=30.0, gt=0)
    external_labels: dict[str, str] = Field(default_factory=dict)
    external_url: str = "http://localhost:9090"
    start_hold_seconds: float = Field(default=30.0, ge=0)
    unknown_hold_seconds: float = Field(default=900.0, ge=0)
    retry_seconds: float = Field(default=1.0, gt=0)
    route: RouteConfig = RouteConfig()
