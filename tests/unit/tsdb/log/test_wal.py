"""The write-ahead log when the disk does not do as it is told."""

from __future__ import annotations

import errno
import os

import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.tsdb.log import wal


class FailingDisk:
    """Lets writes or syncs of the log fail for a while."""

    def __init__(self, monkeypatch):
        self.broken: set[str] = set()
        self.room = 1 << 40
        real_write, real_sync = os.write, os.fdatasync

        def write(file, content):
            if "write" in self.broken:
                part = bytes(content)[: self.room]
                if part:
                    self.room -= len(part)
                    return real_write(file, part)
                raise OSError(errno.ENOSPC, "No space left on device")
            return real_write(file, content)

        def sync(file):
            if "sync" in self.broken:
                raise OSError(errno.EIO, "Input/output error")
            real_sync(file)

        monkeypatch.setattr(wal.os, "write", write)
        monkeypatch.setattr(wal.os, "fdatasync", sync)


@pytest.mark.parametrize(("how", "room"), [("sync", 0), ("write", 0), ("write", 30), ("write", 70)])
@pytest.mark.parametrize("before", [0, 3])
def test_what_was_not_durable_is_refused_then_written_again(small, monkeypatch, how, room, before):
    """A sender told UNAVAILABLE may retry: the repeat is acknowledged only once it is durable."""
    disk = FailingDisk(monkeypatch)
    for group in range(before):
        small.append((1, group, float(group)), (2, group, 0.0))
    disk.broken, disk.room = {how}, room
    for _ in range(3):
        with pytest.raises(QvmonError) as caught:
            small.append((1, 100, 7.0), (3, 100, 8.0))
        assert caught.value.kind is ErrorKind.UNAVAILABLE
    disk.broken = set()
    assert small.append((1, 100, 7.0), (3, 100, 8.0)).accepted == 2
    small.reopen()
    assert small.database.recovery.warnings == []
    found = small.read()
    assert found[1] == [(group, float(group)) for group in range(before)] + [(100, 7.0)]
    assert found[3] == [(100, 8.0)]


def test_appends_are_refused_once_too_much_waits_for_the_disk(small, monkeypatch):
    monkeypatch.setattr(wal, "_MOST_UNSYNCED", 100)
    disk = FailingDisk(monkeypatch)
    disk.broken = {"sync"}
    for first in (0, 50):
        with pytest.raises(QvmonError, match="cannot write"):
            small.append(*((1, t, 1.0) for t in range(first, first + 50)))
    assert [t for t, _ in small.read()[1]] == list(range(50))
    disk.broken = set()
    assert small.append((1, 100, 1.0)).accepted == 1
    small.reopen()
    assert [t for t, _ in small.read()[1]] == [*range(50), 100]


def test_every_segment_explains_the_series_it_mentions(small):
    for start in range(0, 5_000, 10):
        small.append((1, start, 1.0), (2, start, 2.0))
    assert small.database.wal.segments > 1
    first = small.database.paths.segments()[0]
    small.database.close()
    small.database.paths.segment(first).unlink()
    small.open()
    assert set(small.read()) == {1, 2}
