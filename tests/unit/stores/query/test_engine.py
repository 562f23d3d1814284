"""Queries are answered to those who may read, within their limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from qvmon.model.access import ANONYMOUS, Principal, Role, person, service_principal
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.metrics import Registry
from qvmon.model.series import SeriesColumns
from qvmon.promql import Matrix, Scalar, Vector, parse_matchers
from qvmon.stores.query import QueryEngine, QueryStatistics
from qvmon.stores.query.metrics import DURATION, PLANS, QUERIES, RUNNING, SAMPLES, WAITING

Make = Callable[..., QueryEngine]
VIEWER = person("ada", frozenset({Role.VIEWER}))
INGEST = person("agent-1", frozenset({Role.INGEST}))


async def test_an_instant_query_answers_at_its_time(engine: Make) -> None:
    result = await engine().instant(VIEWER, "sum by (job) (up)", 300_000)
    assert isinstance(result, Vector)
    assert [labels["job"] for labels in result.labels.all_labels()] == ["gateway", "decision"]
    assert result.values.tolist() == [20.0, 20.0]


async def test_a_range_query_answers_at_every_step(engine: Make) -> None:
    result = await engine().range(VIEWER, "max(up)", 0, 120_000, 60_000)
    assert isinstance(result, Matrix)
    assert result.values.tolist() == [[0.0, 4.0, 8.0]]


async def test_a_range_query_of_one_step_is_a_matrix_too(engine: Make) -> None:
    assert isinstance(await engine().range(VIEWER, "up", 0, 0, 60_000), Matrix)


async def test_a_number_needs_no_samples(engine: Make, source: object) -> None:
    result = await engine().instant(VIEWER, "6 * 7", 0)
    assert isinstance(result, Scalar)
    assert result.values.tolist() == [42.0]


async def test_a_range_of_samples_is_only_for_instant_queries(engine: Make) -> None:
    result = await engine().instant(VIEWER, "up[1m]", 300_000)
    assert isinstance(result, SeriesColumns)
    assert len(result.timestamps) == 8
    with pytest.raises(QvmonError, match="must be Scalar or instant Vector"):
        await engine().range(VIEWER, "up[1m]", 0, 60_000, 60_000)


@pytest.mark.parametrize(
    ("principal", "kind"),
    [(ANONYMOUS, ErrorKind.UNAUTHENTICATED), (INGEST, ErrorKind.FORBIDDEN)],
)
async def test_nothing_is_said_to_those_who_may_not_read(
    engine: Make, source: object, principal: Principal, kind: ErrorKind
) -> None:
    asked = engine()
    for question in (
        asked.instant(principal, "up", 0),
        asked.range(principal, "up", 0, 1, 1),
        asked.catalogue.series(principal, [], 0, 1),
        asked.catalogue.label_names(principal, [], 0, 1),
        asked.catalogue.label_values(principal, "job", [], 0, 1),
        asked.catalogue.metadata(principal),
    ):
        with pytest.raises(QvmonError) as caught:
            await question
        assert caught.value.kind is kind
    assert source.asked == []


async def test_the_same_selection_is_fetched_once(engine: Make, source: object) -> None:
    await engine().instant(VIEWER, "up + up / up", 300_000)
    assert len(source.asked) == 1


@pytest.mark.parametrize("text", ["up +", "rate(up)", "nosuch(up)"])
async def test_a_wrong_query_says_where_before_anything_is_read(
    engine: Make, source: object, text: str
) -> None:
    with pytest.raises(QvmonError, match=r"^1:\d+: parse error: ") as caught:
        await engine().instant(VIEWER, text, 0)
    assert caught.value.kind is ErrorKind.INVALID
    assert source.asked == []


@pytest.mark.parametrize(
    ("start", "end", "step", "reason"),
    [
        (1, 0, 1, "end timestamp must not be before start time"),
        (0, 1, 0, "zero or negative query resolution"),
        (0, 1, -1, "zero or negative query resolution"),
        (0, 11_001_000, 1000, "exceeded maximum resolution of 11,000 points"),
    ],
)
async def test_ranges_that_make_no_sense_are_refused(
    engine: Make, start: int, end: int, step: int, reason: str
) -> None:
    with pytest.raises(QvmonError, match=reason) as caught:
        await engine().range(VIEWER, "up", start, end, step)
    assert caught.value.kind is ErrorKind.INVALID


async def test_the_largest_resolution_has_one_point_more_than_its_steps(engine: Make) -> None:
    """As in Prometheus, of which Grafana asks for a range in just so many steps."""
    result = await engine().range(VIEWER, "vector(1)", 0, 11_000_000, 1000)
    assert isinstance(result, Matrix)
    assert len(result.times) == 11_001


@pytest.mark.parametrize("limit", ["max_samples", "max_series"])
async def test_a_query_that_reads_too_much_is_refused(engine: Make, limit: str) -> None:
    with pytest.raises(QvmonError) as caught:
        await engine(**{limit: 1}).instant(VIEWER, "up", 300_000)
    assert caught.value.kind is ErrorKind.EXHAUSTED


@pytest.mark.parametrize(
    "text", ["max_over_time(up[10y:1ms])", "max_over_time(max_over_time(up[1h:1s])[1h:1s])"]
)
async def test_subqueries_of_too_many_steps_are_refused_before_anything_is_read(
    engine: Make, source: object, text: str
) -> None:
    with pytest.raises(QvmonError, match="too many samples into memory") as caught:
        await engine(max_samples=5000).instant(VIEWER, text, 300_000)
    assert caught.value.kind is ErrorKind.EXHAUSTED
    assert source.asked == []


async def test_queries_beyond_the_queue_are_refused(
    engine: Make, source: object, registry: Registry
) -> None:
    asked = engine(concurrent=1, queued=1)
    source.may_answer.clear()
    running = asyncio.ensure_future(asked.instant(VIEWER, "up", 0))
    waiting = asyncio.ensure_future(asked.instant(VIEWER, "up", 0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert registry.value(RUNNING, "dashboards").current == 1
    assert registry.value(WAITING, "dashboards").current == 1
    with pytest.raises(QvmonError) as caught:
        await asked.instant(VIEWER, "up", 0)
    assert caught.value.kind is ErrorKind.EXHAUSTED
    source.may_answer.set()
    await asyncio.gather(running, waiting)
    assert (
        registry.value(RUNNING, "dashboards").current
        == registry.value(WAITING, "dashboards").current
        == 0
    )


async def test_rules_are_evaluated_however_many_people_ask(engine: Make, source: object) -> None:
    asked = engine(concurrent=1, queued=0)
    source.may_answer.clear()
    person_asks = asyncio.ensure_future(asked.instant(VIEWER, "up", 0))
    rules = [
        asyncio.ensure_future(asked.instant(service_principal("alerting"), "up", 300_000))
        for _ in range(20)
    ]
    await asyncio.sleep(0)
    with pytest.raises(QvmonError):
        await asked.instant(VIEWER, "up", 0)
    source.may_answer.set()
    assert [len(each) for each in await asyncio.gather(*rules)] == [2] * 20
    await person_asks


async def test_a_query_that_takes_too_long_gives_its_place_back(
    engine: Make, source: object, registry: Registry
) -> None:
    source.may_answer.clear()
    with pytest.raises(QvmonError) as caught:
        await engine(concurrent=1).instant(VIEWER, "up", 0, timeout_seconds=0.001)
    assert caught.value.kind is ErrorKind.TIMEOUT
    assert registry.value(RUNNING, "dashboards").current == 0


async def test_a_caller_cannot_ask_for_more_time_than_configured(
    engine: Make, source: object
) -> None:
    source.may_answer.clear()
    with pytest.raises(QvmonError, match=r"after 0\.001s"):
        await engine(timeout_seconds=0.001).instant(VIEWER, "up", 0, timeout_seconds=60)


async def test_the_lookback_can_be_asked_for(engine: Make) -> None:
    late = 600_000 + 100_000
    asked = engine()
    assert len(await asked.instant(VIEWER, "up", late)) == 2
    assert len(await asked.instant(VIEWER, "up", late, lookback_ms=60_000)) == 0


async def test_series_labels_and_values_are_listed(engine: Make) -> None:
    asked = engine()
    frame = await asked.catalogue.series(VIEWER, [parse_matchers("orders_total")], 0, 1)
    assert [labels["venue"] for labels in frame.all_labels()] == ["XNYS"]
    assert await asked.catalogue.label_names(VIEWER, [], 0, 1) == ["__name__", "job", "venue"]
    assert await asked.catalogue.label_names(VIEWER, [parse_matchers("up")], 0, 1) == [
        "__name__",
        "job",
    ]
    assert await asked.catalogue.label_values(VIEWER, "job", [], 0, 1) == ["decision", "gateway"]
    assert await asked.catalogue.label_values(VIEWER, "nosuch", [], 0, 1) == []
    assert [each.name for each in await asked.catalogue.metadata(VIEWER)] == ["up"]


async def test_plans_are_remembered(engine: Make, registry: Registry) -> None:
    asked = engine()
    for _ in range(3):
        await asked.instant(VIEWER, "up", 0)
    assert registry.value(PLANS, "miss").current == 1
    assert registry.value(PLANS, "hit").current == 2


async def test_every_query_is_counted_with_its_outcome(engine: Make, registry: Registry) -> None:
    asked = engine()
    await asked.instant(VIEWER, "up", 300_000)
    with pytest.raises(QvmonError):
        await asked.instant(VIEWER, "up +", 0)
    assert registry.value(QUERIES, "instant", "ok").current == 1
    assert registry.value(QUERIES, "instant", "invalid").current == 1
    assert registry.value(SAMPLES).current == 40
    assert sum(registry.distribution(DURATION, "instant").counts) == 2


async def test_statistics_are_told_to_those_who_ask(engine: Make) -> None:
    """The samples each step looked at, and the time each part took, add up."""
    statistics = QueryStatistics(per_step=True)
    await engine().range(VIEWER, "rate(up[1m])", 60_000, 120_000, 30_000, statistics=statistics)
    assert statistics.samples_per_step == [(60_000, 8), (90_000, 8), (120_000, 8)]
    assert statistics.total_queryable == 24
    assert statistics.peak == 6 + 4
    assert statistics.exec_total == statistics.exec_queue + statistics.eval_total
