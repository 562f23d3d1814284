"""Rules that are due together say what each would say alone, for less."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from structlog.testing import capture_logs

from qvmon.model.access import ANONYMOUS, service_principal
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.metrics import Registry
from qvmon.promql import Plan, Result, Scalar, Vector, evaluate
from qvmon.stores.query import QueryConfig, QueryEngine
from qvmon.stores.query.metrics import SAMPLES, SHARED
from qvmon.testing.clock import JumpingClock

from .conftest import Ramps

RULES = service_principal("alerting")
AT = 450_000
Make = Callable[..., QueryEngine]


@pytest.fixture
def source() -> Ramps:
    """Sixty series of two metrics."""
    return Ramps(
        [
            Labels({"__name__": name, "service": service, "instance": str(instance), **more})
            for name in ("requests_total", "errors_total")
            for service in ("gateway", "decision", "execution")
            for instance in range(10)
            for more in ({"zone": "a"} if instance % 2 else {},)
        ]
    )


PARTS = [
    "requests_total",
    'requests_total{service="gateway"}',
    'requests_total{service=~"g.*|d.*"}',
    'errors_total{service!="gateway",zone=""}',
    "rate(requests_total[5m])",
    'rate(requests_total{service="decision"}[5m])',
    'rate(requests_total{service="decision",zone="a"}[5m])',
    'rate(errors_total{service="decision"}[5m])',
    'rate(errors_total{service="execution"}[5m])',
    'rate(errors_total{nosuch="x"}[5m])',
    'increase(errors_total{zone="a"}[2m] offset 1m)',
    'max_over_time(errors_total{zone="a"}[2m] @ 200)',
    'last_over_time(errors_total{zone="a"}[2m])',
    'last_over_time(errors_total{zone="b"}[2m])',
    'quantile_over_time(0.5, errors_total{instance=~"[0-4]"}[3m])',
    "max_over_time(rate(requests_total[1m])[3m:30s])",
    "timestamp(requests_total)",
    'timestamp(requests_total{service="gateway"})',
    "never_seen_total",
    'never_seen_total{service="gateway"}',
    'rate(never_seen_total{service=~"g.*"}[5m])',
    'absent(requests_total{service="nosuch"})',
    'absent_over_time(errors_total{service="nosuch"}[5m])',
    "scalar(sum(errors_total))",
    "{service='gateway',instance='1'}",
    "rate(requests_total[2m - 3m])",
    "double_exponential_smoothing(requests_total{zone='a'}[2m], 2, 0.5)",
    "double_exponential_smoothing(requests_total{zone='b'}[2m], 2, 0.5)",
    "max_over_time(errors_total{zone='a'}[1m] smoothed)",
    "max_over_time(errors_total{zone='b'}[1m] smoothed)",
    "increase(errors_total{zone='b'}[1m] anchored)",
    "max_over_time(errors_total{zone='b'}[1m * 2])",
]
SHAPES = [
    "{0}",
    "({0}) > 3",
    "sum by (service) ({0})",
    "topk(3, {0})",
    "({0}) / on (service, instance) group_left () ({1})",
    "count({0}) + count({1})",
    "{0} or {1}",
    "abs({0})",
    "label_replace({0}, 'x', '$1', 'service', '(.).*')",
]


def rows(result: Result | QvmonError) -> object:
    """What a rule makes of a result."""
    if isinstance(result, QvmonError):
        return result.kind, result.message
    if isinstance(result, Scalar):
        return result.values.tolist()
    assert isinstance(result, Vector)
    return list(zip(result.labels.all_labels(), result.values.tolist(), strict=True))


async def together(
    engine: QueryEngine, texts: list[str], at: int = AT
) -> list[Result | QvmonError]:
    asked = [(text, at) for text in texts]
    found = {each: answer async for each, answer in engine.many(RULES, asked)}
    return [found[each] for each in asked]


async def alone(engine: QueryEngine, text: str) -> object:
    try:
        return rows(await engine.instant(RULES, text, AT))
    except QvmonError as error:
        return error.kind, error.message


@pytest.mark.parametrize("seed", range(25))
async def test_together_they_say_what_each_says_alone(engine: Make, seed: int) -> None:
    """Also at later times, when it is known which covers are worth it, and in any order."""
    chance = random.Random(seed)
    texts = [
        chance.choice(SHAPES).format(chance.choice(PARTS), chance.choice(PARTS))
        for _ in range(chance.randint(1, 25))
    ]
    asked = engine()
    expected = [await alone(asked, text) for text in texts]
    for _ in range(3):
        found = await together(asked, texts)
        for text, wanted, got in zip(texts, expected, map(rows, found), strict=True):
            assert repr(got) == repr(wanted), text


async def test_what_rules_have_in_common_is_read_once(
    engine: Make, source: Ramps, registry: Registry
) -> None:
    """A metric that some rule asks for whole is read once for all, whatever else they ask."""
    texts = ["sum(rate(requests_total[5m]))"] + [
        f'sum(rate(requests_total{{service="{each}"}}[5m])) > {limit}'
        for each in ("gateway", "decision", "execution")
        for limit in range(10)
    ]
    found = await together(engine(), texts)
    assert len(source.asked) == 1
    assert registry.value(SHARED).current >= 30
    assert registry.value(SAMPLES).current == 30 * 20
    assert not any(isinstance(each, QvmonError) for each in found)


async def test_a_metric_that_nobody_has_sent_yet_may_be_shared(engine: Make) -> None:
    """At a first start rules ask for what has not been scraped."""
    texts = ["never_seen_total", 'never_seen_total{service="gateway"}']
    assert [rows(each) for each in await together(engine(), texts)] == [[], []]


async def test_parts_that_make_up_most_of_a_metric_are_read_as_one_once_that_is_known(
    engine: Make, source: Ramps
) -> None:
    texts = [
        f'sum(rate(requests_total{{service="{each}"}}[5m]))'
        for each in ("gateway", "decision", "execution")
    ]
    asked = engine()
    await together(asked, texts)
    assert len(source.asked) == 3
    await together(asked, texts, AT + 1000)
    assert len(source.asked) == 4
    few = ['sum(rate(errors_total{instance="1"}[5m]))', 'sum(rate(errors_total{instance="2"}[5m]))']
    for tick in range(2):
        await together(asked, few, AT + 2000 + tick)
    assert len(source.asked) == 8


async def test_one_that_fails_does_not_harm_the_others(engine: Make) -> None:
    texts = ["up +", "requests_total + on () errors_total", "rate(errors_total[1m - 2m])"]
    texts.append("count(errors_total)")
    wrong, many, backwards, fine = await together(engine(), texts)
    assert isinstance(backwards, QvmonError)
    assert isinstance(wrong, QvmonError)
    assert wrong.kind is ErrorKind.INVALID
    assert isinstance(many, QvmonError)
    assert isinstance(fine, Vector)
    assert fine.values.tolist() == [30.0]


async def test_a_defect_is_the_error_of_those_alone_that_have_it(
    engine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of every rule that is due with them."""

    def broken(of: Plan, *rest: object, **more: object) -> Result:
        if "errors_total" in of.text:
            raise ZeroDivisionError("a defect")
        return evaluate(of, *rest, **more)

    monkeypatch.setattr("qvmon.stores.query.together.evaluate", broken)
    texts = [f"count(requests_total) > {n}" for n in range(20)] + ["count(errors_total)"]
    asked = engine()
    with capture_logs() as logs:
        for tick in range(2):
            *fine, wrong = await together(asked, texts, AT + tick)
            assert all(isinstance(each, Vector) for each in fine)
            assert isinstance(wrong, QvmonError)
            assert (wrong.kind, wrong.message) == (
                ErrorKind.INTERNAL,
                "ZeroDivisionError: a defect",
            )
    assert len(logs) == 1


