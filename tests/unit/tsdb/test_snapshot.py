"""Snapshots: all that was acknowledged at one moment, and a directory made of it again."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.tsdb.snapshot import restore_snapshot
from tests.unit.tsdb.conftest import Small

rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9_000)), max_size=80)
acts = st.lists(
    st.one_of(
        st.tuples(st.just("append"), rows),
        st.tuples(st.just("delete"), st.tuples(st.integers(0, 3), st.integers(0, 9_000))),
        st.tuples(st.sampled_from(["flush", "compact", "clean", "reopen"]), st.none()),
    ),
    max_size=12,
)


def act(small, actions):
    for action, argument in actions:
        if action == "append":
            small.append(*((series, time, float(time)) for series, time in argument))
        elif action == "delete":
            small.delete(argument[0], start=argument[1], end=argument[1] + 3_000)
        elif action == "flush":
            small.database.upkeep.flush()
        elif action == "compact":
            small.database.upkeep.compact()
        elif action == "clean":
            small.database.upkeep.clean_tombstones()
        else:
            small.reopen()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts, acts)
def test_a_restored_snapshot_holds_what_there_was_whatever_came_after(before, after):
    with tempfile.TemporaryDirectory() as directory:
        small = Small(Path(directory) / "used", out_of_order_window_ms=5_000)
        act(small, before)
        expected = small.read()
        snapshot = small.database.snapshot("one")
        assert small.read() == expected
        act(small, after)
        small.append((0, 20_000, 1.0))
        small.database.close()
        restore_snapshot(snapshot, Path(directory) / "restored")
        restored = Small(Path(directory) / "restored", out_of_order_window_ms=5_000)
        assert restored.database.recovery.warnings == []
        assert restored.read() == expected
        act(restored, after)
        restored.database.close()


def fill(small):
    small.append(*((1, t, float(t)) for t in range(0, 4_000, 100)))
    small.database.upkeep.flush()


def test_without_the_head_a_snapshot_is_what_blocks_hold(small, tmp_path):
    fill(small)
    snapshot = small.database.snapshot("blocks", skip_head=True)
    restore_snapshot(snapshot, tmp_path / "restored")
    restored = Small(tmp_path / "restored")
    assert [time for time, _ in restored.read()[1]] == list(range(0, 3_000, 100))
    restored.database.close()


def test_blocks_are_shared_with_the_snapshot_not_copied(small):
    fill(small)
    snapshot = small.database.snapshot("one")
    file = small.database.paths.block(1).samples
    shared = snapshot / file.relative_to(small.directory)
    assert file.stat().st_ino == shared.stat().st_ino


def test_where_files_cannot_be_linked_they_are_copied(small, tmp_path, monkeypatch):
    fill(small)
    expected = small.read()

    def refuse(*_):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    snapshot = small.database.snapshot("one")
    restore_snapshot(snapshot, tmp_path / "restored")
    restored = Small(tmp_path / "restored")
    assert restored.read() == expected
    restored.database.close()


def test_a_snapshot_the_disk_refuses_leaves_nothing(small, monkeypatch):
    fill(small)

    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", refuse)
        with pytest.raises(QvmonError, match="No space left") as caught:
            small.database.snapshot("one")
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert list(small.database.paths.snapshots.iterdir()) == []


def test_what_is_no_snapshot_is_not_restored(tmp_path):
    with pytest.raises(QvmonError, match="is not a snapshot") as caught:
        restore_snapshot(tmp_path, tmp_path / "new")
    assert caught.value.kind is ErrorKind.NOT_FOUND


def test_nothing_is_restored_over_what_is_there(small):
    fill(small)
    snapshot = small.database.snapshot("one")
    with pytest.raises(QvmonError, match="is not empty") as caught:
        restore_snapshot(snapshot, small.directory)
    assert caught.value.kind is ErrorKind.CONFLICT
