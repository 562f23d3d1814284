"""What the usual client library writes is read back, whichever format is negotiated."""

import math
from collections.abc import Callable

import pytest
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Enum,
    Gauge,
    Histogram,
    Info,
    Summary,
    exposition,
    openmetrics,
)

from qvmon.wire.exposition import parse

TEXT = exposition.CONTENT_TYPE_LATEST
OPENMETRICS = openmetrics.exposition.CONTENT_TYPE_LATEST


@pytest.fixture
def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    orders = Counter("orders", 'Orders "sent" \\ by\nvenue.', ["venue"], registry=made)
    orders.labels('X"\\\nY').inc(3, exemplar={"trace_id": "abc"})
    Gauge("exposure_usd", "Now.", registry=made).set(-1234567.891)
    Gauge("unknown_ratio", "Never measured.", registry=made).set(math.nan)
    latency = Histogram("ack_seconds", "Latency.", buckets=(0.1, 1), unit="seconds", registry=made)
    latency.observe(0.05, exemplar={"trace_id": "é"})
    latency.observe(7)
    Summary("size_bytes", "Sizes.", registry=made).observe(10)
    Info("build", "Build.", registry=made).info({"version": "1.2.3"})
    Enum("session", "Session.", states=["open", "closed"], registry=made).state("open")
    return made


@pytest.mark.parametrize(
    ("write", "content_type"),
    [
        (exposition.generate_latest, TEXT),
        (openmetrics.exposition.generate_latest, OPENMETRICS),
    ],
)
def test_every_sample_of_every_type(
    registry: CollectorRegistry,
    write: Callable[[CollectorRegistry], bytes],
    content_type: str,
) -> None:
    read = parse(write(registry), content_type)
    got = {
        tuple(sorted(read.labels(row).items())): float(read.values[row]) for row in range(len(read))
    }
    expected = {
        tuple(sorted({**sample.labels, "__name__": sample.name}.items())): float(sample.value)
        for family in registry.collect()
        for sample in family.samples
    }
    assert got.keys() == expected.keys()
    for key, value in expected.items():
        assert got[key] == value or (math.isnan(got[key]) and math.isnan(value))


def test_types_units_and_helps(registry: CollectorRegistry) -> None:
    body = openmetrics.exposition.generate_latest(registry)
    metadata = {each.name: each for each in parse(body, OPENMETRICS).metadata}
    assert metadata["orders"].help == 'Orders "sent" \\ by\nvenue.'
    assert (metadata["ack_seconds"].type, metadata["ack_seconds"].unit) == ("histogram", "seconds")
    assert {name: each.type for name, each in metadata.items()} == {
        "orders": "counter",
        "exposure_usd": "gauge",
        "unknown_ratio": "gauge",
        "ack_seconds": "histogram",
        "size_bytes": "summary",
        "build": "info",
        "session": "stateset",
    }
