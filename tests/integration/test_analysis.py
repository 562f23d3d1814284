"""Merging and analysis queries in child processes of a real qvmon, whatever happens to these."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from qvmon.model.labels import Labels
from qvmon.model.series import SeriesKeys
from qvmon.wire.remote_write.encoding import encode
from tests.servers import free_port, wait_until
from tests.servers.qvmon import Qvmon

pytestmark = pytest.mark.slow

CONFIG = """
local: {host: false, qvmon: false}
telemetry: {block_seconds: 300, upkeep_interval_seconds: 0.2}
analysis: {memory_bytes: 536870912}
"""
HOURS = 2
STEP = 30
SERIES = 2_000
HEADERS = {"Content-Encoding": "snappy"}
END = int(time.time()) // 300 * 300
START = END - HOURS * 3600

PLAIN = "sum by (zone) (rate(orders_total[5m]))"
LARGE = "count(sum_over_time(orders_total[2h:1s]))"


@pytest.fixture(scope="module")
def qvmon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Qvmon]:
    """A qvmon that was sent two hours of 2,000 counters, most of which are in blocks."""
    home, port = tmp_path_factory.mktemp("qvmon"), free_port()
    (home / "qvmon.yml").write_text(CONFIG)
    arguments = ["--config", "qvmon.yml", "--data-dir", "data"]
    started = Qvmon(home, port, [*arguments, "--listen", f"127.0.0.1:{port}", "--no-auth"])
    started.start()
    try:
        send(started)
        yield started
    finally:
        started.stop()


def send(qvmon: Qvmon) -> None:
    """Write every sample, ten minutes a request."""
    keys = SeriesKeys.from_labels(
        Labels({"__name__": "orders_total", "i": str(i), "zone": "abc"[i % 3]})
        for i in range(SERIES)
    )
    with qvmon.client() as client:
        for first in range(START, END + 1, 600):
            times = np.arange(first, min(first + 600, END + 1), STEP)
            rows = np.tile(np.arange(SERIES), len(times))
            stamps = np.repeat(times * 1000, SERIES)
            values = (stamps / 1000 - START) * (1 + rows % 7)
            answer = client.post(
                "/api/v1/write", content=encode(keys, rows, stamps, values), headers=HEADERS
            )
            assert answer.is_success, answer.text


def asked(qvmon: Qvmon, query: str, *, patience: float = 60, **options: Any) -> httpx.Response:
    """The answer to a range query over all there is."""
    span = {"start": START, "end": END, "step": 60}
    with httpx.Client(base_url=qvmon.url, trust_env=False, timeout=patience) as client:
        return client.post("/api/v1/query_range", data={"query": query, **span, **options})


def metric(qvmon: Qvmon, name: str) -> float:
    """The value of one of qvmon's own series."""
    with qvmon.client() as client:
        lines = client.get("/metrics").text.splitlines()
    return float(next((each.split()[1] for each in lines if each.startswith(name)), "0"))


def children(qvmon: Qvmon) -> list[int]:
    """The process ids of the children."""
    assert qvmon.process
    threads = Path(f"/proc/{qvmon.process.pid}/task")
    return [int(pid) for each in threads.glob("*/children") for pid in each.read_text().split()]


def views(qvmon: Qvmon, file: str = "") -> list[Path]:
    """The views there are, or a file of each."""
    return list((qvmon.home / "data" / "telemetry" / "views").glob(f"*/{file}"))


@contextmanager
def halted_children(qvmon: Qvmon) -> Iterator[None]:
    """Have children take tasks, and never end them."""
    assert asked(qvmon, PLAIN, priority="analysis").is_success
    halted = children(qvmon)
    for pid in halted:
        os.kill(pid, signal.SIGSTOP)
    yield
    for pid in set(halted) & set(children(qvmon)):
        os.kill(pid, signal.SIGCONT)


def in_thread(work: Callable[[], httpx.Response]) -> tuple[threading.Thread, list[httpx.Response]]:
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(work()))
    thread.start()
    return thread, answers


def listed(qvmon: Qvmon) -> list[dict[str, Any]]:
    shown: list[dict[str, Any]] = qvmon.get("/queries")["queries"]
    return [each for each in shown if each["priority"] == "analysis"]


def test_blocks_are_merged_by_a_child_and_all_samples_are_there(qvmon: Qvmon) -> None:
    done = 'qvmon_analysis_tasks_total{outcome="ok",work="merging"}'
    wait_until(lambda: metric(qvmon, done) >= 4, "blocks are merged", seconds=60, log=qvmon.log)
    (found,) = qvmon.query(f"sum(count_over_time(orders_total[{HOURS + 1}h] @ {END}))")
    assert found["value"][1] == str(SERIES * (HOURS * 3600 // STEP + 1))


def test_an_analysis_query_is_answered_by_a_child_as_it_is_without_one(qvmon: Qvmon) -> None:
    before = metric(qvmon, 'qvmon_analysis_tasks_total{outcome="ok",work="queries"}')
    apart, here = asked(qvmon, PLAIN, priority="analysis"), asked(qvmon, PLAIN)
    assert apart.status_code == 200, apart.text
    assert apart.json() == here.json()
    assert len(apart.json()["data"]["result"]) == 3
    assert metric(qvmon, 'qvmon_analysis_tasks_total{outcome="ok",work="queries"}') == before + 1
    assert metric(qvmon, 'qvmon_analysis_running_processes{work="queries"}') == 1


def test_too_little_memory_is_said_and_everything_else_goes_on(qvmon: Qvmon) -> None:
    answer = asked(qvmon, LARGE, priority="analysis")
    assert (answer.status_code, answer.json()["errorType"]) == (422, "execution")
    assert "536,870,912 bytes are allowed (analysis.memory_bytes)" in answer.json()["error"]
    assert asked(qvmon, PLAIN).is_success
    assert asked(qvmon, PLAIN, priority="analysis").is_success


def test_a_killed_child_costs_its_query_alone(qvmon: Qvmon) -> None:
    deaths = metric(qvmon, 'qvmon_analysis_deaths_total{work="queries"}')
    with halted_children(qvmon):
        thread, answers = in_thread(lambda: asked(qvmon, PLAIN, priority="analysis"))
        wait_until(lambda: views(qvmon, "tombstones.json"), "it has its view", log=qvmon.log)
        (shown,) = listed(qvmon)
        assert (shown["query"], shown["kind"], shown["state"]) == (PLAIN, "range", "running")
        assert asked(qvmon, PLAIN).is_success
        for pid in children(qvmon):
            os.kill(pid, signal.SIGKILL)
        thread.join()
    (answer,) = answers
    assert (answer.status_code, answer.json()["errorType"]) == (503, "unavailable")
    assert "ended with status -9" in answer.json()["error"]
    assert metric(qvmon, 'qvmon_analysis_deaths_total{work="queries"}') == deaths + 1
    assert asked(qvmon, PLAIN, priority="analysis").json() == asked(qvmon, PLAIN).json()


def test_a_client_that_goes_away_ends_the_child(qvmon: Qvmon) -> None:
    with halted_children(qvmon):
        with pytest.raises(httpx.TimeoutException):
            asked(qvmon, PLAIN, patience=1, priority="analysis")
        wait_until(lambda: not listed(qvmon), "the query is gone", log=qvmon.log)
    assert not views(qvmon)
