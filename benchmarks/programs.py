"""qvmon and Prometheus, whole: the same configuration, targets, history, rules and queries."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import Figure
from benchmarks.subject import Subject, commands, free_port, running
from benchmarks.workload import Workload, history, history_keys
from qvmon.wire.remote_write import encode

_SLICES = 24
_SETTLE_SECONDS = 3.0
_RULE_SECONDS = {
    "qvmon": "qvmon_alerting_rule_evaluation_seconds",
    "prometheus": "prometheus_rule_evaluation_duration_seconds",
}
_GROUP_SECONDS = {
    "qvmon": "qvmon_alerting_group_last_duration_seconds",
    "prometheus": "prometheus_rule_group_last_duration_seconds",
}


def measure(workload: Workload, folder: Path) -> list[Figure]:
    """Return the figures of every program that is installed, one after the other."""
    figures: list[Figure] = []
    with _targets(workload) as port:
        config = _configuration(workload, folder, port)
        for name in commands(config, folder, 0):
            listen = free_port()
            command = commands(config, folder, listen)[name]
            with running(name, command, listen, folder / f"{name}.log") as subject:
                figures += _scraping(workload, subject)
                figures += _history(workload, subject)
                figures += _queries(workload, subject)
                figures += _rules(workload, subject)
    return figures


@contextmanager
def _targets(workload: Workload) -> Iterator[int]:
    """Serve expositions from a process of its own while the block lasts."""
    command = [sys.executable, "-m", "benchmarks.exposition_server"]
    command += [str(workload.targets), str(workload.series_per_target)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout
    try:
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.wait()


def _configuration(workload: Workload, folder: Path, port: int) -> Path:
    """Write ``prometheus.yml`` and its rules; JSON is YAML."""
    rules: list[dict[str, Any]] = []
    for number in range(workload.rules):
        venue = f'venue="venue-{number % 5}"'
        rate = f"rate(bench_order_to_ack_seconds_bucket{{{venue}}}[10s])"
        quantile = f"histogram_quantile(0.95, sum by (strategy, le) ({rate}))"
        rules.append({"record": f"bench:p95_{number}", "expr": quantile})
        alert = f"sum by (strategy) ({rate}) < {-1 - number}"
        rules.append({"alert": f"Bench{number}", "expr": alert, "for": "10s"})
    groups = {"groups": [{"name": "bench", "interval": "1s", "rules": rules}]}
    (folder / "rules.yml").write_text(json.dumps(groups))
    static = [
        {
            "targets": [f"127.0.0.1:{port}"],
            "labels": {"__metrics_path__": f"/{target}", "instance": f"target-{target}"},
        }
        for target in range(workload.targets)
    ]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / "rules.yml")],
        "scrape_configs": [{"job_name": "bench", "static_configs": static}],
    }
    path = folder / "prometheus.yml"
    path.write_text(json.dumps(config))
    return path


def _scraping(workload: Workload, subject: Subject) -> list[Figure]:
    """Watch it scrape and evaluate rules, once every target is known and caches are warm."""
    idle = subject.resident_bytes()
    while subject.number("sum(up)") < workload.targets:
        time.sleep(0.5)
    time.sleep(_SETTLE_SECONDS)
    cpu, began = subject.cpu_seconds(), time.monotonic()
    time.sleep(workload.scrape_seconds)
    cpu, seconds = subject.cpu_seconds() - cpu, time.monotonic() - began
    scrapes = f"sum(count_over_time(up[{round(seconds)}s]))"
    samples = subject.number(scrapes) * workload.series_per_target
    series = workload.targets * workload.series_per_target
    grown = subject.resident_bytes() - idle
    return [
        Figure(subject.name, "scraped", samples / seconds, "samples/s", True),
        Figure(subject.name, "scraping and rules, CPU", cpu / samples * 1e6, "s per M samples"),
        Figure(subject.name, "memory when started", idle / 2**20, "MiB"),
        Figure(subject.name, "memory while scraping", subject.resident_bytes() / 2**20, "MiB"),
        Figure(subject.name, "memory of a series", grown / series, "bytes"),
    ]


def _history(workload: Workload, subject: Subject) -> list[Figure]:
    """Send old samples by remote-write."""
    keys, end_ms = history_keys(workload), int(time.time() * 1000)
    bodies = [encode(keys, *columns) for columns in history(workload, end_ms, _SLICES)]
    cpu, began = subject.cpu_seconds(), time.monotonic()
    for body in bodies:
        subject.write(body)
    cpu, seconds = subject.cpu_seconds() - cpu, time.monotonic() - began
    samples = workload.history_series * workload.history_samples
    return [
        Figure(subject.name, "remote-write received", samples / seconds / 1e6, "M samples/s", True),
        Figure(subject.name, "remote-write, CPU", cpu / samples * 1e6, "s per M samples"),
    ]


def _queries(workload: Workload, subject: Subject) -> Iterator[Figure]:
    """Ask for rates of every series that has a history."""
    end = time.time()
    history_seconds = workload.history_samples * workload.history_step_ms / 1000
    whole = {"start": end - history_seconds, "end": end, "step": history_seconds / 360}
    count = f"{workload.history_series:,} series"
    asked: dict[str, dict[str, Any]] = {
        f"sum of rate of {count}, 361 steps": {
            "path": "/api/v1/query_range",
            "query": "sum(rate(bench_orders_total[5m]))",
            **whole,
        },
        f"rate of {count}, all answered": {
            "path": "/api/v1/query",
            "query": "rate(bench_orders_total[5m])",
            "time": end - 60,
        },
        "p95 by strategy over the history": {
            "path": "/api/v1/query_range",
            "query": "quantile by (strategy) (0.95, rate(bench_orders_total[5m]))",
            **whole,
        },
    }
    for name, parameters in asked.items():
        path = parameters.pop("path")
        result = subject.get(path, **parameters)["result"]
        if not result:
            raise RuntimeError(f"{subject.name} answers nothing to {parameters['query']}")
        yield from _timed(workload, subject, name, path, parameters)


def _timed(
    workload: Workload, subject: Subject, name: str, path: str, parameters: dict[str, Any]
) -> Iterator[Figure]:
    taken, cpu = [], subject.cpu_seconds()
    for _ in range(workload.queries):
        began = time.perf_counter()
        subject.client.get(f"{subject.url}{path}", params=parameters).raise_for_status()
        taken.append(time.perf_counter() - began)
    cpu = (subject.cpu_seconds() - cpu) / workload.queries
    yield Figure(subject.name, name, median(taken) * 1000, "ms")
    yield Figure(subject.name, f"{name}, CPU", cpu * 1000, "ms")


def _rules(workload: Workload, subject: Subject) -> Iterator[Figure]:
    """Say how long rules take, by the program's own account."""
    name = _RULE_SECONDS[subject.name]
    count = subject.exposed(f"{name}_count")
    if count:
        mean = subject.exposed(f"{name}_sum") / count
        yield Figure(subject.name, "rule evaluated, on average", mean * 1000, "ms")
    group = subject.exposed(_GROUP_SECONDS[subject.name])
    yield Figure(subject.name, f"group of {2 * workload.rules} rules evaluated", group * 1000, "ms")
