"""Unknown intervals over HTTP: listed, and read by PromQL at once, over time and in subqueries."""

import httpx
import pytest

from qvmon.api.config import ApiConfig
from qvmon.api.http.access import PREFIX
from qvmon.api.http.application import create_app
from qvmon.model.labels import Labels
from tests.unit.api.conftest import House

A = Labels(job="j", instance="a:1", workflow="trade-execution")


@pytest.fixture
async def client(house: House) -> httpx.AsyncClient:
    app = create_app(house.ports(), ApiConfig(no_auth=True))
    client = house.client(app)
    house.store.begin_unknown(A, "scrape_timeout", house.now_ms - 600_000)
    house.store.end_unknown(A, "scrape_timeout", house.now_ms - 300_000)
    house.store.begin_unknown(A, "scrape_refused", house.now_ms - 60_000)
    return client


async def listed(client: httpx.AsyncClient, **params: str) -> list[str]:
    answer = await client.get(
        f"{PREFIX}/unknown", params={k.replace("_", "[]"): v for k, v in params.items()}
    )
    assert answer.status_code == 200, answer.text
    return [each["reason"] for each in answer.json()["unknown"]]


async def test_intervals_are_listed_with_scope_reason_and_times(
    house: House, client: httpx.AsyncClient
) -> None:
    answer = (await client.get(f"{PREFIX}/unknown")).json()["unknown"]
    assert [each["end"] is None for each in answer] == [False, True]
    assert answer[0]["scope"] == dict(A)
    assert answer[0]["start"].startswith("2023-11-14T22:03:20")


async def test_the_list_is_narrowed_by_selectors_and_times(
    house: House, client: httpx.AsyncClient
) -> None:
    now = house.now_ms / 1000
    assert await listed(client, match_='{job="j"}') == ["scrape_timeout", "scrape_refused"]
    assert await listed(client, match_='{reason=~".*refused"}') == ["scrape_refused"]
    assert await listed(client, match_='{job="k"}') == []
    assert await listed(client, start=f"{now - 200}", end=f"{now}") == ["scrape_refused"]
    assert await listed(client, end=f"{now - 400}") == ["scrape_timeout"]
    wrong = await client.get(f"{PREFIX}/unknown", params={"match[]": "{"})
    assert wrong.status_code == 400


async def value(client: httpx.AsyncClient, query: str, at: float) -> list[str]:
    answer = await client.get("/api/v1/query", params={"query": query, "time": str(at)})
    assert answer.status_code == 200, answer.text
    return [each["value"][1] for each in answer.json()["data"]["result"]]


async def test_rules_read_them_as_a_series(house: House, client: httpx.AsyncClient) -> None:
    now = house.now_ms / 1000
    assert await value(client, 'qv_unknown{reason="scrape_timeout"}', now - 601) == []
    assert await value(client, 'qv_unknown{reason="scrape_timeout"}', now - 599) == ["1"]
    assert await value(client, 'qv_unknown{reason="scrape_timeout"}', now - 301) == ["1"]
    assert await value(client, 'qv_unknown{reason="scrape_timeout"}', now - 299) == []
    assert await value(client, "count by (job, instance) (qv_unknown)", now) == ["1"]
    assert await value(client, "max_over_time((sum(qv_unknown) > 0)[10m:1m])", now) == ["1"]
    assert await value(client, "sum_over_time(sum(qv_unknown)[10m:1s])", now) != []
    seconds = await value(client, 'count_over_time(qv_unknown{reason="scrape_timeout"}[15m])', now)
    assert 5 * float(seconds[0]) == pytest.approx(300, abs=10)


async def test_a_range_query_sees_where_an_interval_begins_and_ends(
    house: House, client: httpx.AsyncClient
) -> None:
    now = house.now_ms // 1000
    params = {
        "query": 'qv_unknown{reason="scrape_timeout"}',
        "start": str(now - 700),
        "end": str(now),
        "step": "20",
    }
    answer = (await client.get("/api/v1/query_range", params=params)).json()
    ((series),) = answer["data"]["result"]
    times = [at - now for at, _ in series["values"]]
    assert times == list(range(-600, -300, 20))


async def test_nobody_sees_them_who_does_not_name_them(
    house: House, client: httpx.AsyncClient
) -> None:
    now = house.now_ms / 1000
    assert await value(client, '{job="j"}', now) == []
    names = (await client.get("/api/v1/label/__name__/values")).json()["data"]
    assert "qv_unknown" not in names
