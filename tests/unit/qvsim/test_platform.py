"""The platform as it really runs: processes, faults by REST and by command, and their end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from qvsim.platform import Addresses

pytestmark = pytest.mark.slow


class Platform:
    def __init__(self, folder: Path) -> None:
        ports, self.targets = folder / "ports.json", folder / "sd" / "targets.json"
        command = [sys.executable, "-m", "qvsim", "run", "--base-port", "0"]
        command += ["--port-file", str(ports), "--targets-file", str(self.targets)]
        command += ["--end-with-stdin"]
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        eventually(ports.exists, (folder / "log").read_text)
        self.addresses = json.loads(ports.read_text())

    def wait(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(20)

    def status(self) -> dict[str, Any]:
        answer = httpx.get(f"{self.addresses['control']}/control/status", trust_env=False)
        return {each["workflow"]: each for each in answer.json()}

    def pids(self) -> list[int]:
        return [each["pid"] for each in self.status().values()]

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "QVSIM_CONTROL": self.addresses["control"]}
        command = [sys.executable, "-m", "qvsim", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def eventually(holds: Callable[[], bool], explain: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, explain()
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Return whether a process is there and not merely waiting for its parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    running = Platform(tmp_path_factory.mktemp("platform"))
    yield running
    running.process.terminate()
    running.wait()


@pytest.fixture
def doomed(tmp_path: Path) -> Iterator[Platform]:
    """A platform of the test's own, for it to end."""
    running = Platform(tmp_path)
    yield running
    running.process.kill()
    running.wait()


def test_every_workflow_serves_metrics_and_is_a_labelled_target(platform: Platform) -> None:
    for name, url in platform.addresses["workflows"].items():
        assert "process_cpu_seconds_total" in httpx.get(f"{url}/metrics", trust_env=False).text, (
            name
        )
    groups = json.loads(platform.targets.read_text())
    assert {group["labels"]["workflow"] for group in groups} == set(platform.status())
    assert all(group["labels"]["service"] and group["targets"] for group in groups)


def test_a_crashed_workflow_stays_down_until_cleared_and_others_go_on(platform: Platform) -> None:
    before = platform.status()
    assert platform.command("fault", "set", "trade-execution", "crash").returncode == 0
    eventually(lambda: platform.status()["trade-execution"]["state"] == "down")
    assert not is_running(before["trade-execution"]["pid"])
    assert platform.status()["trading-decision"]["pid"] == before["trading-decision"]["pid"]
    platform.command("fault", "clear", "trade-execution")
    eventually(lambda: platform.status()["trade-execution"]["state"] == "up")
    assert "trade-execution" in platform.command("status").stdout


def test_a_crashed_workflow_restarts_by_itself_where_told_and_keeps_other_faults(
    platform: Platform,
) -> None:
    url = f"{platform.addresses['control']}/control/faults/trading-decision"
    httpx.put(url, json={"kind": "latency", "factor": 7}, trust_env=False)
    httpx.put(url, json={"kind": "crash", "restart_after_seconds": 0}, trust_env=False)
    eventually(lambda: platform.status()["trading-decision"]["restarts"] == 1)
    assert platform.status()["trading-decision"]["faults"] == [{"kind": "latency", "factor": 7.0}]


def test_wrong_requests_say_what_is_wrong(platform: Platform) -> None:
    unknown = platform.command("fault", "set", "nope", "latency")
    unfit = platform.command("fault", "set", "trading-decision", "feed-gap")
    wrong = platform.command("fault", "set", "trading-decision", "errors", "--rate", "7")
    assert [each.returncode for each in (unknown, unfit, wrong)] == [1, 1, 1]
    assert "no workflow 'nope'" in unknown.stderr
    assert "reads no feed" in unfit.stderr
    assert "errors.rate" in wrong.stderr


def test_a_signal_to_stop_ends_every_process(doomed: Platform) -> None:
    pids = doomed.pids()
    doomed.process.send_signal(signal.SIGINT)
    assert doomed.process.wait(20) == 0
    assert not any(map(is_running, pids))


def test_no_workflow_outlives_a_killed_supervisor(doomed: Platform) -> None:
    pids = doomed.pids()
    doomed.process.kill()
    eventually(lambda: not any(map(is_running, pids)))


def test_the_platform_ends_with_whoever_holds_its_standard_input(doomed: Platform) -> None:
    pids = doomed.pids()
    assert doomed.process.stdin
    doomed.process.stdin.close()
    assert doomed.process.wait(20) == 0
    eventually(lambda: not any(is_running(pid) for pid in pids))


def test_ports_follow_the_base_port() -> None:
    addresses = Addresses.assign("127.0.0.1", 9200)
    assert addresses.control_port == 9200
    assert sorted(addresses.ports.values()) == [9201, 9202, 9203, 9204]
