"""Deletion and snapshots over HTTP: done, recorded, and for administrators only."""

from __future__ import annotations

import json

from qvmon.model.facts import SeriesDeleted, SnapshotTaken, TombstonesCleaned

from .conftest import House


def named(name: str) -> str:
    return json.dumps({"__name__": name, "job": "router"})


async def test_deleted_samples_are_gone_and_who_deleted_them_is_recorded(house: House) -> None:
    now = house.now_ms
    await house.write({named("a"): [(now - 2000, 1.0), (now, 2.0)], named("b"): [(now, 3.0)]})
    client = await house.program("administrator")
    window = {"start": str(now / 1000 - 10), "end": str(now / 1000 - 1)}
    asked = {"match[]": ['a{job="router"}'], **window}
    answer = await client.post("/api/v1/admin/tsdb/delete_series", data=asked)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await client.put("/api/v1/admin/tsdb/clean_tombstones")).status_code == 204
    query = {"query": '{job="router"}[1m]', "time": now / 1000}
    told = (await client.get("/api/v1/query", params=query)).json()
    assert told["status"] == "success", told
    shown = told["data"]["result"]
    assert [(each["metric"]["__name__"], len(each["values"])) for each in shown] == [
        ("a", 1),
        ("b", 1),
    ]
    deleted, cleaned = [
        fact
        for fact in house.ledger.facts
        if isinstance(fact.body, SeriesDeleted | TombstonesCleaned)
    ]
    assert deleted.body.selectors == ('a{job="router"}',)
    assert deleted.actor == cleaned.actor == "token:owner.administrator/test"


async def test_a_snapshot_is_named_and_recorded(house: House) -> None:
    await house.write({named("a"): [(house.now_ms, 1.0)]})
    client = await house.program("administrator")
    answer = (await client.post("/api/v1/admin/tsdb/snapshot")).json()
    bodies = [fact.body for fact in house.ledger.facts if isinstance(fact.body, SnapshotTaken)]
    assert [body.name for body in bodies] == [answer["data"]["name"]]


async def test_mistakes_are_told_and_nothing_is_recorded(house: House) -> None:
    client = await house.program("administrator")
    before = len(house.ledger.facts)
    for path, asked, error in (
        ("delete_series", {}, "no match[] parameter provided"),
        ("delete_series", {"match[]": "{"}, 'invalid parameter "match[]": 1:2: parse error'),
        ("snapshot", {"skip_head": "x"}, 'invalid parameter "skip_head": unable to parse boolean'),
    ):
        answer = await client.post(f"/api/v1/admin/tsdb/{path}", params=asked)
        assert answer.status_code == 400
        assert answer.json()["error"].startswith(error)
    assert len(house.ledger.facts) == before


async def test_reading_what_can_only_be_done_is_not_allowed(house: House) -> None:
    client = await house.program("administrator")
    assert (await client.get("/api/v1/admin/tsdb/snapshot")).status_code == 405
    assert (await client.get("/api/v1/admin/tsdb/nothing")).status_code == 404


async def test_blocks_are_listed(house: House) -> None:
    now = house.now_ms
    old = [(now - 6 * 3_600_000, 1.0), (now - 6 * 3_600_000 + 1000, 2.0), (now, 3.0)]
    await house.write({named("a"): old})
    await house.store.upkeep()
    client = await house.program("viewer")
    told = (await client.get("/api/v1/status/tsdb/blocks")).json()["data"]["blocks"]
    assert [(each["minTime"], each["maxTime"]) for each in told] == [(old[0][0], old[1][0] + 1)]
    assert told[0]["stats"]["numSamples"] == 2


async def test_what_makes_series_many_is_told(house: House) -> None:
    await house.write({named(name): [(house.now_ms, 1.0)] for name in ("a", "b", "c")})
    client = await house.program("viewer")
    told = (await client.get("/api/v1/status/tsdb", params={"limit": 2})).json()["data"]
    assert told["headStats"]["numSeries"] == 3
    assert len(told["seriesCountByMetricName"]) == 2
    assert told["seriesCountByLabelValuePair"][0] == {"name": "job=router", "value": 3}
    refused = await client.get("/api/v1/status/tsdb", params={"limit": 0})
    assert (refused.status_code, refused.json()["error"]) == (
        400,
        "limit must be a positive number",
    )
