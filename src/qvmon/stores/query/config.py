"""What a query may cost."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class QueryConfig(BaseModel):
    """Limits of queries, and how they read samples.

    Attributes:
        concurrent: Queries of people and tokens that run at once.
        queued: Queries that may wait for a place; the next one is refused.
        concurrent_analysis: How many of the running ones may be analysis (``priority=analysis``);
            these wait until no other does, and are the first to be sent away. Each is answered by
            a child process of its own (see ``analysis``), where there are any.
        concurrent_services: Queries of qvmon's own services (rules above all) that run at once;
            they have places of their own and are never refused for want of one.
        timeout_seconds: How long a query may take, waiting included; a caller may ask for less.
        max_samples: Samples one query may read, and values it may hold in its result.
        max_series: Series one query may read.
        max_bytes: Memory for what one query reads and computes.
        max_total_bytes: The same for all queries together; those of services are not refused.
        analysis_timeout_seconds: ``timeout_seconds`` of a query that a child process answers.
        analysis_max_samples: Samples such a query may read; for its result ``max_samples`` holds.
        analysis_max_series: Series such a query may read.
        analysis_max_bytes: Memory of the child for what such a query reads and computes, as
            counted; all that the child allocates is limited by ``analysis.memory_bytes``.
        max_steps: Steps of a range query, the first apart.
        lookback_seconds: How old a sample may be and still stand for its series.
        subquery_step_seconds: The step of subqueries that name none.
        result_cache_bytes: Results of range queries that are kept, so that a dashboard's next
            question computes new steps only; 0 keeps none.
        cached_plans: Parsed queries that are remembered.
        delayed_name_removal: Whether metric names are dropped when a query ends rather than by
            each function (Prometheus' feature ``promql-delayed-name-removal``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    concurrent: int = Field(default=20, ge=1)
    queued: int = Field(default=200, ge=0)
    concurrent_analysis: int = Field(default=2, ge=1)
    concurrent_services: int = Field(default=8, ge=1)
    timeout_seconds: float = Field(default=120.0, gt=0)
    max_samples: int = Field(default=50_000_000, ge=1)
    max_series: int = Field(default=1_000_000, ge=1)
    max_bytes: int = Field(default=2 << 30, ge=1)
    max_total_bytes: int = Field(default=4 << 30, ge=1)
    analysis_timeout_seconds: float = Field(default=600.0, gt=0)
    analysis_max_samples: int = Field(default=150_000_000, ge=1)
    analysis_max_series: int = Field(default=1_000_000, ge=1)
    analysis_max_bytes: int = Field(default=3 << 30, ge=1)
    max_steps: int = Field(default=11_000, ge=1)
    lookback_seconds: float = Field(default=300.0, gt=0)
    subquery_step_seconds: float = Field(default=60.0, gt=0)
    result_cache_bytes: int = Field(default=128 << 20, ge=0)
    cached_plans: int = Field(default=2048, ge=0)
    delayed_name_removal: bool = False
