"""``/api/v1/search``: batches of results in lines, or one error."""

from __future__ import annotations

import json

import httpx
import numpy as np
import pytest

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.model.series import MetricMetadata
from tests.unit.api.conftest import House, house

__all__ = ["house"]

NAMES = ("http_requests_total", "orders_total", "up")


@pytest.fixture
async def client(house: House) -> httpx.AsyncClient:
    times = (house.now_ms - 15_000 * np.arange(4)[::-1]).tolist()
    for name in NAMES:
        labels = json.dumps({"__name__": name, "job": f"{name}-job"})
        await house.write({labels: [(at, 1.0) for at in times]})
    house.describe(MetricMetadata("orders", "counter", "Orders sent.", ""))
    return await house.program("viewer", create_app(house.ports(), ApiConfig()))


async def lines(client: httpx.AsyncClient, path: str, **asked: str | list[str]) -> list[object]:
    named = {name.replace("_list", "[]"): value for name, value in asked.items()}
    answer = await client.get(f"/api/v1/search/{path}", params=named)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    return [json.loads(line) for line in answer.text.splitlines()]


async def test_results_end_with_a_trailer(client: httpx.AsyncClient) -> None:
    assert await lines(client, "metric_names", search_list="total") == [
        {"results": [{"name": "http_requests_total"}, {"name": "orders_total"}]},
        {"status": "success", "has_more": False},
    ]


async def test_an_empty_batch_comes_where_nothing_is_found(client: httpx.AsyncClient) -> None:
    assert await lines(client, "metric_names", search_list="zzz") == [
        {"results": []},
        {"status": "success", "has_more": False},
    ]


async def test_a_limit_leaves_more_and_batches_are_lines(client: httpx.AsyncClient) -> None:
    told = await lines(client, "metric_names", limit="2", batch_size="1")
    assert told == [
        {"results": [{"name": "http_requests_total"}]},
        {"results": [{"name": "orders_total"}]},
        {"status": "success", "has_more": True},
    ]


async def test_metrics_come_with_scores_and_what_is_known_of_them(
    client: httpx.AsyncClient,
) -> None:
    told = await lines(
        client, "metric_names", search_list="orders", include_metadata="1", include_score="t"
    )
    described = {"name": "orders_total", "score": 1, "type": "counter", "help": "Orders sent."}
    assert told[0] == {"results": [described]}


async def test_labels_and_their_values_are_found(client: httpx.AsyncClient) -> None:
    labels = await lines(client, "label_names", search_list="jo")
    assert labels[0] == {"results": [{"name": "job"}]}
    values = await lines(client, "label_values", label="job", match_list="up")
    assert values[0] == {"results": [{"value": "up-job"}]}


async def test_only_the_window_is_searched(client: httpx.AsyncClient) -> None:
    told = await lines(client, "metric_names", start="1", end="2")
    assert told[0] == {"results": []}


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"end": "1"}, "end timestamp must not be before start timestamp"),
        ({"limit": "0"}, 'invalid limit "0": must be a positive integer'),
        ({"limit": "10001"}, "limit 10001 exceeds the configured maximum"),
        ({"fuzz_threshold": "101"}, 'invalid fuzz_threshold "101": must be 0-100'),
        ({"fuzz_alg": "x"}, 'unsupported fuzz_alg "x": must be one of [subsequence jarowinkler]'),
        ({"sort_by": "size"}, 'invalid sort_by "size" for label_names: must be "alpha" or "score"'),
        ({"sort_by": "score"}, "sort_by=score requires search[] to be set"),
        ({"sort_dir": "asc"}, "sort_dir is only valid when sort_by is set"),
        ({"case_sensitive": "no"}, 'invalid case_sensitive "no": must be boolean'),
        ({"search[]": ["a"] * 33}, "too many search[] terms: got 33, maximum is 32"),
    ],
)
async def test_what_cannot_be_meant_is_refused(
    client: httpx.AsyncClient, asked: dict[str, str], complaint: str
) -> None:
    answer = await client.get("/api/v1/search/label_names", params=asked)
    assert (answer.status_code, answer.json()["errorType"]) == (400, "bad_data")
    assert answer.json()["error"].startswith(complaint)


async def test_a_label_must_be_named_for_its_values(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/search/label_values", data={"limit": "5"})
    assert answer.status_code == 400
    assert answer.json()["error"] == 'missing required parameter "label"'
