"""Expressions over many values at once: what asking of one value after another says."""

from __future__ import annotations

import numpy as np
import pytest

from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.series import SeriesKeys
from qvmon.tsdb.identity.index import Index

VALUES = ["a", "ab", "a\nb", "b\n", "A", "ä", "世界", "a.b", "a|b", "Qa)b", "x" * 300, "1", "a)\\z"]
EXPRESSIONS = [
    "a|ab",
    "ab|a",
    "a.b",
    "a.*",
    ".+b?",
    "[^a]+",
    "(?i)a",
    "(?-s)a.b",
    "(?m)^a$",
    "(?m)a$.*",
    "b",
    "b$",
    "^a",
    "",
    "|a",
    r"\Qa.b",
    r"\Qa|b\E",
    r"\x{4e16}.",
    r"\pL+",
    "x{300}",
    ".{1,2}",
    r"a\)\\z",
    "(a)(b)",
]


@pytest.mark.parametrize("op", [MatchOp.REGEX, MatchOp.NOT_REGEX])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_all_values_at_once_are_judged_as_one_by_one(expression, op):
    index = Index(100)
    labels = [Labels(v=value) for value in VALUES] + [Labels(other="a")]
    half = len(labels) // 2
    matcher = Matcher("v", op, expression)
    index.ids(SeriesKeys.from_labels(labels[:half]))
    index.match([matcher])
    ids = index.ids(SeriesKeys.from_labels(labels))
    expected = [matcher.matches(each.get("v", "")) for each in labels]
    assert np.isin(ids, index.match([matcher])).tolist() == expected
