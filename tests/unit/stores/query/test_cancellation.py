"""Queries that are given up stop, and give everything back once they have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import Event

import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.model.ports import Allowance
from qvmon.model.series import Selection, SeriesColumns
from qvmon.stores.query import QueryConfig, QueryEngine, QueryLimits
from qvmon.stores.query.active_file import read_active
from qvmon.stores.query.metrics import QUERIES, RUNNING
from qvmon.testing.clock import JumpingClock, settle

from .conftest import VIEWER, Ramps

Make = Callable[..., QueryEngine]


class Slow(Ramps):
    """A source that reads in a thread, looking up now and then; the test holds it there."""

    def __init__(self, source: Ramps) -> None:
        super().__init__(source.labels)
        self.reading, self.may_look_up = Event(), Event()

    async def select(
        self, selections: list[Selection], allowance: Allowance | None = None, **_: bool
    ) -> list[SeriesColumns]:
        assert allowance is not None
        await asyncio.to_thread(self._read, allowance)
        return await super().select(selections)

    def _read(self, allowance: Allowance) -> None:
        with allowance.at_work():
            self.reading.set()
            while True:
                self.may_look_up.wait(10)
                allowance.check()


async def until(what: Callable[[], bool]) -> None:
    while not what():
        await asyncio.to_thread(lambda: None)


async def test_a_place_is_free_again_only_when_the_thread_is_done(
    source: Ramps, registry: Registry, tmp_path
) -> None:
    """A query that was given up still reads; another one must not start beside it."""
    slow, file = Slow(source), tmp_path / "active"
    asked = QueryEngine(slow, QueryConfig(concurrent=1), JumpingClock(), registry, active_file=file)
    query = asyncio.ensure_future(asked.instant(VIEWER, "up", 0))
    await asyncio.to_thread(slow.reading.wait, 10)
    query.cancel()
    await settle()
    assert query.cancelled()
    running = registry.value(RUNNING, "dashboards")
    assert running.current == 1
    assert [each.state for each in asked.running.all()] == ["ending"]
    assert [each.text for each in read_active(file)] == ["up"]
    slow.may_look_up.set()
    await until(lambda: running.current == 0)
    assert asked.running.all() == []
    assert read_active(file) == ()
    assert registry.value(QUERIES, "instant", "canceled").current == 1


async def test_a_query_can_be_ended_by_its_number(engine: Make, source: Ramps) -> None:
    source.may_answer.clear()
    asked = engine()
    query = asyncio.ensure_future(asked.range(VIEWER, "rate(up[5m])", 0, 60_000, 1000))
    await settle()
    (shown,) = asked.running.all()
    assert (shown.text, shown.kind, shown.state) == ("rate(up[5m])", "range", "running")
    asked.running.cancel(shown.number)
    with pytest.raises(QvmonError, match="canceled") as caught:
        await query
    assert caught.value.kind is ErrorKind.TIMEOUT
    with pytest.raises(QvmonError) as missing:
        asked.running.cancel(shown.number)
    assert missing.value.kind is ErrorKind.NOT_FOUND


async def test_a_waiting_query_can_be_ended_too(engine: Make, source: Ramps) -> None:
    source.may_answer.clear()
    asked = engine(concurrent=1)
    first = asyncio.ensure_future(asked.instant(VIEWER, "up", 0))
    second = asyncio.ensure_future(asked.instant(VIEWER, "up", 1))
    await settle()
    asked.running.cancel(asked.running.all()[1].number)
    with pytest.raises(QvmonError, match="canceled"):
        await second
    source.may_answer.set()
    assert len(await first) == 2


async def test_one_query_may_be_limited_more_than_others(engine: Make) -> None:
    asked = engine()
    with pytest.raises(QvmonError, match=r"40 samples, and at most 39 .*max_samples"):
        await asked.instant(VIEWER, "up", 300_000, limits=QueryLimits(samples=39))
    assert len(await asked.instant(VIEWER, "up", 300_000, limits=QueryLimits(samples=40))) == 2
