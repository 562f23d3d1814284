"""The parser takes and refuses what Prometheus' does, and says so in its words."""

from __future__ import annotations

from pathlib import Path

import pytest
from go_cases import ParserCase, parser_cases

from qvmon.model.errors import QvmonError
from qvmon.promql import parse


@pytest.fixture(scope="module")
def cases(upstream_scripts: Path) -> list[ParserCase]:
    """The inputs of Prometheus' own parser test."""
    source = upstream_scripts.parents[1] / "parser/parse_test.go"
    return list(parser_cases(source.read_text()))


def _message(text: str) -> str | None:
    try:
        parse(text)
    except QvmonError as error:
        return error.message
    return None


def test_what_prometheus_parses_is_parsed(cases: list[ParserCase]) -> None:
    """No input that Prometheus takes is refused."""
    valid = [case for case in cases if not case.fails]
    assert len(valid) > 150
    assert [(case.text, said) for case in valid if (said := _message(case.text))] == []


def test_what_prometheus_refuses_is_refused(cases: list[ParserCase]) -> None:
    """No input that Prometheus refuses is taken."""
    bad = [case for case in cases if case.fails]
    assert len(bad) > 100
    assert [case.text for case in bad if _message(case.text) is None] == []


def test_complaints_are_prometheus_own(cases: list[ParserCase]) -> None:
    """Where the source shows the message, it is the same, position included."""
    shown = [case for case in cases if case.message() is not None]
    other = [
        (case.text, said, case.message())
        for case in shown
        if (said := _message(case.text)) != case.message()
    ]
    print(f"{len(shown) - len(other)} of {len(shown)} messages are the same")
    assert other == []
