"""A real Prometheus reads what qvmon stores, and answers queries over it as qvmon does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import numpy as np
import pytest

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.api.server import ApiServer

from .conftest import House

T0 = 1_700_000_000_000 - 6_000_000
CONFIG = """
global: {{scrape_interval: 1h}}
remote_read:
- url: {url}/api/v1/read
  read_recent: true
"""


@pytest.fixture
async def served(house: House) -> AsyncIterator[str]:
    """The address of a qvmon with samples and an external label."""
    rng = np.random.default_rng(3)
    for number in range(3):
        labels = json.dumps({"__name__": "orders_total", "venue": f"v{number}", "job": "router"})
        counts = np.cumsum(rng.integers(0, 9, 400)).tolist()
        points = [(T0 + 15_000 * i + number, float(count)) for i, count in enumerate(counts)]
        await house.write({labels: points})
    ports = house.ports(access=None)
    ports = replace(ports, build=replace(ports.build, external_labels={"region": "eu"}))
    config = ApiConfig(no_auth=True, port=0)
    server = ApiServer(create_app(ports, config), config)
    await server.start()
    yield server.url
    await server.stop()


async def answered(url: str, query: str) -> list[dict[str, object]]:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        interval = {"start": T0 / 1000, "end": T0 / 1000 + 6000, "step": 60}
        answer = await client.get("/api/v1/query_range", params={"query": query, **interval})
        assert answer.status_code == 200, answer.text
        result: list[dict[str, object]] = answer.json()["data"]["result"]
        return sorted(result, key=lambda series: json.dumps(series["metric"], sort_keys=True))


@pytest.mark.server("prometheus")
@pytest.mark.parametrize(
    "query",
    [
        "orders_total",
        'orders_total{venue=~"v[12]",job!="x",missing=""}',
        "sum by (venue) (orders_total) / 2",
    ],
)
async def test_prometheus_answers_from_qvmon(served: str, start_prometheus, query: str) -> None:
    theirs = await answered(start_prometheus(CONFIG.format(url=served)), query)
    ours = await answered(served, query)
    assert ours
    for series in theirs:
        metric = series["metric"]
        assert isinstance(metric, dict)
        if "by (venue)" not in query:
            assert metric.pop("region") == "eu"
    assert theirs == ours


@pytest.mark.server("prometheus")
async def test_external_labels_can_be_asked_for(served: str, start_prometheus) -> None:
    prometheus = start_prometheus(CONFIG.format(url=served))
    assert len(await answered(prometheus, 'orders_total{region="eu"}')) == 3
    assert await answered(prometheus, 'orders_total{region="us"}') == []


async def test_damage_is_told_in_plain_text(served: str) -> None:
    async with httpx.AsyncClient(base_url=served, trust_env=False) as client:
        answer = await client.post("/api/v1/read", content=b"\xff\xff")
    assert answer.status_code == 400
    assert answer.text.startswith("damaged snappy body")
