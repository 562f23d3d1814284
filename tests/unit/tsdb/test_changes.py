"""What changed since a moment is told, or more than that; never less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.tsdb import changes as module
from qvmon.tsdb.changes import Changes
from qvmon.tsdb.rows import EARLIEST, LATEST


@given(st.lists(st.integers(0, 100_000), max_size=60), st.integers(0, 60))
def test_the_oldest_change_since_a_moment_is_known_to_the_second(
    written: list[int], moment: int
) -> None:
    changes, token = Changes(), 0
    for number, oldest in enumerate(written):
        if number == moment:
            token = changes.token()
        changes.wrote(oldest)
    if moment >= len(written):
        token = changes.token()
    expected = min(written[moment:], default=None)
    found = changes.oldest_since(token)
    if expected is None:
        assert found == LATEST
    else:
        assert expected - 1000 < found <= expected


def test_after_everything_changed_nothing_is_known() -> None:
    changes = Changes()
    token = changes.token()
    changes.wrote(5000)
    changes.everything()
    assert changes.oldest_since(token) == EARLIEST
    assert changes.oldest_since(changes.token()) == LATEST


def test_what_is_forgotten_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_MARKS", 10)
    changes = Changes()
    tokens = []
    for second in range(30):
        tokens.append(changes.token())
        changes.wrote(second * 1000)
    for second, token in enumerate(tokens):
        assert changes.oldest_since(token) in (EARLIEST, second * 1000)
    assert changes.oldest_since(tokens[0]) == EARLIEST
    assert changes.oldest_since(tokens[-3]) == 27_000
