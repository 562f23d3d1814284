"""A power cut at any moment: what is left has all that was acknowledged, and nothing else."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from qvmon.model.labels import Matcher, MatchOp
from qvmon.tsdb.database import Database
from qvmon.tsdb.files.durable import sync
from qvmon.tsdb.snapshot import restore_snapshot
from tests.unit.tsdb.conftest import Small, options
from tests.unit.tsdb.power import Disk

SERIES = (1, 2)
Samples = dict[int, dict[int, float]]


def test_the_disk_of_this_test_forgets_what_was_not_synced(tmp_path, monkeypatch):
    """The measure must be able to fail."""
    disk = Disk(monkeypatch, lambda: None)
    root = tmp_path / "root"
    root.mkdir()
    with (root / "kept").open("wb") as file:
        file.write(b"synced")
        file.flush()
        os.fsync(file.fileno())
        file.write(b" and not")
    sync(root)
    (root / "unnamed").write_bytes(b"never synced")
    (root / "kept").rename(root / "renamed")
    disk.cut(root, tmp_path / "after", None)
    assert {each.name: each.read_bytes() for each in (tmp_path / "after").iterdir()} == {
        "kept": b"synced"
    }
    seen = set()
    for number in range(50):
        left = tmp_path / f"after-{number}"
        disk.cut(root, left, random.Random(number))
        seen.add(tuple(sorted((each.name, each.read_bytes()) for each in left.iterdir())))
    names = {frozenset(name for name, _ in files) for files in seen}
    assert names == {
        frozenset({"kept"}),
        frozenset({"renamed"}),
        frozenset({"kept", "unnamed"}),
        frozenset({"renamed", "unnamed"}),
    }
    lengths = {len(content) for files in seen for name, content in files if name != "unnamed"}
    assert {len(b"synced"), len(b"synced and not")} < lengths
    disk.close()


class Machine:
    """A database on a disk that may lose power at any change, and what it must then have.

    Args:
        directory: For the disk, and for what cuts leave of it.
        monkeypatch: For the disk.
        window: Of late samples.
        seed: Decides what is done and what is left.
    """

    def __init__(
        self, directory: Path, monkeypatch: pytest.MonkeyPatch, window: int, seed: int
    ) -> None:
        self.chance = random.Random(seed)
        self._changes = {"out_of_order_window_ms": window}
        self._directory = directory
        self._disk = Disk(monkeypatch, self._perhaps_cut)
        self._acknowledged: Samples = {series: {} for series in SERIES}
        self._in_doubt: set[tuple[int, int, float]] = set()
        self._time = 0
        self.cuts = 0
        self.how_often = 0.0
        self.small = Small(directory / "disk", segment_bytes=1 << 12, **self._changes)

    def append(self) -> None:
        """Append a few samples of each series, one of them late where that is allowed."""
        self._time += 100
        rows = [(s, self._time + i, float(self._time + i)) for s in SERIES for i in range(5)]
        if self._changes["out_of_order_window_ms"]:
            rows.append((1, self.chance.randrange(self._time), -1.0))
        self._in_doubt = set(rows)
        result = self.small.append(*rows)
        refused = {row for rows in result.refused.values() for row in rows.tolist()}
        for row, (series, time, value) in enumerate(rows):
            if row not in refused:
                self._acknowledged[series].setdefault(time, value)
        self._in_doubt = set()

    def delete(self) -> None:
        """Delete some stretch of series 1."""
        start = self.chance.randrange(max(1, self._time))
        end = start + 300
        gone = {
            time: value for time, value in self._acknowledged[1].items() if start <= time <= end
        }
        for time in gone:
            del self._acknowledged[1][time]
        self._in_doubt = {(1, time, value) for time, value in gone.items()}
        matcher = Matcher("instance", MatchOp.EQUAL, "host-1")
        self.small.database.delete([(matcher,)], start, end)
        self._in_doubt = set()

    def snapshot(self) -> None:
        """Take a snapshot, and see that it outlives a cut."""
        path = self.small.database.snapshot(f"at-{self._time}")
        with self._disk.unwatched():
            left = self._directory / "after-snapshot"
            self._disk.cut(self.small.directory, left, self.chance)
            restored = self._directory / "restored"
            restore_snapshot(left / path.relative_to(self.small.directory), restored)
            self._check(restored)
            shutil.rmtree(left)
            shutil.rmtree(path)

    def restart(self) -> None:
        """Open again, and append before the log is replayed."""
        small = self.small
        small.database.close()
        small.database = Database(small.directory, options(**small.changes), replay=False)
        self.append()
        small.database.replay()

    def _perhaps_cut(self) -> None:
        if self.chance.random() < self.how_often:
            self.cut()

    def cut(self) -> None:
        """See what a power cut now would leave."""
        left = self._directory / "after"
        how = None if self.chance.random() < 0.3 else self.chance
        with self._disk.unwatched():
            self._disk.cut(self.small.directory, left, how)
            self._check(left)
        self.cuts += 1

    def _check(self, left: Path) -> None:
        small = Small(left, **self._changes)
        moved = [each for each in small.database.recovery.warnings if "moved" in each]
        assert moved == []
        found = {(s, t, v) for s, samples in small.read().items() for t, v in samples}
        small.database.close()
        wanted = {
            (s, t, v) for s, samples in self._acknowledged.items() for t, v in samples.items()
        }
        assert wanted - found == set()
        assert found - wanted <= self._in_doubt
        shutil.rmtree(left)

    def close(self) -> None:
        """End."""
        self.small.database.close()
        self._disk.close()


@pytest.mark.slow
@pytest.mark.parametrize("window", [0, 10**6])
@pytest.mark.parametrize("seed", range(2))
def test_everything_acknowledged_outlives_a_power_cut(tmp_path, monkeypatch, window, seed):
    """Cuts at random changes while all that changes files is done."""
    machine = Machine(tmp_path, monkeypatch, window, seed)
    for step in range(60):
        machine.how_often = 0.02
        machine.append()
        machine.how_often = 0.05
        _do_something(machine)
        if step % 10 == 9:
            machine.cut()
    assert machine.cuts > 10
    assert len(machine.small.database.blocks) > 0
    machine.close()


def _do_something(machine: Machine) -> None:
    small, choice = machine.small, machine.chance.random()
    if choice < 0.3:
        small.database.upkeep.flush()
    elif choice < 0.45:
        while small.database.upkeep.compact():
            pass
    elif choice < 0.55:
        machine.restart()
    elif choice < 0.65:
        machine.delete()
    elif choice < 0.7:
        small.database.upkeep.clean_tombstones()
    elif choice < 0.75:
        machine.snapshot()
