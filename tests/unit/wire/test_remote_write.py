"""Remote-write requests, against an encoder written here from the protocol's own definition."""

import struct

import cramjam
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.exemplars import Exemplar
from qvmon.model.labels import Labels
from qvmon.model.series import STALE, STALE_BITS, MetricMetadata, SeriesKeys
from qvmon.wire.remote_write import Refusal, WriteRequest, decode, encode

# --- the oracle: protobuf by hand, from prompb/remote.proto and prompb/types.proto ---------------


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def field(number: int, content: bytes | int | float) -> bytes:
    if isinstance(content, float):
        return varint(number << 3 | 1) + struct.pack("<d", content)
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def label(name: str | bytes, value: str | bytes) -> bytes:
    raw = [part.encode() if isinstance(part, str) else part for part in (name, value)]
    return field(1, field(1, raw[0]) + field(2, raw[1]))


def sample(value: float, timestamp: int) -> bytes:
    return field(2, field(1, value) + field(2, timestamp))


def series(labels: list[tuple[str | bytes, str | bytes]], *rest: bytes) -> bytes:
    return field(1, b"".join(label(*pair) for pair in labels) + b"".join(rest))


def packed(*parts: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(b"".join(parts)))


# -------------------------------------------------------------------------------------------------


def content(request: WriteRequest) -> list[tuple[dict[str, str], float, int]]:
    return [
        (dict(Labels.decode(request.keys.key(int(row)))), float(value), int(timestamp))
        for row, value, timestamp in zip(
            request.rows, request.values, request.timestamps, strict=True
        )
    ]


def test_series_samples_and_metadata_are_read() -> None:
    body = packed(
        series([("__name__", "up"), ("job", "a")], sample(1.0, 1000), sample(0.0, 2000)),
        field(3, field(1, 1) + field(2, b"http_total") + field(4, b"Requests.") + field(5, b"s")),
        series([("__name__", "down")], sample(-0.5, -3)),
    )
    request = decode(body, "snappy")
    assert content(request) == [
        ({"__name__": "up", "job": "a"}, 1.0, 1000),
        ({"__name__": "up", "job": "a"}, 0.0, 2000),
        ({"__name__": "down"}, -0.5, -3),
    ]
    assert request.metadata == [MetricMetadata("http_total", "counter", "Requests.", "s")]
    assert request.refused == []


def test_labels_are_brought_into_canonical_order_and_empty_values_left_out() -> None:
    labels = [("z", "1"), ("b", ""), ("__name__", "m"), ("é", "2"), ("a", "x" * 300)]
    request = decode(packed(series(labels, sample(1.0, 1))), "")
    assert request.keys.key(0) == Labels(dict(labels)).encode()


def test_many_labels_in_reverse_order_are_sorted() -> None:
    labels = [(f"l{i:05}", "v") for i in reversed(range(3000))] + [("__name__", "m")]
    request = decode(packed(series(labels)), "snappy")
    assert request.keys.key(0) == Labels(labels).encode()


def test_a_staleness_marker_keeps_its_bits() -> None:
    marker = field(2, varint(1 << 3 | 1) + struct.pack("<Q", STALE_BITS) + field(2, 5))
    values = decode(packed(series([("__name__", "m")], marker)), "snappy").values
    assert values.view(np.uint64).tolist() == [STALE_BITS]


def test_fields_may_come_in_any_order_and_unknown_ones_are_passed_over() -> None:
    odd_sample = field(2, field(2, 7) + field(9, b"new") + field(1, 2.5))
    body = packed(
        field(15, 3),
        series([], odd_sample, field(7, 1.0), label("__name__", "m"), label("a", "b")),
    )
    assert content(decode(body, "snappy")) == [({"__name__": "m", "a": "b"}, 2.5, 7)]


def test_absent_fields_have_protobufs_defaults() -> None:
    body = packed(series([("__name__", "m")], field(2, b"")))
    assert content(decode(body, "snappy")) == [({"__name__": "m"}, 0.0, 0)]


def exemplar(labels: list[tuple[str | bytes, str | bytes]], value: float, time_ms: int) -> bytes:
    inner = b"".join(label(name, text) for name, text in labels)
    return field(3, inner + field(2, value) + field(3, time_ms))


def test_exemplars_come_with_their_series() -> None:
    refused = series([("no", "name")], exemplar([("trace_id", "x")], 9.0, 9))
    body = packed(
        series([("__name__", "a")], sample(1.0, 1)),
        refused,
        series([("__name__", "b")], exemplar([("trace_id", "t")], 0.5, -7), sample(1.0, 1)),
    )
    request = decode(body, "snappy")
    assert request.exemplars == [
        (Labels(__name__="b").encode(), Exemplar(Labels(trace_id="t"), 0.5, -7))
    ]


