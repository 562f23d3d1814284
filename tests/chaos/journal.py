"""What a process said before it was killed: what it would do, and what the store answered."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path


class Journal:
    """A file of lines; a line once written stays when its writer is killed.

    Args:
        path: Made when missing.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)

    def say(self, *words: str | int) -> None:
        """Write one line in one piece."""
        os.write(self._file, f"{' '.join(map(str, words))}\n".encode())


def _no_steps() -> dict[int, set[int]]:
    return defaultdict(set)


def _no_words() -> dict[str, int]:
    return defaultdict(int)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that was answered, and what it must hold at least.

    Attributes:
        name: Of its directory.
        acknowledged: By writer, the steps answered before it was begun.
        deleted: By writer, the steps whose deletion was answered before it was begun.
    """

    name: str
    acknowledged: dict[int, set[int]]
    deleted: dict[int, set[int]]


@dataclass(slots=True)
class Story:
    """All that journals of one directory say.

    A step is a number that stands for one time; a writer's samples at one step come together.

    Attributes:
        tried: By writer, the steps that were sent.
        acknowledged: By writer, the steps that were sent and answered.
        doubtful: By writer, the steps of deletions that were begun.
        deleted: By writer, the steps of deletions that were answered.
        snapshot: The last one.
        words: How often each word was said.
    """

    tried: dict[int, set[int]] = field(default_factory=_no_steps)
    acknowledged: dict[int, set[int]] = field(default_factory=_no_steps)
    doubtful: dict[int, set[int]] = field(default_factory=_no_steps)
    deleted: dict[int, set[int]] = field(default_factory=_no_steps)
    snapshot: Snapshot | None = None
    words: dict[str, int] = field(default_factory=_no_words)
    _before_snapshot: tuple[dict[int, set[int]], dict[int, set[int]]] = field(default=({}, {}))

    def read(self, path: Path) -> None:
        """Take in a journal; a last line that was cut short counts as never written."""
        if path.exists():
            for line in path.read_text().split("\n")[:-1]:
                word, *rest = line.split()
                self.words[word] += 1
                if word == "snapshotting":
                    self._before_snapshot = _copy(self.acknowledged), _copy(self.deleted)
                elif word == "snapshot":
                    self.snapshot = Snapshot(rest[0], *self._before_snapshot)
                else:
                    self._take(word, list(map(int, rest)))

    def _take(self, word: str, numbers: list[int]) -> None:
        if word == "try":
            self._add(self.tried, numbers[0], numbers[1:])
        elif word == "ack":
            self._add(self.acknowledged, numbers[0], numbers[1:])
        elif word == "delete":
            self._add(self.doubtful, numbers[0], range(numbers[1], numbers[2] + 1))
        elif word == "deleted":
            self._add(self.deleted, numbers[0], range(numbers[1], numbers[2] + 1))

    @staticmethod
    def _add(where: dict[int, set[int]], writer: int, steps: Iterable[int]) -> None:
        where[writer].update(steps)


def _copy(steps: dict[int, set[int]]) -> dict[int, set[int]]:
    return defaultdict(set, {writer: set(some) for writer, some in steps.items()})
