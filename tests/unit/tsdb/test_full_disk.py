"""A disk without room: what was acknowledged stays and is read; with room work goes on."""

from __future__ import annotations

import errno
import os
import random
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Matcher, MatchOp
from tests.unit.tsdb.conftest import Small

_TAKES_ROOM = ("write", "open", "mkdir", "link", "rename", "replace", "fsync", "fdatasync")
Sample = tuple[int, int, float]


class FullDisk:
    """Refuses what takes room, from some call on, until it is given room again."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._calls_left: int | None = None
        for name in _TAKES_ROOM:
            monkeypatch.setattr(os, name, self._limited(name, getattr(os, name)))

    def _limited(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            free = name == "open" and not (len(arguments) > 1 and arguments[1] & os.O_CREAT)
            if self._calls_left is not None and not free:
                if not self._calls_left:
                    raise OSError(errno.ENOSPC, "No space left on device")
                self._calls_left -= 1
            return real(*arguments, **options)

        return call

    @contextmanager
    def full_after(self, calls: int) -> Iterator[None]:
        """Let so many calls succeed."""
        self._calls_left = calls
        try:
            yield
        finally:
            self._calls_left = None


class Model:
    """A database, and what it must have whatever fails.

    Attributes:
        acknowledged: Samples that must be there.
        doubtful: Samples that may be: of appends and deletions that failed.
    """

    def __init__(self, directory: Path, seed: int, segment_bytes: int = 1 << 11) -> None:
        changes = {"segment_bytes": segment_bytes, "out_of_order_window_ms": 10**6}
        self.small = Small(directory, **changes)
        self.chance = random.Random(seed)
        self.acknowledged: set[Sample] = set()
        self.doubtful: set[Sample] = set()
        self._time = 0

    def append(self) -> None:
        self._time += 100
        rows = [(s, self._time + i, float(self._time + i)) for s in (1, 2) for i in range(5)]
        late = self.chance.randrange(self._time)
        rows.append((3, late, float(late)))
        self.doubtful.update(rows)
        assert self.small.append(*rows).accepted == len(rows)
        self.acknowledged.update(rows)

    def delete(self) -> None:
        start = self.chance.randrange(max(1, self._time))
        gone = {
            each for each in self.acknowledged if each[0] == 1 and start <= each[1] <= start + 200
        }
        self.acknowledged -= gone
        self.doubtful |= gone
        matcher = Matcher("instance", MatchOp.EQUAL, "host-1")
        self.small.database.delete([(matcher,)], start, start + 200)
        self.doubtful -= {
            each for each in self.doubtful if each[0] == 1 and start <= each[1] <= start + 200
        }

    def snapshot(self) -> None:
        self.small.database.snapshot(f"{self._time}-{self.chance.random()}")

    def check(self) -> None:
        """Nothing acknowledged is missing, nothing is there that was never sent."""
        found = {
            (series, *each) for series, samples in self.small.read().items() for each in samples
        }
        assert self.acknowledged - found == set()
        assert found - self.acknowledged <= self.doubtful

    def half_done(self) -> list[Path]:
        """Return what work that failed has left in the directory."""
        paths = self.small.database.paths
        return [*paths.blocks.glob("*.tmp"), *paths.snapshots.glob("*.tmp")]


def _work(model: Model) -> list[Callable[[], object]]:
    upkeep = model.small.database.upkeep
    return [
        *(model.append, model.append, model.append, model.delete, model.snapshot),
        *(upkeep.flush, upkeep.compact, upkeep.clean_tombstones),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_disk_full_from_any_call_on_loses_nothing(tmp_path, monkeypatch, seed):
    disk = FullDisk(monkeypatch)
    model = Model(tmp_path / "data", seed)
    failures = 0
    for _ in range(100):
        work = model.chance.choice(_work(model))
        with disk.full_after(model.chance.randrange(12)):
            failures += _is_refused(work)
        model.check()
        if model.chance.random() < 0.5:
            work()
            model.check()
    assert failures > 20
    while model.small.database.upkeep.compact():
        pass
    model.append()
    model.small.reopen()
    assert model.half_done() == []
    assert [each for each in model.small.database.recovery.warnings if "moved" in each] == []
    model.check()
    model.small.database.close()


def _is_refused(work: Callable[[], object]) -> bool:
    try:
        work()
    except QvmonError as error:
        return error.kind is ErrorKind.UNAVAILABLE
    except OSError as error:
        return error.errno == errno.ENOSPC
    return False


@contextmanager
def _longest_file(size: int) -> Iterator[None]:
    """Let the system refuse to make any file of this process longer, also for native code."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.slow
@pytest.mark.parametrize("size", [0, 100, 1_000, 3_000])
@pytest.mark.parametrize("what", ["flush", "compact", "clean_tombstones"])
def test_a_block_that_cannot_be_written_leaves_nothing_half_done(tmp_path, size, what):
    model = Model(tmp_path, 7, 1 << 14)
    for _ in range(60):
        model.append()
        if what != "flush":
            model.small.database.upkeep.flush()
    model.delete()
    work = getattr(model.small.database.upkeep, what)
    with _longest_file(size):
        for _ in range(2):
            try:
                work()
            except (OSError, QvmonError):
                assert model.half_done() == []
            model.check()
            with pytest.raises(QvmonError, match="cannot write"):
                _append_much(model)
    work()
    model.append()
    model.check()
    model.small.reopen()
    assert [each for each in model.small.database.recovery.warnings if "moved" in each] == []
    model.check()
    model.small.database.close()


def _append_much(model: Model) -> None:
    for _ in range(100):
        model.append()
