"""Requests read with a memory of earlier ones say what they say without it."""

from __future__ import annotations

import gzip

import cramjam
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.errors import QvmonError
from qvmon.model.labels import Labels
from qvmon.model.series import STALE_BITS, Int64s
from qvmon.wire.remote_write import SeriesMemory, WriteRequest, all_samples, decode

from .test_remote_write import exemplar, field, label, packed, sample, series, varint

Sample = tuple[bytes, int, int]

MOST = 1 << 20


class Store:
    """Gives numbers to series, and reads requests with and without a memory."""

    def __init__(self, memory: SeriesMemory | None = None) -> None:
        self.memory = SeriesMemory() if memory is None else memory
        self.keys: list[bytes] = []

    def ids(self, request: WriteRequest) -> Int64s:
        keys = [request.keys.key(row) for row in range(len(request.keys))]
        self.keys += [key for key in dict.fromkeys(keys) if key not in self.keys]
        return np.array([self.keys.index(key) for key in keys], np.int64)

    def read(self, body: bytes) -> tuple[WriteRequest, list[Sample]]:
        request = self.memory.read(body, "snappy", max_bytes=MOST)
        ids = self.ids(request)
        samples = self.samples(request, ids)
        self.memory.learn(request, ids)
        return request, samples

    def samples(self, request: WriteRequest, ids: Int64s) -> list[Sample]:
        batch = all_samples(request, ids)
        columns = batch.series.tolist(), batch.timestamps.tolist()
        bits = batch.values.view(np.int64).tolist()
        return [(self.keys[s], t, v) for s, t, v in zip(*columns, bits, strict=True)]

    def said(self, body: bytes) -> list[Sample]:
        request = decode(body, "snappy", max_bytes=MOST)
        return self.samples(request, self.ids(request))


NAMED = [("__name__", "orders_total"), ("venue", "XETR")]
OTHER = [("__name__", "orders_total"), ("venue", "XLON")]


def test_series_that_came_before_are_recognised() -> None:
    store = Store()
    store.read(packed(series(NAMED, sample(1.0, 1)), series(OTHER, sample(2.0, 1))))
    request, samples = store.read(packed(series(OTHER, sample(3.0, 2)), series(NAMED)))
    assert len(request.known) == 1
    assert len(request.keys) == 0
    assert samples == [(Labels(OTHER).encode(), 2, np.float64(3.0).view(np.int64))]


def test_labels_need_not_be_in_order_nor_have_values_to_be_recognised() -> None:
    odd = [("z", ""), ("venue", "XETR"), ("__name__", "orders_total")]
    store = Store()
    store.read(packed(series(odd, sample(1.0, 1))))
    request, samples = store.read(packed(series(odd, sample(2.0, 2))))
    assert len(request.known) == 1
    assert samples[0][0] == Labels(NAMED).encode()


def test_a_value_of_nothing_and_a_staleness_marker_are_recognised() -> None:
    marker = field(2, varint(1 << 3 | 1) + STALE_BITS.to_bytes(8, "little") + field(2, 5))
    nothing = field(2, field(2, 6))
    store = Store()
    store.read(packed(series(NAMED, sample(1.0, 1))))
    request, samples = store.read(packed(series(NAMED, marker, nothing, sample(1.0, -7))))
    assert len(request.known) == 3
    assert [bits for _, _, bits in samples] == [STALE_BITS, 0, np.float64(1.0).view(np.int64)]
    assert request.known.timestamps.tolist() == [5, 6, -7]


def test_new_series_metadata_and_exemplars_are_read_beside_known_ones() -> None:
    store = Store()
    store.read(packed(series(NAMED, sample(1.0, 1))))
    request, samples = store.read(
        packed(
            series(OTHER, sample(5.0, 2)),
            series(NAMED, sample(6.0, 2)),
            field(3, field(1, 1) + field(2, b"orders_total")),
            series(NAMED, exemplar([("trace_id", "x")], 9.0, 9)),
            series([("no", "name")], sample(1.0, 1)),
        )
    )
    assert len(request.known) == 1
    assert [each.name for each in request.metadata] == ["orders_total"]
    assert [key for key, _ in request.exemplars] == [Labels(NAMED).encode()]
    assert request.refused_samples() == {"no_metric_name": 1}
    assert sorted(samples) == sorted(
        store.said(packed(series(OTHER, sample(5.0, 2)), series(NAMED, sample(6.0, 2))))
    )


def test_samples_of_one_series_keep_their_order_where_only_some_are_recognised() -> None:
    store = Store()
    store.read(packed(series(NAMED, sample(1.0, 1))))
    with_exemplar = series(NAMED, sample(2.0, 2), exemplar([("trace_id", "x")], 9.0, 9))
    request, samples = store.read(packed(with_exemplar, series(NAMED, sample(3.0, 3))))
    assert len(request.known) == 1
    assert [time for _, time, _ in samples] == [2, 3]


