"""What is asked right now is seen, and can be ended."""

from __future__ import annotations

import asyncio

from qvmon.model.access import Role, person
from qvmon.model.facts import QueryCanceled
from qvmon.stores.query import QueryEngine
from qvmon.testing.clock import settle

from .conftest import PREFIX, House


async def asked(house: House, engine: QueryEngine) -> asyncio.Future[object]:
    """A query that waits for a place behind one that has it."""
    query = engine.instant(person("ada", frozenset({Role.VIEWER})), "sum(up)", house.now_ms)
    future = asyncio.ensure_future(query)
    await settle()
    return future


async def test_running_queries_are_listed_without_names(house: House, monkeypatch) -> None:
    may_answer = asyncio.Event()

    async def select(*_: object, **__: object) -> list[object]:
        await may_answer.wait()
        raise AssertionError

    monkeypatch.setattr(house.store, "select", select)
    query = await asked(house, house.queries)
    viewer, administrator = await house.program("viewer"), await house.program("administrator")
    (shown,) = (await viewer.get(f"{PREFIX}/queries")).json()["queries"]
    assert (shown["query"], shown["asker"], shown["state"]) == ("sum(up)", "person", "running")
    assert "ada" not in str(shown)
    path = f"{PREFIX}/queries/{shown['number']}"
    assert (await viewer.delete(path)).status_code == 403
    assert (await administrator.delete(path)).status_code == 204
    await asyncio.wait([query])
    assert "canceled" in str(query.exception())
    assert (await administrator.delete(path)).status_code == 404
    assert (await viewer.get(f"{PREFIX}/queries")).json() == {"queries": [], "interrupted": []}
    (fact,) = [each for each in house.ledger.facts if isinstance(each.body, QueryCanceled)]
    assert (fact.body.query, fact.body.asker) == ("sum(up)", "person:ada")
    assert fact.actor.startswith("token:owner.administrator")


async def test_a_query_may_be_asked_to_cost_little(house: House) -> None:
    """Limits, priority and freshness are parameters beside Prometheus' own."""
    viewer = await house.program("viewer")
    refused = await viewer.get(
        "/api/v1/query", params={"query": "max_over_time(up[1h:1s])", "max_samples": "99"}
    )
    assert refused.status_code == 422
    assert "at most 99 are allowed (max_samples)" in refused.json()["error"]
    for name, wrong in (("max_series", "-1"), ("max_bytes", "1k"), ("priority", "first")):
        answer = await viewer.get("/api/v1/query", params={"query": "1", name: wrong})
        assert answer.status_code == 400
        assert name in answer.json()["error"]
    span = {"query": "vector(1)", "start": "0", "end": "60", "step": "10"}
    for more in ({"priority": "analysis"}, {"nocache": "1"}, {"max_bytes": "10000"}):
        answer = await viewer.get("/api/v1/query_range", params={**span, **more})
        assert len(answer.json()["data"]["result"][0]["values"]) == 7
