"""A page that repeats the last one is read by its values alone; any other is recognised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.wire.exposition import Layout, parse

TEXT = "text/plain; version=0.0.4"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
PAGE = b'# TYPE a counter\na{b="1 2"} 10\n\n \t\na{b="2"}\t-1.5e3\n# some comment\nc NaN\nd +Inf'


def layout_of(body: bytes, content_type: str = TEXT) -> Layout:
    layout = Layout.of(parse(body, content_type))
    assert layout is not None
    return layout


def test_the_values_of_the_page_itself() -> None:
    values = layout_of(PAGE).values(PAGE)
    assert values is not None
    assert np.array_equal(values, parse(PAGE, TEXT).values, equal_nan=True)


def test_other_values_of_any_length() -> None:
    body = PAGE.replace(b"10", b"123456.789").replace(b"NaN", b"0").replace(b"+Inf", b"7")
    values = layout_of(PAGE).values(body)
    assert values is not None
    assert values.tolist() == [123456.789, -1500.0, 0.0, 7.0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'b="1 2"', b'b="1 3"'),
        (b"c NaN\n", b""),
        (b"c NaN\n", b"c NaN\nc2 1\n"),
        (b"d +Inf", b"d +Inf\n"),
        (b"d +Inf", b"d"),
        (b"a{b", b"A{b"),
        (b"TYPE a counter", b"TYPE a gauge"),
        (b" 10\n", b" 10 1700000000000\n"),
        (b" 10\n", b" 10 \n"),
        (b" 10\n", b" ten\n"),
        (b" 10\n", b" 10,5\n"),
        (b"# some", b"# other"),
        (PAGE, b""),
    ],
)
def test_another_page_is_recognised(old: bytes, new: bytes) -> None:
    assert layout_of(PAGE).values(PAGE.replace(old, new)) is None


def test_a_number_that_needs_exact_rounding_is_left_to_the_parser() -> None:
    body = PAGE.replace(b"10", b"1.00000000000000011102230246251565404236316680908203125")
    values = layout_of(PAGE).values(body)
    assert values is None or values[0] == parse(body, TEXT).values[0]


@pytest.mark.parametrize(
    "body",
    [
        b"a 1 1000\n",
        b"a 1\nb 2 \n",
    ],
)
def test_pages_with_more_than_values_have_no_layout(body: bytes) -> None:
    assert Layout.of(parse(body, TEXT)) is None


def test_pages_with_exemplars_have_no_layout() -> None:
    body = b'# TYPE a counter\na_total 1 # {id="x"} 1\n# EOF\n'
    assert Layout.of(parse(body, OPENMETRICS)) is None
    assert layout_of(b"# TYPE a counter\na_total 1\n# EOF\n", OPENMETRICS) is not None


values = st.floats(allow_nan=False).map(lambda number: repr(number).encode())


@given(st.lists(st.tuples(values, values), min_size=1, max_size=20), st.integers(0, 200))
def test_whatever_is_read_is_what_the_parser_reads(
    pairs: list[tuple[bytes, bytes]], flip: int
) -> None:
    def page(which: int) -> bytes:
        return b"".join(b'm{n="%d"} %s\n' % (n, pair[which]) for n, pair in enumerate(pairs))

    layout = layout_of(page(0))
    read = layout.values(page(1))
    assert read is None or np.array_equal(read, parse(page(1), TEXT).values)
    damaged = bytearray(page(1))
    damaged[flip % len(damaged)] ^= 1
    again = layout.values(bytes(damaged))
    if again is not None:
        parsed = parse(bytes(damaged), TEXT)
        assert np.array_equal(again, parsed.values)
        assert parsed.labels(0) == parse(page(0), TEXT).labels(0)
