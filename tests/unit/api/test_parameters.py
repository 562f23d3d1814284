"""Times and durations of the Prometheus API."""

from __future__ import annotations

import pytest

from qvmon.api.http.prometheus.labels import unescaped
from qvmon.api.http.prometheus.parameters import (
    MAX_TIME_MS,
    MIN_TIME_MS,
    parse_duration_ms,
    parse_time_ms,
)
from qvmon.model.errors import QvmonError


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0", 0),
        ("1700000000", 1_700_000_000_000),
        ("1700000000.1", 1_700_000_000_100),
        ("1700000000.0004", 1_700_000_000_000),
        ("1.7e9", 1_700_000_000_000),
        ("-1.5", -1500),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-14T22:13:20.123456789Z", 1_700_000_000_123),
        ("2023-11-14T23:13:20,5+01:00", 1_700_000_000_500),
        ("2023-11-14T17:43:20-04:30", 1_700_000_000_000),
        ("-292273086-05-16T16:47:06Z", MIN_TIME_MS),
        ("292277025-08-18T07:12:54.999999999Z", MAX_TIME_MS),
    ],
)
def test_times(text: str, milliseconds: int) -> None:
    assert parse_time_ms(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    ["", "now", "NaN", "Inf", "1e300", "2023-13-01T00:00:00Z", "2023-11-14", "2023-11-14T22:13:20"],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(QvmonError, match="to a valid timestamp"):
        parse_time_ms(text)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("15", 15_000),
        ("0.5", 500),
        ("1.0001", 1000),
        ("-5", -5000),
        ("1m30s", 90_000),
        ("1d", 86_400_000),
        ("1y2w", 31_536_000_000 + 1_209_600_000),
        ("250ms", 250),
    ],
)
def test_durations(text: str, milliseconds: int) -> None:
    assert parse_duration_ms(text) == milliseconds


@pytest.mark.parametrize("text", ["", "soon", "1s1m", "1.5m", "NaN", "1e300", "9999999999y", "-1m"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(QvmonError, match="to a valid duration"):
        parse_duration_ms(text)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("job", "job"),
        ("U__http_2e_status", "http.status"),
        ("U__a__b", "a_b"),
        ("U___1f600_", "\U0001f600"),
        ("U__a_zz_", "a_zz_"),
        ("U__", ""),
        ("U___ffffff_", "U___ffffff_"),
    ],
)
def test_escaped_label_names(name: str, label: str) -> None:
    assert unescaped(name) == label
