"""What collection can be told."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from qvmon.wire.prometheus_scrape import ScrapeConfig


class CollectionConfig(BaseModel):
    """Which targets are scraped, and how the process scrapes itself.

    Attributes:
        jobs: Prometheus' ``scrape_configs``.
        instance: The ``instance`` label of local sources, and what stands for ``localhost`` in
            addresses shown to people elsewhere.
        local_interval_seconds: How often local sources are scraped.
        local_timeout_seconds: How long a local source may take.
        spread_seed: Any text; twins with the same jobs scrape at other times when theirs differ.
        first_scrape_within_seconds: Scrape new targets once within this time, before their place
            in the interval comes; none leaves them to their place, as in Prometheus.
        max_body_bytes: The largest decompressed answer of any target, whatever its job allows.
        max_series_bytes: The longest name with labels of one exposed series; a longer one fails
            its scrape.
        threaded_body_bytes: Answers at least this large are parsed in a thread; a target's first
            answer counts tenfold.
        sender_idle_seconds: After how long without a sample the senders of remote writes (told
            apart by ``instance``, ``job``, ``service`` and ``workflow``) are unknown; 0 for never.
        sender_forget_seconds: After how long of silence a sender is retired.
        sender_samples_per_second: How many samples each sender of remote writes (told apart by user
            or token, else by address) may send on average, ten seconds of them at once; more is
            answered 429. 0 for no limit.
        sender_new_series_per_hour: How many series that were not there before each of them may
            bring within an hour; the samples of more are refused. 0 for no limit.
        first_round_limit_seconds: How long start-up waits at most for every target to be tried.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    jobs: tuple[ScrapeConfig, ...] = ()
    instance: str = "localhost"
    local_interval_seconds: float = Field(default=15.0, gt=0)
    local_timeout_seconds: float = Field(default=10.0, gt=0)
    spread_seed: str = ""
    first_scrape_within_seconds: float | None = Field(default=None, gt=0)
    max_body_bytes: int = Field(default=256 << 20, gt=0)
    max_series_bytes: int = Field(default=64 << 10, gt=0)
    threaded_body_bytes: int = Field(default=64 << 10, ge=0)
    sender_idle_seconds: float = Field(default=300.0, ge=0)
    sender_forget_seconds: float = Field(default=86_400.0, gt=0)
    sender_samples_per_second: float = Field(default=0.0, ge=0)
    sender_new_series_per_hour: int = Field(default=0, ge=0)
    first_round_limit_seconds: float = Field(default=120.0, gt=0)
