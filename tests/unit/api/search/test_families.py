"""Which metric family a series belongs to, by its name."""

from __future__ import annotations

import pytest

from qvmon.api.http.prometheus.search.families import Families
from qvmon.model.series import MetricMetadata

KNOWN = [
    MetricMetadata("requests", "counter"),
    MetricMetadata("old_total", "counter"),
    MetricMetadata("latency", "histogram"),
    MetricMetadata("latency", "summary"),
    MetricMetadata("size", "summary"),
    MetricMetadata("build", "info"),
    MetricMetadata("depth", "gaugehistogram"),
    MetricMetadata("load", "gauge"),
]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("load", "gauge"),
        ("requests_total", "counter"),
        ("old_total", "counter"),
        ("latency_bucket", "histogram"),
        ("latency_sum", "histogram"),
        ("size_count", "summary"),
        ("build_info", "info"),
        ("depth_gcount", "gaugehistogram"),
    ],
)
def test_a_series_is_described_by_its_family(name: str, expected: str) -> None:
    described = Families(KNOWN).of(name)
    assert described is not None
    assert described.type == expected


@pytest.mark.parametrize(
    "name", ["old_total_total", "load_total", "size_bucket", "requests_created", "nothing", ""]
)
def test_a_series_with_a_suffix_its_family_has_not_is_not_described(name: str) -> None:
    assert Families(KNOWN).of(name) is None
