"""A disk that loses power: what was synced is left, and of the rest what chance decides."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

_CHANGES = (
    *("write", "fsync", "fdatasync", "truncate", "ftruncate"),
    *("rename", "replace", "unlink", "rmdir", "mkdir", "link"),
)
_Names = dict[str, tuple[int, bool]]


class Disk:
    """Remembers what syncs have made permanent; ``cut`` gives what a power cut now would leave.

    A file has the bytes of its last sync and perhaps some of those written since. A directory has
    the names of its last sync; of those made, removed or replaced since, each may have come through
    or not, but a renamed file has one of its two names.

    Args:
        monkeypatch: Takes the place of the file system's calls for the test.
        at_change: Called before and after each change to any file or directory.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at_change: Callable[[], None]) -> None:
        self._content: dict[int, bytes] = {}
        self._names: dict[int, _Names] = {}
        self._held: dict[int, int] = {}
        self._at_change = at_change
        self._busy = False
        for name in _CHANGES:
            monkeypatch.setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def change(*arguments: Any, **options: Any) -> Any:
            if self._busy:
                return real(*arguments, **options)
            self._look()
            result = real(*arguments, **options)
            if name in ("fsync", "fdatasync"):
                self._remember(arguments[0])
            self._look()
            return result

        return change

    def _look(self) -> None:
        with self.unwatched():
            self._at_change()

    @contextmanager
    def unwatched(self) -> Iterator[None]:
        """Let changes pass that are not those of the test."""
        before, self._busy = self._busy, True
        try:
            yield
        finally:
            self._busy = before

    def _remember(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").resolve()
        inode = os.fstat(descriptor).st_ino
        if inode not in self._held:
            self._held[inode] = os.dup(descriptor)
        if path.is_dir():
            self._names[inode] = _names(path)
        else:
            self._content[inode] = path.read_bytes()

    def close(self) -> None:
        """Let go of the files that were held so that no other takes their place in the books."""
        for descriptor in self._held.values():
            os.close(descriptor)

    def cut(self, root: Path, to: Path, chance: random.Random | None) -> None:
        """Write to ``to`` what a power cut now would leave of ``root``.

        Args:
            root: A directory.
            to: Made.
            chance: Decides about what was not synced; without it nothing of that is left.
        """
        self._restore(root.stat().st_ino, root, to, chance)

    def _restore(
        self, inode: int, now: Path | None, to: Path, chance: random.Random | None
    ) -> None:
        to.mkdir()
        current = _names(now) if now is not None else {}
        paths = {child: now / name for name, (child, _) in current.items() if now is not None}
        for name, (child, is_directory) in self._left(inode, current, chance).items():
            if is_directory:
                self._restore(child, paths.get(child), to / name, chance)
            else:
                (to / name).write_bytes(self._bytes(child, paths.get(child), chance))

    def _left(self, inode: int, current: _Names, chance: random.Random | None) -> _Names:
        synced = self._names.get(inode, {})
        if chance is None:
            return synced
        before = {child: name for name, (child, _) in synced.items()}
        after = {child: name for name, (child, _) in current.items()}
        left = dict(synced)
        for child in before.keys() | after.keys():
            if chance.random() < 0.5 and before.get(child) != after.get(child):
                if child in before and left.get(before[child], (0,))[0] == child:
                    del left[before[child]]
                if child in after:
                    left[after[child]] = current[after[child]]
        replaced = synced.keys() & current.keys() - left.keys()
        return left | {name: synced[name] for name in replaced}

    def _bytes(self, inode: int, now: Path | None, chance: random.Random | None) -> bytes:
        synced = self._content.get(inode, b"")
        if chance is None or now is None or chance.random() < 0.5:
            return synced
        written = now.read_bytes()
        if not written.startswith(synced):
            return synced if chance.random() < 0.5 else written
        rest = written[len(synced) : chance.randint(len(synced), len(written))]
        return synced + (bytes(len(rest)) if chance.random() < 0.2 else rest)


def _names(path: Path) -> _Names:
    found = [(each.name, each.lstat()) for each in path.iterdir()]
    return {name: (status.st_ino, stat.S_ISDIR(status.st_mode)) for name, status in found}
