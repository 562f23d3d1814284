"""The short way of new series gives what the long way gives, or leaves a series to it."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.errors import QvmonError
from qvmon.model.labels import Labels
from qvmon.services.collection.new_series import NewSeriesPath
from qvmon.services.collection.sample_labels import LabelPath
from qvmon.wire.exposition import Exposition, parse
from tests.unit.services.collection.memory import config, job

TARGET = Labels(job="j", instance="a:1", Zone="z" * 200, é="ü")


def path(more: str = "", target: Labels = TARGET) -> LabelPath:
    return LabelPath(target, config(job(more)).jobs[0])


def long_way(page: Exposition, of: LabelPath, row: int) -> bytes | None:
    labels = of.stored(page.labels(row))
    return None if labels is None else labels.encode()


def both(text: str, of: LabelPath) -> tuple[list[bytes | None] | str, int]:
    """Return the keys of a page, and how many went the long way; the error's text for one."""
    page = parse(text.encode(), "text/plain")
    rows = np.arange(len(page))
    went: list[int] = []

    def counted(row: int) -> bytes | None:
        went.append(row)
        return long_way(page, of, row)

    def told(keys: partial) -> list[bytes | None] | str:
        try:
            return keys()
        except QvmonError as error:
            return error.message

    short = told(partial(NewSeriesPath(of).keys, page, rows, counted))
    assert short == told(partial(lambda: [long_way(page, of, row) for row in rows.tolist()]))
    return short, len(went)


@pytest.mark.parametrize(
    "text",
    [
        "a 1\n",
        'a{b="c"} 1\n',
        'a { b = "c" , d="e", } 1\n',
        'a{z="1",b="2",A="3"} 1\n',
        'a{b="' + "x" * 1000 + '"} 1\n',
        '# TYPE h histogram\nh_bucket{le="0.25"} 1\nh_bucket{le="+Inf"} 1\nh{quantile="1"} 1\n',
        '# TYPE s summary\ns{quantile="0.99"} 1\ns{le="1"} 1\n',
    ],
)
def test_plain_series_go_the_short_way(text: str) -> None:
    assert both(text, path())[1] == 0


@pytest.mark.parametrize(
    "text",
    [
        '{"a"} 1\n',
        '{"a","b c"="d"} 1\n',
        'a{b="\\n"} 1\n',
        'a{b="é"} 1\n',
        'a{b=""} 1\n',
        'a{job="x"} 1\n',
        'a{b="1",b="2"} 1\n',
        "a{" + ",".join(f'l{n}="x"' for n in range(70)) + "} 1\n",
        *(
            f'# TYPE h histogram\nh_bucket{{le="{le}"}} 1\n'
            for le in ("1", "1e3", "0.10", "1.00", "00.5", "0.00001", "1234567.5", "NaN", "", "x")
        ),
        '# TYPE s summary\ns{quantile="1"} 1\n',
    ],
)
def test_others_go_the_long_way(text: str) -> None:
    assert both(text, path())[1] == 1


@pytest.mark.parametrize(
    "more",
    [
        "label_limit: 30",
        "label_name_length_limit: 100",
        "label_value_length_limit: 300",
        "metric_relabel_configs: [{source_labels: [c], regex: d, action: drop}]",
        "metric_relabel_configs: [{source_labels: [__name__], regex: a, target_label: x}]",
    ],
)
def test_rules_and_limits_see_every_series(more: str) -> None:
    assert both('a 1\nb{c="d"} 1\n', path(more))[1] == 2


BY_NAME = """
metric_relabel_configs:
- {source_labels: [__name__, job], regex: "a.*;j", action: keep}
- {source_labels: [__name__], regex: ab, action: drop}
"""


def test_rules_about_names_alone_are_asked_on_the_short_way() -> None:
    text = 'a 1\nab 2\nb{c="d"} 3\naa {c="d"} 4\nab{c=""} 5\na{job="x"} 6\n{"ab"} 7\n'
    keys, long = both(text, path(BY_NAME))
    assert [key is not None for key in keys] == [True, False, False, True, False, True, False]
    assert long == 3


def test_honoured_labels_are_kept() -> None:
    assert both('a{job="x"} 1\nb{c="d"} 2\n', path("honor_labels: true"))[1] == 1


NAMES = st.sampled_from(["a", "b", "le", "quantile", "job", "Zone", "instance", "_x", "aa", "é"])
NUMBERS = st.floats(allow_nan=True).map(repr) | st.integers(0, 10**9).map(str)
VALUES = (
    st.text(max_size=5) | NUMBERS | st.sampled_from(["+Inf", "0.5", "1.0", "0.005", "999999.9"])
)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


@st.composite
def lines(draw: st.DrawFn) -> str:
    kind = draw(st.sampled_from(["", "histogram", "summary", "gauge"]))
    pairs = draw(st.lists(st.tuples(NAMES, VALUES), max_size=5))
    shown = [f"{quoted(n) if not n.isascii() else n}={quoted(v)}" for n, v in pairs]
    name = draw(st.sampled_from(["m", "a", "ab"]))
    return (f"# TYPE m {kind}\n" if kind else "") + name + "{" + ",".join(shown) + "} 1\n"


@settings(max_examples=300, deadline=None)
@given(
    st.lists(lines(), min_size=1, max_size=4),
    st.sampled_from(["", "honor_labels: true", BY_NAME, BY_NAME + "honor_labels: true"]),
)
def test_both_ways_agree(texts: list[str], more: str) -> None:
    of = path(more)
    for text in (*texts, "".join(texts)):
        both(text, of)
