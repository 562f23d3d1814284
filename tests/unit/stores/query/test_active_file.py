"""What ran is known after a crash."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from qvmon.model.access import service_principal
from qvmon.model.metrics import Registry
from qvmon.stores.query.active_file import MAGIC, SLOT_BYTES, ActiveFile, ActiveQuery, read_active
from qvmon.stores.query.admission import Priority
from qvmon.stores.query.budget import Bounds, Budget, MemoryPool
from qvmon.stores.query.running import RunningQueries
from qvmon.testing.clock import JumpingClock


def query(number: int, text: str = "up") -> ActiveQuery:
    return ActiveQuery(text, "range", "person", number)


def test_what_was_not_cleared_is_read_back_oldest_first(tmp_path: Path) -> None:
    file = ActiveFile(tmp_path / "queries" / "active", 3)
    slots = [file.put(query(number)) for number in (3, 1, 2)]
    assert file.put(query(4)) is None
    file.clear(slots[0])
    assert [each.started_us for each in read_active(tmp_path / "queries" / "active")] == [1, 2]


def test_a_killed_process_leaves_its_queries_to_the_next(tmp_path: Path) -> None:
    """A process that ends without warning has synced nothing; its successor reads it all."""
    path = tmp_path / "active"
    program = (
        "import os, sys; from pathlib import Path;"
        "from qvmon.stores.query.active_file import *;"
        "file = ActiveFile(Path(sys.argv[1]), 4);"
        "file.put(ActiveQuery('rate(x[5m])', 'instant', 'token', 7));"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert done.returncode == -9
    assert read_active(path) == (ActiveQuery("rate(x[5m])", "instant", "token", 7),)
    ActiveFile(path, 4)
    assert read_active(path) == ()


def test_every_page_has_its_place_on_the_disk_before_it_is_written(tmp_path: Path) -> None:
    """A mapped page for which a full disk has no room would end the process by SIGBUS."""
    ActiveFile(tmp_path / "active", 100)
    status = (tmp_path / "active").stat()
    assert status.st_blocks * 512 >= status.st_size > 100 * SLOT_BYTES


def test_queries_run_unwritten_where_there_is_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    running = RunningQueries(JumpingClock(), Registry(), tmp_path / "active", 4)
    principal = service_principal("test")
    budget = Budget(Bounds(1, 1, 1, 1), MemoryPool(1), never_refused=False)
    query = running.arrived(principal, "instant", "up", Priority.DASHBOARDS, budget)
    running.begins(query)
    assert [each.state for each in running.all()] == ["running"]
    running.left(query)
    assert running.all() == []


@pytest.mark.parametrize("text", ["x" * 5000, "€" * 5000, "\x00" * 5000, '"' * 5000])
def test_a_long_query_is_cut_to_its_slot(tmp_path: Path, text: str) -> None:
    file = ActiveFile(tmp_path / "active", 2)
    file.put(query(1, text))
    file.put(query(2))
    (first, second) = read_active(tmp_path / "active")
    assert first.text
    assert text.startswith(first.text)
    assert second.text == "up"


def test_damage_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "active"
    file = ActiveFile(path, 4)
    for number in range(4):
        file.put(query(number))
    whole = path.read_bytes()
    chance = random.Random(7)
    for _ in range(200):
        torn = bytearray(whole)
        torn[chance.randrange(len(MAGIC) + 4 * SLOT_BYTES)] ^= 1 << chance.randrange(8)
        path.write_bytes(torn[: chance.randrange(len(torn))])
        assert set(read_active(path)) <= {query(number) for number in range(4)}


def test_no_file_means_no_crash(tmp_path: Path) -> None:
    assert read_active(tmp_path / "none") == ()
