"""A place stays taken for as long as its work runs."""

from __future__ import annotations

import asyncio

from qvmon.model.metrics import Registry
from qvmon.promql import Result, Text
from qvmon.stores.query.admission import Admission
from qvmon.stores.query.metrics import RUNNING


async def test_a_place_is_free_again_only_when_the_thread_is_done() -> None:
    """A query that was given up still computes; another one must not start beside it."""
    registry = Registry()
    admission = Admission("people", 1, 0, registry)
    work: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
    async with admission.place() as place:
        place.work = work
    assert registry.value(RUNNING, "people").current == 1
    work.set_result(Text("", 0))
    await asyncio.sleep(0)
    assert registry.value(RUNNING, "people").current == 0
