"""The head by itself: chunks are reused only when nobody reads them."""

from __future__ import annotations

import threading

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.series import SampleBatch
from qvmon.tsdb.head import kernels
from qvmon.tsdb.head.head import Admission, Head
from qvmon.tsdb.rows import merged

ALL = (-(2**62), 2**62)


def filled(head: Head, times: range, series: int = 1) -> np.ndarray:
    count = len(times) * series
    batch = SampleBatch(
        np.tile(np.arange(series), len(times)), np.repeat(np.array(times), series), np.ones(count)
    )
    return head.append(batch, Admission(series, 0, 2**62))


def test_a_series_the_head_has_not_heard_of_has_no_samples():
    """As when a series is created between a query's matching and its reading."""
    head = Head(100, 1 << 20)
    filled(head, range(10))
    rows = head.read(np.array([0, 7]), *ALL)
    assert rows.offsets.tolist() == [0, 10, 10]
    assert head.present(np.array([7, 0]), *ALL).tolist() == [False, True]


def test_released_cells_are_reused():
    head = Head(100, 1 << 20)
    filled(head, range(1_000))
    before = head.chunk_bytes
    for start in range(1_000, 20_000, 1_000):
        head.settle(start)
        head.trim(start)
        filled(head, range(start, start + 1_000))
    assert head.chunk_bytes <= 2 * before
    assert head.read(np.array([0]), *ALL).times.tolist() == list(range(19_000, 20_000))


def test_cells_wait_for_the_readers_that_began_before_they_were_released():
    head = Head(100, 1 << 20)
    filled(head, range(600))
    before = head.chunk_bytes
    parts = head.parts(np.array([0]), *ALL)
    head.trim(550)
    filled(head, range(600, 1_200))
    assert head.chunk_bytes > before
    assert merged(parts).times.tolist() == list(range(600))
    del parts
    head.trim(551)
    assert head.chunk_bytes <= before


def test_a_full_head_says_so_row_by_row():
    head = Head(100, 9 * 8 * kernels.WORDS)
    verdicts = filled(head, range(600)).tolist()
    stored = verdicts.count(kernels.STORED)
    assert verdicts == [kernels.STORED] * stored + [kernels.NO_MEMORY] * (600 - stored)
    assert head.read(np.array([0]), *ALL).times.tolist() == list(range(stored))


def test_a_steady_counter_costs_less_than_two_bytes_a_sample():
    head = Head(100, 1 << 20)
    steps = np.random.default_rng(5).integers(0, 100, 480)
    values = np.cumsum(steps) + 1e6
    batch = SampleBatch(np.zeros(480, np.int64), np.arange(480) * 15_000, values)
    head.append(batch, Admission(1, 0, 2**62))
    assert head.chunk_bytes - 16 * kernels.ROWS <= 2 * 480
    assert head.read(np.array([0]), *ALL).values.tolist() == values.tolist()


def test_the_oldest_sample_kept_is_known_after_a_trim():
    head = Head(100, 1 << 20)
    filled(head, range(0, 1_000, 10), series=3)
    head.trim(555)
    assert head.oldest == 560
    head.trim(5_000)
    assert head.oldest == 2**63 - 1
    assert head.active_series() == 0


TIMES = st.lists(
    st.one_of(st.just(15_000), st.integers(14_997, 15_003), st.integers(1, 10**9)),
    min_size=1,
    max_size=600,
)
SHAPES = {
    "counter": lambda random, n: np.cumsum(random.integers(0, 50, n)).astype(float),
    "gauge": lambda random, n: random.integers(-(10**6), 10**6, n) / 1000,
    "constant": lambda _, n: np.full(n, 0.25),
    "doubles": lambda random, n: random.normal(size=n),
    "any bits": lambda random, n: random.integers(-(2**63), 2**63, n).view(np.float64),
}


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(TIMES, st.sampled_from(sorted(SHAPES))), min_size=1, max_size=4), st.data()
)
def test_it_holds_what_dictionaries_hold(series, data):
    """Appended in pieces, read in any range, trimmed, cut, and asked for what it has already."""
    random = np.random.default_rng(len(series))
    head, ids = Head(10, 1 << 20), np.arange(len(series))
    held: list[dict[int, int]] = [{} for _ in series]
    for number, (steps, shape) in enumerate(series):
        times = np.cumsum(np.array(steps, np.int64)) - 10**6
        values = SHAPES[shape](random, len(times))
        for piece in np.array_split(np.arange(len(times)), data.draw(st.integers(1, 9))):
            batch = SampleBatch(np.full(len(piece), number), times[piece], values[piece])
            verdicts = head.append(batch, Admission(len(series), 0, 2**62))
            assert set(verdicts.tolist()) <= {kernels.STORED}
        held[number] = dict(zip(times.tolist(), values.view(np.int64).tolist(), strict=True))
    everything = sorted(time for samples in held for time in samples)
    moments = st.sampled_from(everything)

    def check(start: int, end: int) -> None:
        rows = head.read(ids, start, end)
        for number, samples in enumerate(held):
            part = slice(rows.offsets[number], rows.offsets[number + 1])
            found = zip(rows.times[part].tolist(), rows.bits[part].tolist(), strict=True)
            assert list(found) == [each for each in samples.items() if start <= each[0] <= end]
        counts = [any(start <= time <= end for time in samples) for samples in held]
        assert head.present(ids, start, end).tolist() == counts
        about = head.about(ids, start, end).tolist()
        assert all(number > 0 for number, some in zip(about, counts, strict=True) if some)

    check(*ALL)
    check(*sorted((data.draw(moments), data.draw(moments))))
    number = data.draw(st.integers(0, len(series) - 1))
    time, bits = data.draw(st.sampled_from(list(held[number].items())))
    again = SampleBatch(np.array([number]), np.array([time]), np.array([bits]).view(np.float64))
    assert head.append(again, Admission(len(series), 0, 2**62)).tolist() == [kernels.REPEATED]
    start, end = sorted((data.draw(moments), data.draw(moments)))
    head.delete(np.array([number]), start, end)
    held[number] = {t: each for t, each in held[number].items() if not start <= t <= end}
    check(*ALL)
    before = data.draw(moments)
    head.trim(before)
    held[:] = [{t: each for t, each in some.items() if t >= before} for some in held]
    check(*ALL)
    assert head.oldest == min((time for some in held for time in some), default=2**63 - 1)
    assert head.active().tolist() == [i for i, some in enumerate(held) if some]


def test_readers_see_whole_samples_beside_appends():
    """What is packed while a reader unpacks does not disturb it."""
    head, series = Head(2_000, 8 << 20), 1_500
    wrong, stop = [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            rows = head.read(np.arange(series), *ALL)
            expected = rows.times * 3.0
            if not np.array_equal(rows.values, expected):
                wrong.append(rows)

    reader = threading.Thread(target=read)
    reader.start()
    for time in range(700):
        batch = SampleBatch(np.arange(series), np.full(series, time), np.full(series, time * 3.0))
        head.append(batch, Admission(series, 0, 2**62))
        if time == 500:
            head.trim(300)
    stop.set()
    reader.join()
    assert not wrong
