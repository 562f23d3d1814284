"""Queries over six hours of history, and how soon a program answers again after a restart."""

from __future__ import annotations

import http.client
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.figures import Figure
from benchmarks.subject import Program, Subject, await_ready, running
from benchmarks.workload import Workload, columns, history
from qvmon.model.series import SeriesKeys
from qvmon.wire.remote_write import encode

_VISIBLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Prepared:
    """Requests that carry the history, written once for all programs.

    Attributes:
        bodies: Files, in the order they are sent.
        series: How many series; ``samples``: how many samples.
        keys: The series.
        end_ms: The time of the last samples.
    """

    bodies: tuple[Path, ...]
    series: int
    samples: int
    keys: SeriesKeys
    end_ms: int


def prepared(workload: Workload, folder: Path) -> Prepared:
    """Write the requests to ``folder``."""
    folder.mkdir(parents=True)
    made, bodies, samples = history(workload, int(time.time() * 1000)), [], 0
    for number, (rows, times, values) in enumerate(made.slices):
        path = folder / f"{number:03}"
        path.write_bytes(encode(made.keys, rows, times, values))
        bodies.append(path)
        samples += len(rows)
    return Prepared(tuple(bodies), len(made.keys), samples, made.keys, made.end_ms)


@dataclass(frozen=True, slots=True)
class Question:
    """A query to time.

    Attributes:
        name: What the table calls it.
        query: PromQL.
        ranged: Whether over the whole history, at a step of a minute; else at its end.
        cold: Whether the first answer after a restart, which had to read from disk, counts too.
    """

    name: str
    query: str
    ranged: bool = True
    cold: bool = False


def _questions(workload: Workload) -> list[Question]:
    counters, buckets = f"{workload.counters:,} series", f"{workload.buckets:,} buckets"
    rate = "rate(bench_orders_total[5m])"
    quantile = "sum by (le, service) (rate(bench_ack_seconds_bucket[5m]))"
    return [
        Question(f"sum by (service) (rate), {counters}", f"sum by (service) ({rate})", cold=True),
        Question(
            f"histogram_quantile, {buckets}", f"histogram_quantile(0.99, {quantile})", cold=True
        ),
        Question(f"rate of {counters}, all answered", rate),
        Question(
            f"max_over_time over 1h, {workload.gauges:,} gauges",
            "max_over_time(bench_queue_depth[1h])",
        ),
        Question("one series selected", 'bench_orders_total{account="account-000007"}', False),
        Question(f"{counters} selected", "bench_orders_total", False),
        Question("rate of one series", 'rate(bench_orders_total{account="account-000007"}[5m])'),
    ]


def querying(
    workload: Workload, program: Program, folder: Path, data: Prepared
) -> Iterator[Figure]:
    """Send the history, restart, ask, kill, and start again."""
    with running(program, folder) as subject:
        cpu, began = subject.cpu_seconds(), time.perf_counter()
        for path in data.bodies:
            subject.write(path.read_bytes())
        seconds, cpu = time.perf_counter() - began, subject.cpu_seconds() - cpu
        _await_visible(subject, data)
    many = "remote-write, 40 samples a series a request"
    yield Figure(program.name, many, cpu / data.samples * 1e6, "CPU s/M samples")
    yield Figure(program.name, many, data.samples / seconds / 1e6, "M samples/s", True)
    size = f"{data.samples / 1e6:,.1f} M samples"
    with running(program, folder, wait=False) as subject:
        yield from _again(subject, data, f"after a restart on {size}")
        await_ready(subject)
        for question in _questions(workload):
            yield from _timed(workload, subject, question, data)
        os.killpg(subject.process.pid, signal.SIGKILL)
        subject.process.wait()
    with running(program, folder, wait=False) as subject:
        yield from _again(subject, data, f"after kill -9 on {size}")


def _await_visible(subject: Subject, data: Prepared) -> None:
    """Return once the newest sample of every series is found."""
    deadline = time.monotonic() + _VISIBLE_SECONDS
    when = data.end_ms / 1000
    while subject.number('count({job="bench"})', time=when) < data.series:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{subject.name} does not show what it was sent")
        time.sleep(0.5)


def _again(subject: Subject, data: Prepared, when: str) -> Iterator[Figure]:
    """Try to ask and to write from the start, until both have been done."""
    asked = {"query": 'bench_orders_total{account="account-000007"}', "time": data.end_ms / 1000}
    one = SeriesKeys.from_bytes([data.keys.key(0)])
    body = encode(one, *columns(np.full((1, 1), 1e9), data.end_ms + 60_000))

    def answers() -> bool:
        return b'"value"' in subject.ask("/api/v1/query", nocache=1, **asked)

    def takes() -> bool:
        subject.write(body)
        return True

    written = _seconds_until(subject, takes)
    answered = max(_seconds_until(subject, answers), written)
    yield Figure(subject.name, f"first sample taken {when}", written, "s")
    yield Figure(subject.name, f"first query answered {when}", answered, "s")


def _seconds_until(subject: Subject, done: Callable[[], bool]) -> float:
    deadline = time.monotonic() + _VISIBLE_SECONDS
    while time.monotonic() < deadline:
        try:
            if done():
                return time.perf_counter() - subject.began
        except (RuntimeError, OSError, http.client.HTTPException):
            time.sleep(0.01)
    return float("nan")


def _timed(
    workload: Workload, subject: Subject, question: Question, data: Prepared
) -> Iterator[Figure]:
    end = data.end_ms / 1000
    whole = {"start": end - workload.history_hours * 3600, "end": end, "step": 60}
    path = "/api/v1/query_range" if question.ranged else "/api/v1/query"
    moment = whole if question.ranged else {"time": end}
    asked = {"query": question.query, "nocache": 1, **moment}

    def once() -> float:
        began = time.perf_counter()
        answer = subject.ask(path, **asked)
        took = time.perf_counter() - began
        if b'"metric"' not in answer:
            raise RuntimeError(f"{subject.name} answers nothing to {question.query}")
        return took

    first = once()
    cpu = subject.cpu_seconds()
    taken = [once() for _ in range(workload.repeats)]
    cpu = (subject.cpu_seconds() - cpu) / workload.repeats
    if question.cold:
        yield Figure(subject.name, f"{question.name}: cold", first * 1000, "ms")
    yield Figure(subject.name, question.name, median(taken) * 1000, "ms")
    if median(taken) > 0.02:
        yield Figure(subject.name, f"{question.name}: CPU", cpu * 1000, "ms")
