"""What every ``SeriesSource`` promises, asked of the embedded store and of a peer before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from qvmon.adapters.outbound import HttpOutbound
from qvmon.adapters.peer import PeerConfig, PeerSource
from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.api.ports import ApiPorts, BuildFacts
from qvmon.api.server import ApiServer
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.metrics import Registry
from qvmon.model.ports import SeriesSource
from qvmon.model.series import (
    STALE,
    STALE_BITS,
    MetricMetadata,
    SampleBatch,
    Selection,
    SeriesKeys,
)
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore
from qvmon.testing.clock import JumpingClock

T = 1_700_000_000_000
SERIES = {
    Labels(__name__="up", job="router", instance="a"): [(T, 1.0), (T + 1000, STALE)],
    Labels(__name__="up", job="router", instance="b"): [(T + 500, np.nan), (T + 2000, -0.0)],
    Labels(__name__="up", job="feed"): [(T + 3000, 5e-324)],
    Labels(__name__="orders", venue='X"\n€'): [(T + i, float(i)) for i in range(500)],
}
METADATA = [
    MetricMetadata("up", "gauge", "whether it answers"),
    MetricMetadata("orders", "counter"),
]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[TelemetryStore]:
    config = TelemetryConfig(out_of_order_window_seconds=3600)
    store = TelemetryStore(tmp_path, config, JumpingClock(), Registry())
    await store.start()
    for labels, points in SERIES.items():
        ids = store.series_ids(SeriesKeys.from_labels([labels]))
        times = np.array([at for at, _ in points], np.int64)
        values = np.array([value for _, value in points])
        await store.append(SampleBatch(np.repeat(ids, len(points)), times, values))
    store.describe(METADATA)
    yield store
    await store.stop()


@pytest.fixture(params=["embedded", "peer"])
async def source(
    request: pytest.FixtureRequest, store: TelemetryStore
) -> AsyncIterator[SeriesSource]:
    if request.param == "embedded":
        yield store
        return
    ports = ApiPorts(
        clock=JumpingClock(),
        registry=Registry(),
        build=BuildFacts(version="0", started_at_us=0),
        ready=lambda: True,
        series=store,
        unknown=store,
    )
    config = ApiConfig(no_auth=True, port=0)
    server = ApiServer(create_app(ports, config), config)
    await server.start()
    outbound = HttpOutbound()
    yield PeerSource(PeerConfig(url=server.url), "qvm_any", outbound)
    await outbound.close()
    await server.stop()


def equal(name: str, value: str) -> Matcher:
    return Matcher(name, MatchOp.EQUAL, value)


def as_dict(columns) -> dict[Labels, list[tuple[int, int]]]:
    """Labels to (time, value's bits), so that NaNs compare."""
    bits = columns.values.view(np.uint64)
    return {
        columns.labels.labels(row): list(
            zip(columns.timestamps[a:b].tolist(), bits[a:b].tolist(), strict=True)
        )
        for row, (a, b) in enumerate(zip(columns.offsets[:-1], columns.offsets[1:], strict=True))
    }


def expected(matches, start: int, end: int) -> dict[Labels, list[tuple[int, int]]]:
    found = {
        labels: [
            (at, int(np.float64(value).view(np.uint64)))
            for at, value in points
            if start <= at <= end
        ]
        for labels, points in SERIES.items()
        if matches(labels)
    }
    return {labels: points for labels, points in found.items() if points}


async def test_each_selection_has_its_answer_in_order(source: SeriesSource) -> None:
    selections = [
        Selection((equal("__name__", "up"),), T, T + 5000),
        Selection((equal("__name__", "absent"),), T, T + 5000),
        Selection((equal("__name__", "orders"),), T + 10, T + 19),
    ]
    ups, nothing, orders = await source.select(selections)
    assert as_dict(ups) == expected(lambda labels: labels["__name__"] == "up", T, T + 5000)
    assert as_dict(nothing) == {}
    assert len(orders.timestamps) == 10


@pytest.mark.parametrize(
    ("start", "end"), [(T, T), (T + 1, T + 500), (T + 1001, T + 1999), (T + 3000, T + 9000)]
)
async def test_both_ends_count_and_empty_series_are_left_out(
    source: SeriesSource, start: int, end: int
) -> None:
    (answer,) = await source.select([Selection((equal("__name__", "up"),), start, end)])
    assert as_dict(answer) == expected(lambda labels: labels["__name__"] == "up", start, end)


async def test_bits_are_kept(source: SeriesSource) -> None:
    (answer,) = await source.select([Selection((equal("instance", "a"),), T, T + 5000)])
    assert answer.values.view(np.uint64)[1] == STALE_BITS


async def test_an_absent_label_is_the_empty_string(source: SeriesSource) -> None:
    matchers = (equal("__name__", "up"), equal("instance", ""))
    (answer,) = await source.select([Selection(matchers, T, T + 5000)])
    assert list(as_dict(answer)) == [Labels(__name__="up", job="feed")]


async def test_series_match_any_set_and_all_without_one(source: SeriesSource) -> None:
    every = await source.series([], T, T + 5000)
    assert sorted(every.all_labels(), key=repr) == sorted(SERIES, key=repr)
    sets = [(equal("instance", "a"),), (equal("job", "router"),)]
    some = await source.series(sets, T, T + 5000)
    wanted = [labels for labels in SERIES if labels.get("job") == "router"]
    assert sorted(some.all_labels(), key=repr) == sorted(wanted, key=repr)


async def test_metadata_of_one_metric_or_of_all(source: SeriesSource) -> None:
    assert await source.metadata("up") == [METADATA[0]]
    assert await source.metadata("absent") == []
    assert sorted(await source.metadata(), key=lambda each: each.name) == METADATA[::-1]


async def test_a_store_that_is_away_is_told_as_away(
    source: SeriesSource, store: TelemetryStore
) -> None:
    await store.stop()
    with pytest.raises(QvmonError) as caught:
        await source.select([Selection((), T, T)])
    assert caught.value.kind is ErrorKind.UNAVAILABLE
