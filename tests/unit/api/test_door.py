"""What is answered before everything has started, and what waits."""

from __future__ import annotations

import asyncio

import httpx
import numpy as np
import pytest

from qvmon.api.config import ApiConfig
from qvmon.api.door import Door
from qvmon.api.http.application import create_app
from qvmon.api.http.first import create_first_app
from qvmon.model.labels import Labels
from qvmon.model.series import SeriesKeys
from qvmon.testing.clock import settle
from qvmon.wire.remote_write import encode

from .conftest import House


def first_door(house: House, config: ApiConfig) -> Door:
    return Door(create_first_app(house.collection, config, house.clock, house.registry))


def client_of(door: Door) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=door)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


def written(house: House) -> bytes:
    keys = SeriesKeys.from_labels([Labels(__name__="early")])
    return encode(keys, np.zeros(1, np.int64), np.array([house.now_ms]), np.ones(1))


async def waits(door: Door, method: str, path: str) -> asyncio.Task[httpx.Response]:
    """Send a request, and see that it isn't answered."""
    client = client_of(door)
    asked = asyncio.create_task(client.request(method, path))
    await settle()
    assert not asked.done()
    return asked


async def test_health_is_answered_at_once_and_readiness_denied(house: House) -> None:
    client = client_of(first_door(house, ApiConfig()))
    assert (await client.get("/-/healthy")).status_code == 200
    assert (await client.get("/-/ready")).status_code == 503


@pytest.mark.parametrize("setting", ["no_auth", "anonymous_ingest"])
async def test_samples_are_taken_at_once_from_those_who_need_not_log_in(
    house: House, setting: str
) -> None:
    client = client_of(first_door(house, ApiConfig(**{setting: True})))
    answer = await client.post("/api/v1/write", content=written(house))
    assert answer.status_code == 204, answer.text


async def test_samples_of_those_who_must_log_in_wait(house: House) -> None:
    asked = await waits(first_door(house, ApiConfig()), "POST", "/api/v1/write")
    asked.cancel()


async def test_what_waited_is_answered_by_the_whole_application(house: House) -> None:
    config = ApiConfig(no_auth=True)
    door = first_door(house, config)
    asked = await waits(door, "GET", "/api/v1/status/buildinfo")
    door.open(create_app(house.ports(), config))
    assert (await asked).status_code == 200
    assert (await client_of(door).get("/nowhere")).status_code == 404


async def test_what_waits_is_refused_when_the_start_fails(house: House) -> None:
    door = first_door(house, ApiConfig())
    asked = await waits(door, "GET", "/api/v1/query")
    door.state.close_streams()
    answer = await asked
    assert (answer.status_code, answer.text) == (503, "qvmon could not be started\n")
