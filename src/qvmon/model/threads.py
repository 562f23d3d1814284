"""Kernels side by side: they hold no lock of the interpreter, so threads are worth having."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import local
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

_WORKERS = min(4, os.cpu_count() or 1)
_FEWEST = 512


class _Here(local):
    """What a thread knows about itself."""

    is_helping = False


_HERE = _Here()


def _begin_to_help() -> None:
    _HERE.is_helping = True


@contextmanager
def _helping() -> Iterator[None]:
    _HERE.is_helping = True
    try:
        yield
    finally:
        _HERE.is_helping = False


_POOL = ThreadPoolExecutor(_WORKERS, "qvmon-kernels", initializer=_begin_to_help)


def side_by_side(work: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
    """Return ``work`` of every item, done by several threads, one of them the caller's.

    Nothing of it goes on when this returns or raises. Work that comes back here from one of these
    threads is done by that thread alone.
    """
    if _HERE.is_helping or len(items) < 2:
        return [work(item) for item in items]
    others = [_POOL.submit(work, item) for item in items[1:]]
    try:
        with _helping():
            first = work(items[0])
    finally:
        wait(others)
    return [first, *(other.result() for other in others)]


def workers(tasks: int) -> int:
    """Return how many threads are worth having for so many tasks."""
    return min(_WORKERS, tasks)


def stretches(count: int, fewest: int = _FEWEST) -> list[range]:
    """Return 0..count in a few stretches for threads to share, of at least ``fewest`` each."""
    parts = max(1, workers(count // fewest))
    return [range(count * i // parts, count * (i + 1) // parts) for i in range(parts)]
