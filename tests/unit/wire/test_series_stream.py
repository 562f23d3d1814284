"""Series between processes arrive bit for bit."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.series import (
    STALE_BITS,
    LabelFrame,
    MetricMetadata,
    Selection,
    SeriesColumns,
)
from qvmon.wire import series_stream

LABELS = st.dictionaries(
    st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8), max_size=4
).map(Labels)
SERIES = st.tuples(
    LABELS,
    st.lists(
        st.tuples(st.integers(-(2**62), 2**62), st.integers(0, 2**64 - 1)), min_size=0, max_size=5
    ),
)


def columns(series: list[tuple[Labels, list[tuple[int, int]]]]) -> SeriesColumns:
    offsets = np.cumsum([0, *(len(points) for _, points in series)])
    times = np.array([at for _, points in series for at, _ in points], np.int64)
    bits = np.array([value for _, points in series for _, value in points], np.uint64)
    frame = LabelFrame.from_labels([labels for labels, _ in series])
    return SeriesColumns(frame, offsets.astype(np.int64), times, bits.view(np.float64))


def assert_same(got: SeriesColumns, expected: SeriesColumns) -> None:
    assert got.labels.all_labels() == expected.labels.all_labels()
    assert got.labels.names == expected.labels.names
    np.testing.assert_array_equal(got.offsets, expected.offsets)
    np.testing.assert_array_equal(got.timestamps, expected.timestamps)
    bits = expected.values.view(np.uint64)
    np.testing.assert_array_equal(got.values.view(np.uint64), bits)


@given(st.lists(st.lists(SERIES, max_size=5), max_size=3))
def test_answers_arrive_as_they_were_sent(answers) -> None:
    sent = [columns(each) for each in answers]
    got = series_stream.decode_columns(series_stream.encode_columns(sent), len(sent))
    assert len(got) == len(sent)
    for mine, theirs in zip(got, sent, strict=True):
        assert_same(mine, theirs)


def test_staleness_markers_survive() -> None:
    sent = columns([(Labels(__name__="up"), [(1, STALE_BITS), (2, 0)])])
    (got,) = series_stream.decode_columns(series_stream.encode_columns([sent]), 1)
    assert got.values.view(np.uint64)[0] == STALE_BITS


@given(st.lists(LABELS, max_size=6))
def test_label_frames_arrive_as_they_were_sent(labels: list[Labels]) -> None:
    frame = LabelFrame.from_labels(labels)
    got = series_stream.decode_frame(series_stream.encode_frame(frame))
    assert got.all_labels() == labels
    assert got.codes.dtype == np.int32


def test_requests_arrive_as_they_were_sent() -> None:
    matchers = (Matcher("__name__", MatchOp.EQUAL, "up"), Matcher("job", MatchOp.NOT_REGEX, "a.*"))
    selections = [Selection(matchers, -5, 10), Selection((), 0, 1)]
    body = series_stream.encode_select_request(selections)
    assert series_stream.decode_select_request(body) == selections
    body = series_stream.encode_series_request([matchers, ()], 1, 2)
    assert series_stream.decode_series_request(body) == ([matchers, ()], 1, 2)
    entries = [MetricMetadata("up", "gauge", "whether it answers", "")]
    assert series_stream.decode_metadata(series_stream.encode_metadata(entries)) == entries


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"selections":[{}]}', b'{"selections":[{"matchers":[["a","?","b"]]}]}']
)
def test_requests_that_make_no_sense_are_invalid(body: bytes) -> None:
    for decode in (series_stream.decode_select_request, series_stream.decode_series_request):
        with pytest.raises(QvmonError) as caught:
            decode(body)
        assert caught.value.kind is ErrorKind.INVALID


def test_damaged_answers_are_corrupt_wherever_they_are_cut() -> None:
    whole = series_stream.encode_columns([columns([(Labels(a="b"), [(1, 2), (3, 4)])])])
    for end in range(len(whole)):
        with pytest.raises(QvmonError) as caught:
            series_stream.decode_columns(whole[:end], 1)
        assert caught.value.kind is ErrorKind.CORRUPT
    for wrong in (
        whole * 2,
        b"<html>not arrow</html>" * 10,
        series_stream.encode_frame(LabelFrame.from_labels([Labels(a="b")])),
    ):
        with pytest.raises(QvmonError) as caught:
            series_stream.decode_columns(wrong, 1)
        assert caught.value.kind is ErrorKind.CORRUPT


def test_any_arrow_reader_can_read_an_answer() -> None:
    body = series_stream.encode_columns([columns([(Labels(job="x"), [(1, 0), (2, 0)])])])
    table = pa.ipc.open_stream(body).read_all()
    assert table.to_pylist() == [{"label:job": "x", "timestamps": [1, 2], "values": [0.0, 0.0]}]
