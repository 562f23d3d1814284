"""Scraping: what a sample costs, how many series fit, and what rules over them cost."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.exposition_server import Targets, exposed
from benchmarks.figures import Figure
from benchmarks.subject import Program, Subject, running
from benchmarks.workload import Workload

_SETTLE_SECONDS = 4.0
_KEPT_UP = 0.97
_TICKS = 15
_RULE_TARGETS, _RULE_SERIES = 10, 2_000


def scraping(workload: Workload, program: Program, folder: Path) -> Iterator[Figure]:
    """Scrape targets of 5,000 series each second, without rules."""
    with exposed(workload.target_series) as targets:
        config = _configuration(folder, targets.port, workload.targets)
        with running(program, folder, config) as subject:
            cpu, bodies, _ = _watched(subject, targets, workload.targets, workload.scrape_seconds)
    samples = bodies * workload.target_series
    size = f"targets of {workload.target_series:,} series"
    yield Figure(
        program.name, f"scraping {size} each second", cpu / samples * 1e6, "CPU s/M samples"
    )


def most(workload: Workload, program: Program, folder: Path) -> Iterator[Figure]:
    """Find how many series can be scraped each second before scrapes come late.

    The number of targets grows by half until a program does not keep up, and is then halved in.
    """
    with exposed(workload.target_series) as targets:
        low, high = 0, 0
        count = max(1, 200_000 // workload.target_series)
        while not high or high - low > max(1, low // 10):
            if _keeps_up(workload, program, folder / str(count), targets, count):
                low = count
            else:
                high = count
            count = (low + high) // 2 if high else count * 3 // 2 + 1
    series = low * workload.target_series
    yield Figure(program.name, "most series scraped each second", series / 1e6, "M series", True)


def _keeps_up(
    workload: Workload, program: Program, folder: Path, targets: Targets, count: int
) -> bool:
    config = _configuration(folder, targets.port, count)
    with running(program, folder, config) as subject:
        _, bodies, seconds = _watched(subject, targets, count, workload.scrape_seconds)
        kept_up = bodies >= _KEPT_UP * count * seconds
        print(f"{program.name}: {count} targets: {bodies / seconds:.1f} scrapes a second")
    return kept_up


def _watched(
    subject: Subject, targets: Targets, count: int, seconds: float
) -> tuple[float, int, float]:
    """Return CPU seconds, bodies sent and wall seconds of a while of steady scraping."""
    deadline = time.monotonic() + 60
    while subject.number("sum(up)") < count and time.monotonic() < deadline:
        time.sleep(0.5)
    time.sleep(_SETTLE_SECONDS)
    cpu, bodies, began = subject.cpu_seconds(), targets.sent(), time.monotonic()
    time.sleep(seconds)
    return subject.cpu_seconds() - cpu, targets.sent() - bodies, time.monotonic() - began


def _configuration(folder: Path, port: int, targets: int, rules: Path | None = None) -> Path:
    """Write ``prometheus.yml``; JSON is YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    static = [
        {
            "targets": [f"127.0.0.1:{port}"],
            "labels": {"__metrics_path__": f"/{target}", "instance": f"target-{target}"},
        }
        for target in range(targets)
    ]
    config: dict[str, Any] = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "bench", "static_configs": static}],
    }
    if rules:
        config["rule_files"] = [str(rules)]
        config["global"]["evaluation_interval"] = "1s"
    path = folder / "prometheus.yml"
    path.write_text(json.dumps(config))
    return path


def ruling(workload: Workload, program: Program, folder: Path) -> Iterator[Figure]:
    """Evaluate recording and alerting rules over everything scraped, each second."""
    if not program.has_rules:
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yml").write_text(json.dumps(_rules(workload.rules)))
    series = min(_RULE_SERIES, workload.target_series)
    with exposed(series) as targets:
        config = _configuration(folder, targets.port, _RULE_TARGETS, folder / "rules.yml")
        with running(program, folder, config) as subject:
            cpu, bodies, _ = _watched(subject, targets, _RULE_TARGETS, workload.scrape_seconds)
            tick = _tick_ms(subject)
    cost = cpu / (bodies * series) * 1e6
    yield Figure(program.name, f"scraping with {2 * workload.rules} rules", cost, "CPU s/M samples")
    yield Figure(program.name, f"a tick of a group of {2 * workload.rules} rules", tick, "ms")


def _tick_ms(subject: Subject) -> float:
    """Return how long the evaluation of the whole group takes, as the rules API tells it.

    Of single rules nothing comparable is told: qvmon evaluates those of a group together, so that
    each lasts as long as all, and Prometheus one after the other.
    """
    taken: list[float] = []
    for _ in range(_TICKS):
        groups = json.loads(subject.ask("/api/v1/rules"))["data"]["groups"]
        taken.append(sum(group["evaluationTime"] for group in groups))
        time.sleep(1)
    return statistics.median(taken) * 1000


def _rules(count: int) -> dict[str, Any]:
    rules: list[dict[str, Any]] = []
    for number in range(count):
        venue = f'venue="venue-{number % 5}"'
        rate = f"rate(bench_order_to_ack_seconds_bucket{{{venue}}}[10s])"
        quantile = f"histogram_quantile(0.95, sum by (strategy, le) ({rate}))"
        rules.append({"record": f"bench:p95_{number}", "expr": quantile})
        alert = f"sum by (strategy) ({rate}) < {-1 - number}"
        rules.append({"alert": f"Bench{number}", "expr": alert, "for": "10s"})
    return {"groups": [{"name": "bench", "interval": "1s", "rules": rules}]}
