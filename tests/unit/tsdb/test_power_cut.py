"""A power cut at any moment: only what was synced is left, and it has all that was acknowledged."""

from __future__ import annotations

import os
import random
import stat
from pathlib import Path

import pytest

from tests.unit.tsdb.conftest import Small


class Disk:
    """Remembers what syncs have made permanent; ``cut`` gives just that to a new directory.

    A file has the bytes of its last sync. A directory has the names of its last sync, so a file
    whose name was not synced is gone, and one whose deletion was not synced is back.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._content: dict[int, bytes] = {}
        self._names: dict[int, dict[str, tuple[int, bool]]] = {}
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._syncing(getattr(os, name)))

    def _syncing(self, real):
        def sync(descriptor: int) -> None:
            real(descriptor)
            path = Path(f"/proc/self/fd/{descriptor}").resolve()
            inode = path.stat().st_ino
            if path.is_dir():
                found = [(each.name, each.lstat()) for each in path.iterdir()]
                self._names[inode] = {
                    name: (status.st_ino, stat.S_ISDIR(status.st_mode)) for name, status in found
                }
            else:
                self._content[inode] = path.read_bytes()

        return sync

    def cut(self, root: Path, to: Path) -> None:
        """Write to ``to`` what a power cut now would leave of ``root``."""
        self._restore(root.stat().st_ino, to)

    def _restore(self, inode: int, to: Path) -> None:
        to.mkdir()
        for name, (child, is_directory) in self._names.get(inode, {}).items():
            if is_directory:
                self._restore(child, to / name)
            else:
                (to / name).write_bytes(self._content.get(child, b""))


def test_the_disk_of_this_test_forgets_what_was_not_synced(tmp_path, monkeypatch):
    """The measure must be able to fail."""
    disk = Disk(monkeypatch)
    root = tmp_path / "root"
    root.mkdir()
    with (root / "kept").open("wb") as file:
        file.write(b"synced")
        file.flush()
        os.fsync(file.fileno())
        file.write(b" and not")
    directory = os.open(root, os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)
    (root / "unnamed").write_bytes(b"never synced")
    disk.cut(root, tmp_path / "after")
    assert [each.name for each in (tmp_path / "after").iterdir()] == ["kept"]
    assert (tmp_path / "after" / "kept").read_bytes() == b"synced"


@pytest.mark.parametrize("window", [0, 10**6])
def test_everything_acknowledged_outlives_a_power_cut(tmp_path, monkeypatch, window):
    """Appends (late ones too), flushes, merges and restarts, with a cut after every few steps."""
    chance = random.Random(window)
    disk = Disk(monkeypatch)
    small = Small(tmp_path / "disk", out_of_order_window_ms=window, segment_bytes=1 << 12)
    acknowledged: dict[int, dict[int, float]] = {1: {}, 2: {}}
    for step in range(120):
        at = step * 100
        rows = [(series, at + i, float(at + i)) for series in (1, 2) for i in range(5)]
        if window and step > 5:
            rows.append((1, chance.randrange(at), -1.0))
        result = small.append(*rows)
        refused = {row for rows in result.refused.values() for row in rows.tolist()}
        for row, (series, time, value) in enumerate(rows):
            if row not in refused:
                acknowledged[series].setdefault(time, value)
        _do_something(chance, small)
        if step % 6 == 5:
            left = tmp_path / f"after-{step}"
            disk.cut(small.directory, left)
            _check(Small(left, out_of_order_window_ms=window), acknowledged)
    assert len(small.database.blocks) > 1
    small.database.close()


def _do_something(chance: random.Random, small: Small) -> None:
    choice = chance.random()
    if choice < 0.3:
        small.database.flush()
    elif choice < 0.45:
        while small.database.compact():
            pass
    elif choice < 0.55:
        small.reopen()


def _check(left: Small, acknowledged: dict[int, dict[int, float]]) -> None:
    assert left.database.recovery.warnings == []
    assert {series: dict(samples) for series, samples in left.read().items()} == acknowledged
    left.database.close()
