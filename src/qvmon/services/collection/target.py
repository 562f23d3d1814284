"""Targets: what relabelling makes of what was discovered. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, urlencode

from qvmon.model.errors import QvmonError, invalid
from qvmon.model.labels import Labels
from qvmon.promql.durations import format_duration, parse_duration
from qvmon.relabel import relabel
from qvmon.wire.prometheus_scrape import ScrapeConfig

ADDRESS = "__address__"
SCHEME = "__scheme__"
METRICS_PATH = "__metrics_path__"
INTERVAL = "__scrape_interval__"
TIMEOUT = "__scrape_timeout__"
PARAM = "__param_"
RESERVED = "__"


@dataclass(frozen=True)
class Target:
    """One endpoint to scrape.

    Attributes:
        job: The name of its scrape configuration (its pool).
        labels: The labels every series of it gets.
        discovered: All labels before relabelling.
        url: What is fetched.
        interval_ms: How often.
        timeout_ms: How long a scrape may take.
    """

    job: str
    labels: Labels
    discovered: Labels
    url: str
    interval_ms: int
    timeout_ms: int

    @cached_property
    def key(self) -> tuple[Labels, str, int, int]:
        """What makes it the same target as one discovered before."""
        return self.labels, self.url, self.interval_ms, self.timeout_ms

    @cached_property
    def spread(self) -> int:
        """A number below 2**64 by which targets are spread over their interval."""
        return stable_number(self.labels.encode() + self.url.encode())


def stable_number(identity: bytes) -> int:
    """Return a number below 2**64 that is the same in every process and spread evenly."""
    return int.from_bytes(hashlib.blake2b(identity, digest_size=8).digest(), "big")


def discovered_labels(
    job: ScrapeConfig, own: Mapping[str, str], group: Mapping[str, str]
) -> Labels:
    """Return a target's labels before relabelling: its own, its group's, then the job's."""
    defaults = {
        "job": job.job_name,
        INTERVAL: format_duration(job.scrape_interval_ms),
        TIMEOUT: format_duration(job.scrape_timeout_ms),
        METRICS_PATH: job.metrics_path,
        SCHEME: job.scheme,
        **{PARAM + name: values[0] for name, values in job.params.items() if values},
    }
    given = Labels(group).merged(Labels(own))
    return Labels(defaults).merged(given)


def target_from(job: ScrapeConfig, discovered: Labels) -> Target | None:
    """Return the target that ``discovered`` describes, or nothing when relabelling drops it.

    Raises:
        QvmonError: INVALID, when what remains is no target.
    """
    labels = relabel(discovered, job.target_rules)
    if labels is None:
        return None
    address = labels.get(ADDRESS, "")
    if not address:
        raise invalid("no address", job=job.job_name)
    if "/" in address:
        raise invalid(f'"{address}" is not a valid hostname', job=job.job_name)
    interval, timeout = _timing(labels, job.job_name)
    public = Labels((k, v) for k, v in labels.pairs() if not k.startswith(RESERVED))
    if "instance" not in public:
        public = public.merged({"instance": address})
    return Target(job.job_name, public, discovered, _url(job, labels), interval, timeout)


def _timing(labels: Labels, job: str) -> tuple[int, int]:
    interval = _duration(labels.get(INTERVAL, ""), "interval", job)
    timeout = _duration(labels.get(TIMEOUT, ""), "timeout", job)
    if timeout > interval:
        raise invalid(
            "scrape timeout cannot be greater than scrape interval "
            f'("{labels[TIMEOUT]}" > "{labels[INTERVAL]}")',
            job=job,
        )
    return interval, timeout


def _duration(text: str, what: str, job: str) -> int:
    try:
        milliseconds = parse_duration(text)
    except QvmonError as error:
        raise invalid(f"error parsing scrape {what}: {error.message}", job=job) from None
    if milliseconds == 0:
        raise invalid(f"scrape {what} cannot be 0", job=job)
    return milliseconds


def _url(job: ScrapeConfig, labels: Labels) -> str:
    query = {name: list(values) for name, values in job.params.items()}
    for name, value in labels.pairs():
        if name.startswith(PARAM):
            key = name.removeprefix(PARAM)
            query[key] = [value, *query.get(key, [])[1:]]
    path = quote(labels.get(METRICS_PATH, ""), safe="/%:@!$&'()*+,;=~-._")
    if path and not path.startswith("/"):
        path = "/" + path
    encoded = urlencode(sorted(query.items()), doseq=True)
    return f"{labels.get(SCHEME, '')}://{labels[ADDRESS]}{path}" + (
        f"?{encoded}" if encoded else ""
    )
