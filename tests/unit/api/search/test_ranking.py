"""Which words a search finds: scores as Prometheus' own tests and formulas have them."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.api.http.prometheus.search.ranking import Likeness, Order, Search, found

WORDS = ("go_gc_total", "http_requests_total", "requests", "total_requests", "up")
FUZZY = Likeness.JARO_WINKLER


def score(term: str, word: str, likeness: Likeness, threshold: float = 0.0) -> float | None:
    """Return the score of one word, None where it is not found."""
    fitting = found([word], Search((term,), likeness, threshold))
    return fitting[0].score if fitting else None


def names(search: Search) -> list[str]:
    return [each.word for each in found(WORDS, search)]


def test_without_terms_every_word_is_found() -> None:
    assert names(Search()) == list(WORDS)
    assert names(Search(("",), order=Order.SCORE)) == list(WORDS)
    assert {each.score for each in found(WORDS, Search())} == {1.0}
    assert found((), Search(("a",))) == []


def test_words_come_in_the_order_that_is_asked_for() -> None:
    search = Search(("requests",), FUZZY)
    assert names(search) == ["http_requests_total", "requests", "total_requests"]
    descending = Search(("requests",), FUZZY, order=Order.DESCENDING)
    assert names(descending) == ["total_requests", "requests", "http_requests_total"]
    ranked = Search(("requests",), FUZZY, order=Order.SCORE)
    assert names(ranked) == ["requests", "http_requests_total", "total_requests"]


def test_equal_scores_come_by_the_alphabet() -> None:
    every = found(["bx", "ax", "b"], Search(("b", "a"), FUZZY, order=Order.SCORE))
    assert [each.word for each in every] == ["bx", "ax", "b"]


def test_a_word_is_found_that_fits_any_term() -> None:
    assert names(Search(("gc", "up"), FUZZY)) == ["go_gc_total", "up"]


def test_case_counts_unless_it_shall_not() -> None:
    assert names(Search(("UP",), FUZZY)) == []
    assert names(Search(("UP",), FUZZY, case_sensitive=False)) == ["up"]
    assert found(["ÉTÉ"], Search(("é",), FUZZY, case_sensitive=False))[0].word == "ÉTÉ"
    assert found(["\u0130x"], Search(("ix",), FUZZY, case_sensitive=False))[0].score == 1.0


@pytest.mark.parametrize(
    ("term", "word", "expected"),
    [
        ("requests", "requests_total", 1.0),
        ("total", "go_total", 1 - 0.9 * 3 / 3),
        ("b", "abcd", 1 - 0.9 / 3),
        ("é", "日é日日", 1 - 0.9 / 3),
        ("longer than it", "it", None),
        ("x", "", None),
    ],
)
def test_a_part_scores_by_where_it_stands(term: str, word: str, expected: float | None) -> None:
    assert score(term, word, FUZZY) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("MARTHA", "MARHTA", 0.9611111111111111),
        ("DWAYNE", "DUANE", 0.84),
        ("DIXON", "DICKSONX", 0.8133333333333332),
        ("日本語", "日本酒", (2 / 3 + 2 / 3 + 1) / 3 * 0.8 + 0.2),
        ("abc", "xyz", None),
    ],
)
def test_alike_words_score_as_jaro_and_winkler_have_it(
    one: str, other: str, expected: float | None
) -> None:
    assert score(one, other, FUZZY, 0.01) == pytest.approx(expected)
    assert score(other, one, FUZZY, 0.01) == score(one, other, FUZZY, 0.01)


def test_alike_words_are_found_from_the_threshold_on() -> None:
    assert score("DWAYNE", "DUANE", FUZZY, 0.84) is not None
    assert score("DWAYNE", "DUANE", FUZZY, 0.85) is None
    assert score("DWAYNE", "DUANE", FUZZY) is None


@pytest.mark.parametrize(
    ("term", "word", "expected"),
    [
        ("up", "up_total", 1.0),
        ("ac", "abc", (1 - 1 / 3 + 1) / 4 * 0.999),
        ("bc", "abcd", (4 - 1 / 4 - 0.5 / 4) / 4 * 0.999),
        ("ab", "axxab", (4 - 3 / 5) / 4 * 0.999),
        ("ca", "abc", None),
    ],
)
def test_letters_in_order_score_by_their_runs(term: str, word: str, expected: float | None) -> None:
    assert score(term, word, Likeness.SUBSEQUENCE) == pytest.approx(expected)


@given(
    st.text(string.ascii_lowercase[:3], min_size=1, max_size=4),
    st.lists(st.text(string.ascii_lowercase[:3], max_size=8), max_size=6),
)
def test_a_word_is_found_exactly_if_it_has_the_letters_in_order(
    term: str, words: list[str]
) -> None:
    """But for those whose gaps outweigh their runs, which short words cannot have."""
    expected = []
    for word in words:
        letters = iter(word)
        if all(letter in letters for letter in term):
            expected.append(word)
    assert [each.word for each in found(words, Search((term,)))] == expected
