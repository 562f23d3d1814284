"""A query over a peer gives what it gives where the series live."""

from __future__ import annotations

import json

import httpx
import numpy as np
import pytest

from qvmon.adapters.peer import PeerConfig, PeerSource
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Matcher, MatchOp
from qvmon.model.metrics import Registry
from qvmon.model.ports import OutboundRequest, OutboundResponse
from qvmon.model.series import STALE, MetricMetadata, Selection
from qvmon.stores.query import QueryConfig, QueryEngine

from .conftest import ROOT, House


class Over:
    """The outbound client's promise, kept over a client of the application."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def send(self, request: OutboundRequest) -> OutboundResponse:
        answer = await self._client.request(
            request.method, request.url, headers=dict(request.headers), content=request.body
        )
        return OutboundResponse(answer.status_code, dict(answer.headers), answer.content)


async def peer_of(house: House) -> PeerSource:
    owner = await house.person("split", "viewer")
    secret, _ = await house.access.create_token(owner, "peer", ["viewer"])
    config = PeerConfig(url="http://127.0.0.1:9090")
    return PeerSource(config, secret, Over(house.client()))


async def test_a_peer_reads_what_the_store_has(house: House) -> None:
    at = house.now_ms
    up = json.dumps({"__name__": "up", "job": "a", "instance": "ä:1"})
    orders = json.dumps({"__name__": "orders", "venue": "X"})
    await house.write({up: [(at - 1000, 1.0), (at, STALE)], orders: [(at, np.nan)]})
    house.describe(MetricMetadata("up", "gauge", "answers"))
    peer = await peer_of(house)
    named = Matcher("__name__", MatchOp.REGEX, "up|orders")
    absent = Matcher("__name__", MatchOp.EQUAL, "absent")
    selections = [Selection((named,), at - 5000, at), Selection((absent,), 0, at)]
    theirs, ours = await peer.select(selections), await house.store.select(selections)
    for got, kept in zip(theirs, ours, strict=True):
        assert got.labels.all_labels() == kept.labels.all_labels()
        np.testing.assert_array_equal(got.offsets, kept.offsets)
        np.testing.assert_array_equal(got.timestamps, kept.timestamps)
        bits = kept.values.view(np.uint64)
        np.testing.assert_array_equal(got.values.view(np.uint64), bits)
    series = await peer.series([(named,)], 0, at)
    assert set(series.all_labels()) == set(ours[0].labels.all_labels())
    assert await peer.metadata("up") == [MetricMetadata("up", "gauge", "answers")]


async def test_a_peer_is_given_no_more_than_a_query_may_read(house: House) -> None:
    at = house.now_ms
    points = [(at - 1000 + i, float(i)) for i in range(1000)]
    await house.write({json.dumps({"__name__": "orders"}): points})
    house.queries = QueryEngine(house.store, QueryConfig(max_samples=999), house.clock, Registry())
    peer = await peer_of(house)
    named = Matcher("__name__", MatchOp.EQUAL, "orders")
    with pytest.raises(QvmonError, match="too many samples") as refused:
        await peer.select([Selection((named,), 0, at)])
    assert refused.value.kind is ErrorKind.EXHAUSTED
    (few,) = await peer.select([Selection((named,), at - 100, at)])
    assert len(few.values) == 100


async def test_a_query_engine_on_a_peer_answers_alike(house: House) -> None:
    at = house.now_ms
    for job in ("a", "b"):
        points = [(at - 60_000 + i * 1000, i * 1.5) for i in range(60)]
        await house.write({json.dumps({"__name__": "orders_total", "job": job}): points})
    engine = QueryEngine(await peer_of(house), QueryConfig(), house.clock, Registry())
    text = "sum by (job) (rate(orders_total[30s]))"
    got = await engine.instant(ROOT, text, at)
    expected = await house.queries.instant(ROOT, text, at)
    assert got.labels.all_labels() == expected.labels.all_labels()
    np.testing.assert_array_equal(got.values, expected.values)
