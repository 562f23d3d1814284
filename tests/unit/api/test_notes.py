"""What the author of a query should know travels beside its result."""

from __future__ import annotations

import json

from .conftest import House


async def test_infos_stand_beside_the_result_even_when_it_is_cut(house: House) -> None:
    names = [json.dumps({"__name__": "level", "n": str(n)}) for n in range(3)]
    at = house.now_ms
    await house.write({name: [(at - 2000, 1.0), (at - 1000, 2.0)] for name in names})
    client = await house.program("viewer")
    asked = {"query": "rate(level[1m])", "time": at / 1000, "limit": 2}
    answer = (await client.get("/api/v1/query", params=asked)).json()
    assert len(answer["data"]["result"]) == 2
    assert answer["warnings"] == ["results truncated due to limit"]
    assert "might not be a counter" in answer["infos"][0]
    plain = (await client.get("/api/v1/query", params={"query": "level"})).json()
    assert plain.keys() == {"status", "data"}
