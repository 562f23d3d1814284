"""One child process, seen from its parent."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

from qvmon.stores.analysis.config import AnalysisConfig
from qvmon.stores.analysis.messages import Reply, Task, read_reply, write_message

_LOOKS_UP_MS = 20


class Child:
    """A process that does one task after the other.

    Args:
        config: What it may take.
    """

    def __init__(self, config: AnalysisConfig) -> None:
        limits = (config.memory_bytes, config.niceness, os.getpid())
        self._process = subprocess.Popen(  # noqa: S603 - our own program and numbers
            [sys.executable, "-m", "qvmon.stores.analysis", *map(str, limits)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._tasks, self._replies = self._process.stdin, self._process.stdout
        self._readable = select.poll()
        self._readable.register(self._replies, select.POLLIN)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it is there."""
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        """How it ended: an exit status, or a signal's number below zero."""
        return self._process.returncode

    def do(self, task: Task, check: Callable[[], None]) -> Reply | None:
        """Return what it says to a task, None when it has died.

        Args:
            task: What to do.
            check: Called every few milliseconds; what it raises is raised here, with the task
                under way: the child is of no more use.
        """
        try:
            write_message(self._tasks, task)
            while not self._readable.poll(_LOOKS_UP_MS):
                check()
            return read_reply(self._replies)
        except (OSError, ValueError):  # the pipe is broken, or was closed by ``end``
            return None

    def kill(self) -> None:
        """Have it die, whatever it is doing; for any thread."""
        self._process.kill()

    def end(self) -> None:
        """Kill it and forget it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._tasks, self._replies):
            with suppress(OSError):
                pipe.close()
