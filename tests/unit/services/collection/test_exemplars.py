"""Exemplars of scraped pages reach their series, and each only once."""

from __future__ import annotations

from qvmon.model.labels import Labels
from qvmon.model.metrics import Registry
from qvmon.services.collection.exemplars import ExemplarReader
from qvmon.services.collection.metrics import MALFORMED_EXEMPLARS
from qvmon.services.collection.sample_labels import LabelPath
from qvmon.wire.exposition import parse
from qvmon.wire.prometheus_config import decode_prometheus_config

from .memory import JOB, MemoryExemplars

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
TARGET = Labels(job="j", instance="a:1")
PAGE = """# TYPE latency histogram
latency_bucket{{le="1",path="a # {{b"}} 4 # {{trace_id="{trace}"}} 0.25 1700000000.5
latency_bucket{{le="+Inf"}} 5 # {{}} 3
latency_count 5
latency_sum 4.0
# EOF
"""


class Reading:
    def __init__(self) -> None:
        job = decode_prometheus_config(JOB, "p.yml", {}).scrape_configs[0]
        self.sink, self.registry = MemoryExemplars(), Registry()
        self.reader = ExemplarReader(LabelPath(TARGET, job), self.sink, self.registry)

    def page(self, text: str, at_ms: int) -> None:
        self.reader.read(parse(text.encode(), OPENMETRICS), at_ms)


def test_an_exemplar_belongs_to_the_series_of_its_line() -> None:
    reading = Reading()
    reading.page(PAGE.format(trace="abc"), 7000)
    (first, one), (second, other) = reading.sink.kept
    assert first == TARGET.merged({"__name__": "latency_bucket", "le": "1.0", "path": "a # {b"})
    assert (one.labels, one.value, one.time_ms) == (Labels(trace_id="abc"), 0.25, 1_700_000_000_500)
    assert second["le"] == "+Inf"
    assert (other.labels, other.value, other.time_ms, other.timed) == (Labels(), 3.0, 7000, False)


def test_what_was_on_the_page_before_is_not_read_again() -> None:
    reading = Reading()
    for at_ms, trace in ((7000, "abc"), (8000, "abc"), (9000, "def")):
        reading.page(PAGE.format(trace=trace), at_ms)
    assert [each.labels.get("trace_id") for _, each in reading.sink.kept] == ["abc", None, "def"]


def test_an_exemplar_that_names_a_label_twice_is_counted() -> None:
    reading = Reading()
    reading.page('a_total 1 # {x="1",x="2"} 1\n# EOF\n', 7000)
    assert reading.sink.kept == []
    assert reading.registry.value(MALFORMED_EXEMPLARS).current == 1
