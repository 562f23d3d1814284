import numpy as np
import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.metrics import Registry
from qvmon.services.alerting.meters import Meters
from qvmon.services.alerting.metrics import REFUSED_SAMPLES
from qvmon.services.alerting.recorder import Recorder

A, B = (Labels(__name__="r", i=i).encode() for i in "ab")


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def recorder(world, registry: Registry) -> Recorder:
    return Recorder(world.sink, Meters(registry))


async def test_a_vanished_series_is_marked_once(world, recorder: Recorder) -> None:
    await recorder.write([A, B], np.array([1.0, 2.0]), 10)
    await recorder.write([A], np.array([3.0]), 20)
    await recorder.write([A], np.array([4.0]), 30)
    assert [(labels["i"], at, value) for labels, at, value in world.sink.of("r")] == [
        ("a", 10, 1.0),
        ("b", 10, 2.0),
        ("a", 20, 3.0),
        ("b", 20, "stale"),
        ("a", 30, 4.0),
    ]


async def test_a_marker_that_could_not_be_written_is_written_later(
    world, recorder: Recorder
) -> None:
    await recorder.write([A], np.array([1.0]), 10)
    world.sink.away = QvmonError(ErrorKind.UNAVAILABLE, "no disk")
    with pytest.raises(QvmonError):
        await recorder.write([], np.array([]), 20)
    world.sink.away = None
    await recorder.write([], np.array([]), 30)
    assert [(at, value) for _, at, value in world.sink.of("r")] == [(10, 1.0), (30, "stale")]


async def test_refused_samples_are_counted_and_told_but_refused_markers_are_not(
    world, recorder: Recorder, registry: Registry
) -> None:
    await recorder.write([A, B], np.array([1.0, 2.0]), 10)
    world.sink.refuses = {"out_of_order": [0, 1], "too_old": [1]}
    with pytest.raises(QvmonError, match="the store refused samples: 1 out_of_order"):
        await recorder.write([A], np.array([1.0]), 20)
    assert registry.value(REFUSED_SAMPLES, "out_of_order").current == 1
    assert registry.value(REFUSED_SAMPLES, "too_old").current == 0
