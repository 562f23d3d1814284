"""Series, as the Prometheus API lists them."""

from __future__ import annotations

from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app

from .conftest import House


async def test_series_of_several_selectors_come_in_the_order_of_their_labels(house: House) -> None:
    for name in ("late", "early"):
        await house.write({f'{{"__name__":"{name}"}}': [(house.now_ms, 1.0)]})
    client = house.client(create_app(house.ports(access=None), ApiConfig(no_auth=True)))
    answer = await client.get("/api/v1/series?match[]=late&match[]=early&limit=1")
    assert answer.json()["data"] == [{"__name__": "early"}]
