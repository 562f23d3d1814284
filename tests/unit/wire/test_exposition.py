"""Expositions: what is read, what is refused and where, and what is written."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.series import MetricMetadata
from qvmon.wire.exposition import NO_TIMESTAMP, Exposition, parse

TEXT = "text/plain; version=0.0.4"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def rows(exposition: Exposition) -> list[tuple[dict[str, str], float, int | None]]:
    return [
        (
            dict(exposition.labels(row)),
            float(exposition.values[row]),
            None if exposition.timestamps[row] == NO_TIMESTAMP else int(exposition.timestamps[row]),
        )
        for row in range(len(exposition))
    ]


def refusal(body: bytes, content_type: str = TEXT) -> QvmonError:
    with pytest.raises(QvmonError) as caught:
        parse(body, content_type).labels(0)
    return caught.value


def test_samples_with_labels_values_and_timestamps() -> None:
    body = b"""# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 5

http { a = "b" , c="d", }\t1e-3\t
up 1"""
    assert rows(parse(body, TEXT)) == [
        (
            {"__name__": "http_requests_total", "method": "post", "code": "200"},
            1027.0,
            1395066363000,
        ),
        ({"__name__": "http_requests_total", "method": "post", "code": "400"}, 3.0, 5),
        ({"__name__": "http", "a": "b", "c": "d"}, 0.001, None),
        ({"__name__": "up"}, 1.0, None),
    ]


def test_escapes_in_label_values_are_undone_and_unknown_ones_kept() -> None:
    body = rb'm{path="C:\\DIR\\F",quote="\"",line="a\nb",odd="\d",brace="},{=#"} 1'
    labels = parse(body, TEXT).labels(0)
    assert labels == Labels(
        __name__="m", path="C:\\DIR\\F", quote='"', line="a\nb", odd="\\d", brace="},{=#"
    )


def test_special_values_and_long_numbers() -> None:
    values = parse(b"a +Inf\nb -Inf\nc NaN\nd 12345678901234567890.5\ne 5e-324\n", TEXT).values
    assert values[0] == math.inf
    assert values[1] == -math.inf
    assert np.isnan(values[2])
    assert values[3:].tolist() == [12345678901234567890.5, 5e-324]


def test_quoted_names_of_text_format_1_0_0() -> None:
    body = b'# TYPE "my.metric" gauge\n{"my.metric","la.bel"="v"} 1\n{a="b","x y"} 2\n'
    exposition = parse(body, "text/plain; version=1.0.0; escaping=allow-utf-8")
    assert [labels for labels, _, _ in rows(exposition)] == [
        {"__name__": "my.metric", "la.bel": "v"},
        {"__name__": "x y", "a": "b"},
    ]
    assert exposition.metadata == [MetricMetadata("my.metric", "gauge")]


def test_openmetrics_with_exemplars_units_and_times_in_seconds() -> None:
    body = b"""# TYPE latency_seconds histogram
