"""When freed memory is given back, and that it is."""

from __future__ import annotations

import asyncio
import sys

import pytest

from qvmon.app import memory
from qvmon.app.memory import LOOK_SECONDS, MemoryReturn, Work, look
from qvmon.testing.clock import JumpingClock


def moments(used: list[float]) -> list[float]:
    """The seconds at which memory is given back, where ``used[n]`` is used until second n + 1."""
    work, given = Work(0, 0, 0, 0), []
    for second, each in enumerate(used, 1):
        work, due = look(work, second, each)
        if due:
            given.append(second)
    return given


def test_it_is_given_back_once_when_work_has_ended() -> None:
    assert moments([0.9, 1.8, 1.9, 1.9, 1.9, 1.9]) == [3]


def test_it_is_kept_while_there_is_work_but_not_for_more_than_a_minute() -> None:
    assert moments([float(second) for second in range(1, 130)]) == [60, 120]


def test_little_work_gathers_until_it_is_worth_it() -> None:
    assert moments([second * 0.1 for second in range(1, 13)]) == [5, 10]


def test_an_idle_process_is_left_alone() -> None:
    assert moments([0.0] * 200) == []


async def test_the_system_is_told_until_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    monkeypatch.setattr(memory, "_used_seconds", lambda: 5.0)
    monkeypatch.setattr(memory, "_trimming", lambda: lambda _: loop.call_soon_threadsafe(told.set))
    clock = JumpingClock()
    part = MemoryReturn(clock)
    await part.start()
    await clock.advance(2 * LOOK_SECONDS)
    await asyncio.wait_for(told.wait(), 10)
    await part.stop()
    assert clock.sleeping == 0


@pytest.mark.skipif(sys.platform != "linux", reason="glibc only")
def test_glibc_can_be_told() -> None:
    trim = memory._trimming()
    assert trim is None or trim(0) in (0, 1)