def test_refused_series_are_not_remembered() -> None:
    memory = SeriesMemory()
    body = packed(series([("no", "name")], sample(1.0, 1)), series(NAMED, sample(1.0, 1)))
    for _ in range(3):
        request = memory.read(body, "snappy", max_bytes=MOST)
        memory.learn(request, np.full(len(request.keys), -1, np.int64))
        assert len(request.known) == 0
        assert request.refused_samples() == {"no_metric_name": 1}
    assert len(memory) == 0


def test_a_damaged_request_is_refused_with_the_place_in_the_whole_of_it() -> None:
    store = Store()
    good = series(NAMED, sample(1.0, 1))
    store.read(packed(good))
    damaged = series(OTHER, field(2, b"\x10\xff"))
    with pytest.raises(QvmonError) as without:
        decode(packed(good, damaged), "snappy", max_bytes=MOST)
    with pytest.raises(QvmonError) as caught:
        store.read(packed(good, damaged))
    assert caught.value.message == without.value.message


def test_a_memory_that_is_full_starts_over_and_goes_on() -> None:
    store = Store(SeriesMemory(most=50))
    for turn in range(4):
        bodies = [series([("__name__", f"m{turn}_{n}")], sample(1.0, 1)) for n in range(40)]
        store.read(packed(*bodies))
        request, samples = store.read(packed(*bodies))
        assert len(request.known) == 40
        assert samples == store.said(packed(*bodies))
    assert len(store.memory) == 40


def test_thousands_of_series_are_recognised_in_any_order() -> None:
    bodies = [
        series([("__name__", f"m{n}"), ("a", "x" * (n % 300))], sample(float(n), 1))
        for n in range(3000)
    ]
    store = Store()
    store.keys = [Labels(__name__=f"m{n}", a="x" * (n % 300)).encode() for n in range(3000)]
    first = store.memory.read(packed(*bodies), "snappy", max_bytes=MOST)
    store.memory.learn(first, np.arange(3000))
    for order in (bodies, bodies[::-1], bodies[::7] + bodies[1::7]):
        request = store.memory.read(packed(*order), "snappy", max_bytes=MOST)
        assert len(request.known) == len(order)
        plain = decode(packed(*order), "snappy", max_bytes=MOST)
        assert np.array_equal(request.known.values, plain.values)
        shown = [store.keys[each] for each in request.known.series.tolist()]
        assert shown == [plain.keys.key(row) for row in plain.rows.tolist()]


labels = st.lists(
    st.tuples(st.sampled_from(["__name__", "a", "b"]), st.sampled_from(["", "x", "y", "é" * 70])),
    max_size=3,
)
samples = st.builds(sample, st.sampled_from([0.0, 1.5, -2.0]), st.integers(-5, 5))
parts = st.one_of(
    samples,
    st.just(field(2, field(2, 3))),
    st.just(field(2, b"")),
    st.just(exemplar([("t", "x")], 1.0, 1)),
    st.just(field(4, b"")),
    st.just(field(9, 7)),
    st.just(label("b", "late")),
)
entries = st.one_of(
    st.builds(lambda pairs, rest: series(pairs, *rest), labels, st.lists(parts, max_size=3)),
    st.just(field(3, field(2, b"m"))),
    st.just(field(15, 3)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(entries, max_size=6), min_size=2, max_size=4), st.data())
def test_whatever_is_sent_means_the_same_with_and_without_memory(
    requests: list[list[bytes]], data: st.DataObject
) -> None:
    store = Store()
    for entries_sent in requests:
        message = b"".join(entries_sent)
        if data.draw(st.booleans()):
            message = message[: data.draw(st.integers(0, len(message)))]
        body = packed(message)
        try:
            plain = decode(body, "snappy", max_bytes=MOST)
        except QvmonError:
            with pytest.raises(QvmonError, match="remote-write request, byte"):
                store.read(body)
            continue
        request, found = store.read(body)
        assert sorted(found) == sorted(store.samples(plain, store.ids(plain)))
        assert request.metadata == plain.metadata
        assert request.refused_samples() == plain.refused_samples()
        assert request.dropped == plain.dropped
        assert [e for _, e in request.exemplars] == [e for _, e in plain.exemplars]


def test_requests_of_any_size_and_encoding_are_recognised() -> None:
    store = Store()
    long = series([("__name__", "m"), ("a", "x" * (3 << 20)), ("b", "y" * (3 << 20))])
    plain = packed(series(NAMED, sample(1.0, 1)))
    store.read(plain)
    for body in (packed(long), packed(long), plain):
        request = store.memory.read(body, "snappy", max_bytes=MOST << 3)
        store.memory.learn(request, store.ids(request))
    assert len(request.known) == 1
    assert len(store.memory) == 2
    message = bytes(cramjam.snappy.decompress_raw(plain))
    for body, encoding in ((message, "identity"), (gzip.compress(message), "GZIP ")):
        assert len(store.memory.read(body, encoding, max_bytes=MOST).known) == 1