def test_damaged_exemplars_and_native_histograms_are_counted_as_dropped() -> None:
    damaged = field(3, b"\x12\x01")
    body = packed(series([("__name__", "m")], sample(1.0, 1), damaged, field(4, b"\x08\x01")))
    request = decode(body, "snappy")
    assert request.dropped == {"exemplars": 1, "histograms": 1}
    assert len(request.values) == 1


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([("a", "b")], "no_metric_name"),
        ([("__name__", "")], "no_metric_name"),
        ([], "no_metric_name"),
        ([("__name__", "m"), ("", "b")], "empty_label_name"),
        ([("a", "1"), ("__name__", "m"), ("a", "2")], "duplicate_label"),
        ([("__name__", "m"), ("a", b"\xff")], "invalid_utf8"),
        ([("__name__", "m"), ("a", b"\xed\xa0\x80")], "invalid_utf8"),
        ([("__name__", "m"), (b"\xc3", "b")], "invalid_utf8"),
    ],
)
def test_a_bad_series_is_refused_and_the_rest_kept(
    labels: list[tuple[str | bytes, str | bytes]], reason: str
) -> None:
    first = series([("__name__", "first")], sample(1.0, 1))
    bad = series(labels, sample(2.0, 2), sample(3.0, 3))
    request = decode(packed(first, bad, series([("__name__", "last")], sample(4.0, 4))), "snappy")
    assert content(request) == [({"__name__": "first"}, 1.0, 1), ({"__name__": "last"}, 4.0, 4)]
    offset = len(first) + len(bad) - len(bad[2:])
    assert request.refused == [Refusal(1, offset, reason, 2)]
    assert request.refused_samples() == {reason: 2}


@pytest.mark.parametrize(
    ("message", "offset", "reason"),
    [
        (b"\x0a\x05\x0a", 1, "ends inside"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 1, "longer than ten"),
        (b"\x08\x01", 0, "wrong wire type"),
        (b"\x00\x01", 0, "impossible number"),
        (b"\x0f", 0, "wrong wire type"),
        (series([("__name__", "m")], field(2, b"\x09\x00")), 19, "ends inside"),
        (series([], field(1, b"\x08\x01")), 4, "wrong wire type"),
    ],
)
def test_damaged_framing_is_invalid_and_says_where(
    message: bytes, offset: int, reason: str
) -> None:
    with pytest.raises(QvmonError, match=reason) as caught:
        decode(packed(message), "snappy")
    assert caught.value.kind is ErrorKind.INVALID
    assert caught.value.context["offset"] == offset


@given(st.binary(max_size=120))
def test_any_bytes_are_read_or_refused_as_invalid(message: bytes) -> None:
    kind = ErrorKind.INVALID
    try:
        decode(packed(message), "snappy")
    except QvmonError as error:
        kind = error.kind
    assert kind is ErrorKind.INVALID


@given(st.data())
def test_a_request_cut_anywhere_is_refused_or_shorter(data: st.DataObject) -> None:
    message = series([("__name__", "m"), ("a", "b")], sample(1.0, 1)) * 3
    cut = data.draw(st.integers(0, len(message) - 1))
    whole = len(message) // 3
    if cut % whole == 0:
        assert len(decode(packed(message[:cut]), "snappy").keys) == cut // whole
    else:
        with pytest.raises(QvmonError):
            decode(packed(message[:cut]), "snappy")


def test_a_request_larger_than_the_limit_is_refused() -> None:
    with pytest.raises(QvmonError) as caught:
        decode(packed(bytes(1000)), "snappy", max_bytes=999)
    assert caught.value.kind is ErrorKind.EXHAUSTED


_LABELS = st.dictionaries(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200),
    max_size=4,
)
_SAMPLES = st.lists(
    st.tuples(st.floats(allow_nan=False), st.integers(-(2**63), 2**63 - 1)), max_size=4
)


@given(st.lists(st.tuples(_LABELS, _SAMPLES), max_size=4))
def test_the_encoder_writes_what_the_oracle_writes(
    table: list[tuple[dict[str, str], list[tuple[float, int]]]],
) -> None:
    named = [Labels({**labels, "__name__": "m"}) for labels, _ in table]
    rows = np.array([i for i, (_, some) in enumerate(table) for _ in some], np.int64)
    flat = [pair for _, some in table for pair in some]
    body = encode(
        SeriesKeys.from_labels(named),
        rows,
        np.array([when for _, when in flat], np.int64),
        np.array([value for value, _ in flat], np.float64),
    )
    expected = b"".join(
        series(list(labels.pairs()), *(sample(*pair) for pair in some))
        for labels, (_, some) in zip(named, table, strict=True)
    )
    assert bytes(cramjam.snappy.decompress_raw(body)) == expected
    read = decode(body, "snappy")
    assert read.timestamps.tolist() == [when for _, when in flat]
    assert read.rows.tolist() == rows.tolist()


def test_the_encoder_takes_samples_of_several_series_mixed_and_metadata() -> None:
    keys = SeriesKeys.from_labels([Labels(__name__="a"), Labels(__name__="b")])
    body = encode(
        keys,
        np.array([1, 0, 1]),
        np.array([10, 20, 30]),
        np.array([1.0, 2.0, STALE]),
        [MetricMetadata("a", "histogram", "Help.", "seconds"), MetricMetadata("b", "odd")],
    )
    request = decode(body, "snappy")
    assert request.rows.tolist() == [0, 1, 1]
    assert request.timestamps.tolist() == [20, 10, 30]
    assert request.values.view(np.uint64)[2] == STALE_BITS
    assert request.metadata == [
        MetricMetadata("a", "histogram", "Help.", "seconds"),
        MetricMetadata("b"),
    ]
