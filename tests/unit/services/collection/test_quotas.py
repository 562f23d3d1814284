"""What senders may send: pure steps over a clock that the tests hold."""

from __future__ import annotations

import numpy as np
import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.series import SeriesKeys
from qvmon.services.collection import CollectionConfig, metrics
from qvmon.services.collection.quotas import OTHERS, Quotas, Rate
from qvmon.services.collection.receiving import Receiving
from qvmon.wire.remote_write import SeriesMemory, WriteRequest, encode

from .memory import World


def quotas(per_second: float = 0.0, per_hour: float = 0.0, most: int = 1000) -> Quotas:
    return Quotas(Rate.of_samples(per_second), Rate.of_series(per_hour), most)


def test_ten_seconds_of_samples_may_come_at_once_and_then_as_many_as_time_brings() -> None:
    limits = quotas(per_second=100)
    assert limits.take_samples("a", 1000, now=0.0) == 0
    assert limits.take_samples("a", 100, now=0.0) == pytest.approx(1.0)
    assert limits.take_samples("a", 100, now=0.5) == pytest.approx(0.5)
    assert limits.take_samples("a", 100, now=1.0) == 0


def test_a_sender_that_is_refused_owes_nothing_for_it() -> None:
    limits = quotas(per_second=100)
    limits.take_samples("a", 1000, now=0.0)
    for _ in range(50):
        assert limits.take_samples("a", 100, now=0.1) > 0
    assert limits.take_samples("a", 100, now=1.0) == 0


def test_a_request_larger_than_a_burst_passes_when_nothing_was_sent_before_it() -> None:
    limits = quotas(per_second=100)
    assert limits.take_samples("a", 5000, now=0.0) == 0
    assert limits.take_samples("a", 1, now=39.0) > 0
    assert limits.take_samples("a", 5000, now=50.0) == 0


def test_senders_do_not_pay_for_each_other() -> None:
    limits = quotas(per_second=1)
    assert limits.take_samples("a", 10, now=0.0) == 0
    assert limits.take_samples("b", 10, now=0.0) == 0
    assert limits.take_samples("a", 10, now=0.0) == 10


def test_without_a_limit_everything_passes() -> None:
    limits = quotas()
    assert limits.take_samples("a", 10**9, now=0.0) == 0
    assert not limits.limits_series


def test_new_series_of_an_hour_may_come_at_once_and_the_rest_are_counted_out() -> None:
    limits = quotas(per_hour=60)
    assert limits.take_series("a", 50, now=0.0) == 50
    assert limits.take_series("a", 50, now=0.0) == 10
    assert limits.take_series("a", 50, now=0.0) == 0
    assert limits.take_series("a", 50, now=120.0) == 2


def test_a_clock_that_goes_back_brings_nothing() -> None:
    limits = quotas(per_second=1)
    limits.take_samples("a", 10, now=100.0)
    assert limits.take_samples("a", 1, now=50.0) == 1


def test_senders_beyond_the_most_are_one() -> None:
    limits = quotas(most=2)
    for sender in ("a", "b", "c", "d", "a"):
        name = limits.name_of(sender)
        limits.take_samples(name, 1, now=0.0)
        limits.count(name, 1, {}, 5)
    assert [(each.name, each.accepted) for each in limits.report()] == [
        (OTHERS, 2),
        ("a", 2),
        ("b", 1),
    ]


def test_the_report_says_what_was_refused_to_whom_and_when() -> None:
    limits = quotas()
    for moment in (1000, 2000, 3000):
        limits.take_samples("a", 1, now=0.0)
        limits.count("a", 2, {"too_old": 1, "series_limit": 0} if moment < 3000 else {}, moment)
    (status,) = limits.report()
    assert (status.accepted, status.refused, status.last_refused_ms) == (6, {"too_old": 2}, 2000)


# --- with a store --------------------------------------------------------------------------------


def receiving(world: World, **limits: float) -> Receiving:
    return Receiving(
        CollectionConfig(**limits),
        world.sink,
        world.clock,
        world.registry,
        exemplars=world.exemplars,
        unknown=world.unknown,
    )


def request(*names: str, time_ms: int = 1000) -> WriteRequest:
    keys = SeriesKeys.from_labels([Labels(__name__=name) for name in names])
    rows = np.arange(len(names))
    body = encode(keys, rows, np.full(len(names), time_ms), np.ones(len(names)))
    return SeriesMemory().read(body, "snappy", max_bytes=1 << 20)


async def test_a_sender_that_is_too_fast_is_told_when_to_come_back_and_nothing_is_stored() -> None:
    world = World()
    door = receiving(world, sender_samples_per_second=0.2)
    assert (await door.store("a", request("x", "y"))).accepted == 2
    with pytest.raises(QvmonError) as caught:
        await door.store("a", request("z"))
    assert caught.value.kind is ErrorKind.EXHAUSTED
    assert caught.value.context["retry_after_seconds"] == 5
    assert world.sink.names() == {"x", "y"}
    assert world.counted(metrics.REFUSED_SAMPLES, "sender_rate_limit", "a") == 1
    assert (await door.store("b", request("z"))).accepted == 1


async def test_series_beyond_a_senders_limit_are_refused_and_the_rest_is_stored() -> None:
    world = World()
    door = receiving(world, sender_new_series_per_hour=2)
    first = await door.store("a", request("x", "y", "z", "z"))
    assert first.accepted == 2
    assert first.refused["sender_series_limit"].tolist() == [2, 3]
    again = await door.store("a", request("x", "z", time_ms=2000))
    assert again.accepted == 1
    other = await door.store("b", request("z", time_ms=3000))
    assert other.accepted == 1
    assert (await door.store("a", request("z", time_ms=4000))).accepted == 1
    assert {each.name: each.refused for each in door.senders()} == {
        "a": {"sender_series_limit": 3},
        "b": {},
    }


async def test_the_stores_own_limit_keeps_its_name() -> None:
    world = World()
    world.sink.series_limit = 1
    door = receiving(world, sender_new_series_per_hour=2)
    result = await door.store("a", request("x", "y", "z"))
    assert result.refused["series_limit"].tolist() == [1]
    assert result.refused["sender_series_limit"].tolist() == [2]