# UNIT latency_seconds seconds
# HELP latency_seconds How \\"long\\".
latency_seconds_bucket{le="0.1"} 8 1520879607.789 # {trace_id="KOO5S4vxi0o"} 0.054 1520879607.7
latency_seconds_bucket{le="+Inf"} 17 # {} 9.8
latency_seconds_count 17
latency_seconds_sum 324789.3
latency_seconds_created 1520430000.123
# EOF
"""
    exposition = parse(body, OPENMETRICS)
    assert [(value, when) for _, value, when in rows(exposition)] == [
        (8.0, 1520879607789),
        (17.0, None),
        (17.0, None),
        (324789.3, None),
        (1520430000.123, None),
    ]
    assert exposition.metadata == [
        MetricMetadata("latency_seconds", "histogram", 'How "long".', "seconds")
    ]


def test_metadata_is_read_in_order_and_untyped_is_unknown() -> None:
    body = b"# HELP b Two\\nlines \\\\.\n# TYPE b untyped\n# a comment\n#TYPE c gauge\n"
    body += b"# TYPE a summary\n"
    assert parse(body, TEXT).metadata == [
        MetricMetadata("b", "unknown", "Two\nlines \\."),
        MetricMetadata("a", "summary"),
    ]


def test_metadata_hash_follows_the_metadata_lines_only() -> None:
    first, second = parse(b"# TYPE a gauge\na 1\n", TEXT), parse(b"# TYPE a gauge\na 2\n", TEXT)
    other = parse(b"# TYPE a counter\na 1\n", TEXT)
    assert first.metadata_hash == second.metadata_hash != other.metadata_hash


def test_equal_series_texts_have_equal_hashes_and_others_do_not() -> None:
    lines = [f'm{{i="{i}"}} {i}' for i in range(20_000)]
    exposition = parse("\n".join([*lines, lines[7]]).encode(), TEXT)
    assert len(np.unique(exposition.hashes)) == 20_000
    assert exposition.hashes[7] == exposition.hashes[-1]
    assert exposition.series_text(7) == b'm{i="7"}'


@pytest.mark.parametrize(
    ("body", "line", "column", "message"),
    [
        (b"ok 1\n<html>", 2, 1, "metric name"),
        (b"1a 2", 1, 1, "metric name"),
        (b'{a="b"} 1', 1, 1, "metric name"),
        (b"a{b=1} 1", 1, 5, "quoted label value"),
        (b'a{b="x} 1\n', 1, 5, "no end"),
        (b'a{b="x\\\n"} 1\n', 1, 5, "no end"),
        (b'{"a" c="d"} 1', 1, 6, "','"),
        (b"a 1 -5", 1, 5, "timestamp"),
        (b"# TYPE a  gauge\n", 1, 10, "metric type"),
        (b"# TYPE a unknown\n", 1, 10, "metric type"),
        (b"# HELP a \xff\n", 1, 10, "UTF-8"),
        (b'a{b-c="x"} 1', 1, 4, "'='"),
        (b'a{-="x"} 1', 1, 3, "label name"),
        (b'a{""="x"} 1', 1, 3, "label name"),
        (b'a{"b"} 1', 1, 2, "two metric names"),
        (b'{"a","b"} 1', 1, 6, "two metric names"),
        (b"a{", 1, 3, "no end"),
        (b"a\n", 1, 2, "no value"),
        (b"a one", 1, 3, "number"),
        (b"a 1.2.3", 1, 3, "number"),
        (b"a 0x1p-2", 1, 3, "number"),
        (b"a 1 2 3", 1, 7, "after the sample"),
        (b"a 1 soon", 1, 5, "timestamp"),
        (b"a 1 1.5", 1, 6, "after the sample"),
        (b"a 1 9999999999999999999", 1, 5, "timestamp"),
        (b"a 1e999", 1, 3, "range of a double"),
        (b"a 1\r\n", 1, 3, "number"),
        (b"# TYPE a wrong\n", 1, 10, "metric type"),
        (b'a{a="1",a="2"} 1', 1, 1, "twice"),
        (b'a{a="\xff"} 1', 1, 1, "UTF-8"),
    ],
)
def test_mistakes_say_line_column_and_reason(
    body: bytes, line: int, column: int, message: str
) -> None:
    error = refusal(body)
    assert error.kind is ErrorKind.INVALID
    assert message in error.message
    assert (error.context["line"], error.context["column"]) == (line, column)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"a 1\n", "does not end with # EOF"),
        (b"a 1\n# EOF\nb 1\n", "after # EOF"),
        (b"a 1\n\n# EOF\n", "blank line"),
        (b"a  1\n# EOF\n", "number"),
        (b'a{b="c"}1\n# EOF\n', "one space"),
        (b"a 1 NaN\n# EOF\n", "timestamp"),
        (b"a 1 1e16\n# EOF\n", "timestamp"),
        (b"a 1 12345678901234567890.5\n# EOF\n", "timestamp"),
        (b"a 1 1e309\n# EOF\n", "range of a double"),
        (b"a 1 # {x=1} 2\n# EOF\n", "quoted label value"),
        (b"a 1 # 2\n# EOF\n", "exemplar"),
        (b'a 1 # {x="1"} y\n# EOF\n', "exemplar"),
        (b"#TYPE a gauge\n# EOF\n", "HELP, TYPE, UNIT or EOF"),
        (b"# a comment\n# EOF\n", "HELP, TYPE, UNIT or EOF"),
    ],
)
def test_openmetrics_is_read_strictly(body: bytes, message: str) -> None:
    assert message in refusal(body, OPENMETRICS).message


def test_a_line_of_ten_megabytes_is_read_or_refused_with_a_short_snippet() -> None:
    long = b"x" * 10_000_000
    assert len(parse(b'a{b="' + long + b'"} 1\n', TEXT).labels(0)["b"]) == 10_000_000
    error = refusal(b'a{b="' + long)
    assert len(str(error.context["snippet"])) <= 100
    assert len(error.message) < 250


@pytest.mark.parametrize("labels", [b'{b="c",%s}', b"{%s}", b'{%sb="c"%s}', b'{b="%s"}'])
def test_megabytes_of_blanks_are_passed_over_in_no_time(labels: bytes) -> None:
    body = b"a" + labels.replace(b"%s", b" " * 5_000_000) + b" 1"
    assert parse(body, TEXT).labels(0)["__name__"] == "a"


def test_the_snippet_shows_where_the_mistake_is_in_a_long_line() -> None:
    error = refusal(b'a{b="' + b"x" * 5000 + b'"} oops 123')
    assert "oops" in str(error.context["snippet"])


def test_a_body_of_nothing_but_newlines_takes_little_room() -> None:
    assert len(parse(b"\n" * 50_000_000, TEXT)) == 0


@pytest.mark.parametrize("sample", [b"a 1\n", b"a 5e-324\n", b"# HELP a\n"])
def test_the_shortest_texts_all_find_room(sample: bytes) -> None:
    exposition = parse(sample * 1000, TEXT)
    assert len(exposition) + len(exposition.comments) == 1000


def test_protobuf_is_named_as_not_supported() -> None:
    with pytest.raises(QvmonError) as caught:
        parse(b"", "application/vnd.google.protobuf; encoding=delimited")
    assert caught.value.kind is ErrorKind.UNSUPPORTED


@given(st.binary(max_size=200), st.sampled_from([TEXT, OPENMETRICS]))
def test_any_bytes_are_read_or_refused_as_invalid(body: bytes, content_type: str) -> None:
    kind = ErrorKind.INVALID
    try:
        exposition = parse(body, content_type)
        assert len(rows(exposition)) == len(exposition)
        assert len(exposition.metadata) <= len(exposition.comments)
    except QvmonError as error:
        kind = error.kind
    assert kind is ErrorKind.INVALID


_NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,10}", fullmatch=True)
_VALUES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(_NAMES, st.dictionaries(_NAMES, _VALUES, max_size=5), st.floats(allow_nan=False))
def test_any_labels_and_value_written_down_are_read_back(
    name: str, labels: dict[str, str], value: float
) -> None:
    labels.pop("__name__", None)
    shown = ",".join(
        '{}="{}"'.format(k, v.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n"))
        for k, v in labels.items()
    )
    exposition = parse(f"{name}{{{shown}}} {value!r}".encode(), TEXT)
    assert rows(exposition) == [({"__name__": name, **labels}, value, None)]


def test_bounds_of_histograms_and_summaries_are_written_as_openmetrics_writes_them() -> None:
    body = (
        b'# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="1e6"} 2\nh_bucket{le="+Inf"} 3\n'
        b'h_bucket{le="one"} 4\nh_bucket{le="0.10",quantile="1"} 5\n'
        b'# TYPE s summary\ns{quantile="0.5"} 1\ns{quantile="1"} 2\n# TYPE g gauge\ng{le="1"} 3\n'
    )
    found = [labels for labels, _, _ in rows(parse(body, TEXT))]
    assert [each.get("le") for each in found[:5]] == ["1.0", "1e+06", "+Inf", "one", "0.1"]
    assert [each.get("quantile") for each in found[4:7]] == ["1", "0.5", "1.0"]
    assert found[7]["le"] == "1"


def test_an_openmetrics_unit_ends_the_name() -> None:
    good = b"# UNIT a_seconds seconds\n# UNIT b \n# EOF\n"
    assert [each.unit for each in parse(good, OPENMETRICS).metadata] == ["seconds", ""]
    for bad in (b"# UNIT a seconds\n# EOF\n", b"# UNIT aseconds seconds\n# EOF\n"):
        assert "unit" in refusal(bad, OPENMETRICS).message


def test_a_quotation_mark_in_a_help_text_is_escaped_in_openmetrics_only() -> None:
    body = rb"# HELP a \"b\" \\ \n" + b"\n"
    assert parse(body, TEXT).metadata[0].help == '\\"b\\" \\ \n'
    assert parse(body + b"# EOF\n", OPENMETRICS).metadata[0].help == '"b" \\ \n'
