"""Numbers in answers are the texts Go would print."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.api.http.prometheus.rendering import metric_texts, render_result, seconds_text
from qvmon.model.floats import format_exponent
from qvmon.model.labels import Labels
from qvmon.model.series import LabelFrame, SeriesColumns
from qvmon.promql import Matrix, Result, Scalar, Text, Vector


def go_value(value: float) -> str:
    """Prometheus' MarshalValue, from Go's rules for formats 'f' and 'e' with precision -1."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    magnitude = abs(value)
    if magnitude != 0 and (magnitude < 1e-6 or magnitude >= 1e21):
        mantissa, exponent = f"{value!r}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent):+03d}"
    return np.format_float_positional(value, unique=True, trim="-")


def rendered(result: Result) -> bytes:
    """A result as one piece of JSON."""
    pieces = render_result(result)
    return b"".join(piece() if callable(piece) else piece for piece in pieces)


def value_texts(values: list[float]) -> list[str]:
    """The values of an instant vector as they are in its answer."""
    frame = LabelFrame.from_labels([Labels(n=str(number + 1)) for number in range(len(values))])
    result = json.loads(rendered(Vector(frame, np.array(values), 1000)))["result"]
    return [each["value"][1] for each in result]


@given(st.lists(st.floats(), min_size=1, max_size=50))
def test_values_are_printed_as_go_prints_them(values: list[float]) -> None:
    assert value_texts(values) == [go_value(value) for value in values]


@pytest.mark.parametrize("power", range(-10, 25))
def test_values_near_powers_of_ten_are_printed_as_go_prints_them(power: int) -> None:
    ten = float(f"1e{power}")
    near = [ten, math.nextafter(ten, 0), math.nextafter(ten, math.inf), -ten, 3 * ten, ten + 0.5]
    assert value_texts(near) == [go_value(value) for value in near]


@given(st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=50))
def test_times_are_seconds_with_milliseconds_only_where_there_are_any(times: list[int]) -> None:
    for at in times:
        text = seconds_text(at).decode()
        whole, _, decimals = text.lstrip("-").partition(".")
        assert int(whole) * 1000 + int(decimals or 0) == abs(at)
        assert text.startswith("-") == (at < 0)
        assert len(decimals) in (0, 3)
        assert decimals != "000"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0e+00"),
        (1.0, "1e+00"),
        (-1234.5, "-1.2345e+03"),
        (1e-7, "1e-07"),
        (1.5e300, "1.5e+300"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
        (1200.0, "1.2e+03"),
    ],
)
def test_alert_values_are_printed_with_an_exponent(value: float, text: str) -> None:
    assert format_exponent(value) == text


@given(
    st.lists(
        st.dictionaries(st.text(min_size=1, max_size=5), st.text(min_size=1, max_size=5)).map(
            Labels
        ),
        max_size=5,
    )
)
def test_label_sets_are_json(labels: list[Labels]) -> None:
    texts, ends = metric_texts(LabelFrame.from_labels(labels))
    objects = [texts[first:end].tobytes() for first, end in pairwise(ends.tolist())]
    assert [json.loads(text) for text in objects] == [dict(each) for each in labels]
    assert b"".join(objects) == texts.tobytes()


def test_a_matrix_leaves_out_what_is_absent() -> None:
    frame = LabelFrame.from_labels([Labels(a="1"), Labels(a="2")])
    present = np.array([[True, False, True], [False, True, False]])
    values = np.array([[1.0, 0.0, 2.5], [0.0, np.nan, 0.0]])
    matrix = Matrix(frame, np.array([1000, 2500, 4000]), values, present)
    assert json.loads(rendered(matrix)) == {
        "resultType": "matrix",
        "result": [
            {"metric": {"a": "1"}, "values": [[1, "1"], [4, "2.5"]]},
            {"metric": {"a": "2"}, "values": [[2.5, "NaN"]]},
        ],
    }


def test_empty_results_are_empty_lists() -> None:
    nobody = LabelFrame.from_labels([])
    none, no_time = np.zeros(0), np.zeros(0, np.int64)
    for result in (
        Vector(nobody, none, 0),
        Matrix(nobody, no_time, np.zeros((0, 0)), np.zeros((0, 0), np.bool_)),
        SeriesColumns(nobody, np.zeros(1, np.int64), no_time, none),
    ):
        assert json.loads(rendered(result))["result"] == []


def test_numbers_and_texts_are_pairs() -> None:
    scalar = Scalar(np.array([1500]), np.array([2.0]))
    assert json.loads(rendered(scalar)) == {"resultType": "scalar", "result": [1.5, "2"]}
    text = Text('say "hi"', 0)
    assert json.loads(rendered(text)) == {"resultType": "string", "result": [0, 'say "hi"']}


def test_raw_samples_keep_their_own_times_and_order() -> None:
    frame = LabelFrame.from_labels([Labels(a="1"), Labels(a="2")])
    times, values = np.array([-1500, 7, 2000]), np.array([0.1, -0.0, 1e21])
    result = SeriesColumns(frame, np.array([0, 2, 3]), times, values)
    assert json.loads(rendered(result))["result"] == [
        {"metric": {"a": "1"}, "values": [[-1.5, "0.1"], [0.007, "-0"]]},
        {"metric": {"a": "2"}, "values": [[2, "1e+21"]]},
    ]
