"""How ``qvmon serve`` starts and ends as a process: when it cannot, and when it is told to."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import numpy as np
import pytest

from qvmon.model.labels import Labels
from qvmon.model.series import SeriesKeys
from qvmon.wire.remote_write import encode
from tests.servers import answers, free_port, wait_until

pytestmark = pytest.mark.slow

SERIES, ROUNDS = 20_000, 200
WRITE_A_LOG = f"""
import os, sys
import numpy as np
from pathlib import Path
from qvmon.model.labels import Labels
from qvmon.model.series import SampleBatch, SeriesKeys
from qvmon.tsdb.database import Database
from qvmon.tsdb.options import Options

database = Database(Path(sys.argv[1]), Options())
keys = SeriesKeys.from_labels(Labels(__name__="old", n=str(n)) for n in range({SERIES}))
ids, end = database.series_ids(keys), int(sys.argv[2])
for number in range({ROUNDS}):
    times = np.full({SERIES}, end - 1000 * ({ROUNDS} - number))
    database.append([SampleBatch(ids, times, np.full({SERIES}, float(number)))], end)
os._exit(0)  # as a kill: all of it is in the log
"""


class Process:
    """``qvmon serve`` without authentication, on a directory and a port."""

    def __init__(self, home: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        settings = home / "qvmon.yml"
        settings.write_text("local: {host: false, qvmon: false}\n")
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "qvmon", "serve", "--config", str(settings), "--no-auth"),
                *("--data-dir", str(home / "data"), "--listen", f"127.0.0.1:{port}"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def until(self, path: str) -> None:
        """Return once a path is answered with success."""
        wait_until(lambda: answers(self.url + path), f"{path} of qvmon", seconds=60)

    def told(self, number: signal.Signals) -> tuple[int, str, str]:
        """Send a signal; return the exit status and what was printed and logged."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> tuple[int, str, str]:
        output, log = self.process.communicate(timeout=60)
        return self.process.returncode, output, log


Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(port: int | None = None) -> Process:
            process = Process(tmp_path, port or free_port())
            stack.enter_context(process.process)
            stack.callback(process.process.kill)
            return process

        yield started


def test_it_says_where_it_is_ready_and_ends_well_when_told(start: Start) -> None:
    qvmon = start()
    assert qvmon.process.stdout
    assert qvmon.process.stdout.readline() == f"qvmon is ready at {qvmon.url}\n"
    status, _, log = qvmon.told(signal.SIGTERM)
    assert status == 0
    assert "Traceback" not in log


def test_a_port_in_use_is_one_clear_line(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, output, log = start(port).ended()
    assert (status, output) == (1, "")
    assert log.splitlines()[-1] == (
        f"qvmon: cannot listen on 127.0.0.1:{port}: Address already in use"
    )


def test_a_second_process_on_a_directory_is_refused_and_the_first_goes_on(start: Start) -> None:
    first = start()
    first.until("/-/ready")
    status, output, log = start().ended()
    assert (status, output) == (1, "")
    assert log.splitlines()[-1].endswith("is owned by a running qvmon")
    assert answers(f"{first.url}/-/ready")


def test_told_to_end_while_it_starts_it_ends_well_and_is_never_ready(start: Start) -> None:
    qvmon = start()
    qvmon.until("/-/healthy")
    status, output, log = qvmon.told(signal.SIGTERM)
    assert (status, output) == (0, "")
    assert "Traceback" not in log


def test_samples_of_a_start_that_replays_are_kept_though_it_is_told_to_end(
    start: Start, tmp_path: Path
) -> None:
    end = int(time.time() * 1000)
    store = tmp_path / "data" / "telemetry"
    store.parent.mkdir()
    program = [sys.executable, "-c", WRITE_A_LOG, str(store), str(end)]
    subprocess.run(program, check=True)
    qvmon = start()
    qvmon.until("/-/healthy")
    one = SeriesKeys.from_labels([Labels(__name__="early")])
    body = encode(one, np.zeros(1, np.int64), np.array([end]), np.ones(1))
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    written = httpx.post(f"{qvmon.url}/api/v1/write", content=body, headers=headers, timeout=30)
    assert written.status_code == 204, written.text
    assert qvmon.told(signal.SIGTERM)[0] == 0
    again = start()
    again.until("/-/ready")
    asked = {"query": "sum(count_over_time({__name__=~'old|early'}[1h]))", "time": end / 1000}
    answer = httpx.get(f"{again.url}/api/v1/query", params=asked, timeout=60).json()
    assert answer["data"]["result"][0]["value"][1] == str(SERIES * ROUNDS + 1)