async def test_a_batch_that_costs_too_much_is_done_in_parts(engine: Make) -> None:
    """Rules are not refused for what their neighbours read; only for what they read themselves."""
    asked = engine(max_samples=30 * 31)
    texts = ["count(requests_total)", "count(errors_total)", "count({instance=~'.+'})"]
    first, second, both = await together(asked, texts)
    assert isinstance(first, Vector)
    assert isinstance(second, Vector)
    assert np.concatenate((first.values, second.values)).tolist() == [30.0, 30.0]
    assert isinstance(both, QvmonError)
    assert both.kind is ErrorKind.EXHAUSTED


async def test_rules_of_nobody_are_not_evaluated(source: Ramps, registry: Registry) -> None:
    asked = QueryEngine(source, QueryConfig(), JumpingClock(), registry)
    with pytest.raises(QvmonError):
        [each async for each in asked.many(ANONYMOUS, [("up", AT)])]


async def test_nobody_waits_for_those_who_read_much(
    engine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What reads many series is evaluated apart from what does not, once that is known."""
    monkeypatch.setattr("qvmon.stores.query.together.LARGE", 30)
    asked = engine()
    texts = ["count(requests_total)", 'count(errors_total{zone="a"})', "vector(1)"]
    assert all(isinstance(each, Vector) for each in await together(asked, texts))
    plans = [asked.planned(text) for text in texts]
    assert asked._rules._together.parted(plans) == [plans[:1], plans[1:]]
