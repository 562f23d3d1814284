"""Who runs, who waits, and who is sent away first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.stores.query.admission import Admission, Priority
from qvmon.stores.query.metrics import RUNNING, SHED, WAITING
from qvmon.testing.clock import settle

RULES, DASHBOARDS, ANALYSIS = Priority


def doors(
    *, rules: int = 1, dashboards: int = 2, analysis: int = 1, queued: int = 2
) -> tuple[Admission, Registry]:
    registry = Registry()
    places = {RULES: rules, DASHBOARDS: dashboards, ANALYSIS: analysis}
    return Admission(places, queued, registry), registry


async def begun(waits: Awaitable[None]) -> asyncio.Future[None]:
    task = asyncio.ensure_future(waits)
    await settle()
    return task


async def test_those_who_wait_enter_in_order_as_places_are_left() -> None:
    admission, registry = doors(dashboards=1)
    await admission.enter(DASHBOARDS)
    first, second = (
        await begun(admission.enter(DASHBOARDS)),
        await begun(admission.enter(DASHBOARDS)),
    )
    assert registry.value(WAITING, "dashboards").current == 2
    admission.leave(DASHBOARDS)
    await settle()
    assert first.done()
    assert not second.done()
    admission.leave(DASHBOARDS)
    await settle()
    assert second.done()
    assert registry.value(RUNNING, "dashboards").current == 1


async def test_analysis_has_only_some_places_and_waits_until_no_dashboard_does() -> None:
    admission, _ = doors(dashboards=2, analysis=1)
    await admission.enter(ANALYSIS)
    analysis = await begun(admission.enter(ANALYSIS))
    await admission.enter(DASHBOARDS)
    dashboard = await begun(admission.enter(DASHBOARDS))
    assert not analysis.done()
    admission.leave(ANALYSIS)
    await settle()
    assert dashboard.done()
    assert not analysis.done()
    admission.leave(DASHBOARDS)
    await settle()
    assert analysis.done()


async def test_analysis_is_sent_away_for_a_dashboard_and_a_dashboard_for_nobody() -> None:
    admission, registry = doors(dashboards=1, queued=1)
    await admission.enter(DASHBOARDS)
    analysis = await begun(admission.enter(ANALYSIS))
    dashboard = await begun(admission.enter(DASHBOARDS))
    with pytest.raises(QvmonError) as caught:
        await analysis
    assert caught.value.kind is ErrorKind.EXHAUSTED
    for priority in (DASHBOARDS, ANALYSIS):
        with pytest.raises(QvmonError):
            await admission.enter(priority)
    assert not dashboard.done()
    assert registry.value(SHED, "analysis").current == 2
    assert registry.value(SHED, "dashboards").current == 1
    dashboard.cancel()


async def test_rules_have_places_of_their_own_and_wait_as_long_as_it_takes() -> None:
    admission, _ = doors(queued=0, dashboards=1)
    await admission.enter(DASHBOARDS)
    await admission.enter(RULES)
    waiting = [await begun(admission.enter(RULES)) for _ in range(50)]
    for _ in waiting:
        admission.leave(RULES)
    await asyncio.gather(*waiting)


async def test_who_stops_waiting_takes_no_place() -> None:
    admission, registry = doors(dashboards=1)
    await admission.enter(DASHBOARDS)
    waiting = await begun(admission.enter(DASHBOARDS))
    waiting.cancel()
    await settle()
    assert registry.value(WAITING, "dashboards").current == 0
    late = await begun(admission.enter(DASHBOARDS))
    admission.leave(DASHBOARDS)
    late.cancel()
    await settle()
    await admission.enter(DASHBOARDS)
