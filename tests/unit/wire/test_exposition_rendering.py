"""What qvmon says about itself is read back by its own parser, and promtool finds no fault."""

import subprocess

import pytest

from qvmon.model.metrics import Registry, counter, gauge, histogram
from qvmon.wire.exposition import content_type, parse, render
from tests.servers import program

SCRAPES = counter("qvmon_scrapes_total", "Scrapes, by outcome.", "outcome")
SIZE = gauge("qvmon_head_bytes", 'Size of the "head" \\ now.')
LATENCY = histogram("qvmon_scrape_seconds", "How long\nscrapes take.", (0.1, 1.0))


@pytest.fixture
def registry() -> Registry:
    made = Registry()
    made.value(SCRAPES, 'od"d\\\n').add(3)
    made.value(SIZE).set(float("inf"))
    for seconds in (0.05, 0.5, 5.0):
        made.distribution(LATENCY).observe(seconds)
    return made


def test_text_format(registry: Registry) -> None:
    assert render(registry.collect(), openmetrics=False).decode() == (
        '# HELP qvmon_head_bytes Size of the "head" \\\\ now.\n'
        "# TYPE qvmon_head_bytes gauge\n"
        "qvmon_head_bytes +Inf\n"
        "# HELP qvmon_scrape_seconds How long\\nscrapes take.\n"
        "# TYPE qvmon_scrape_seconds histogram\n"
        'qvmon_scrape_seconds_bucket{le="0.1"} 1\n'
        'qvmon_scrape_seconds_bucket{le="1.0"} 2\n'
        'qvmon_scrape_seconds_bucket{le="+Inf"} 3\n'
        "qvmon_scrape_seconds_sum 5.55\n"
        "qvmon_scrape_seconds_count 3\n"
        "# HELP qvmon_scrapes_total Scrapes, by outcome.\n"
        "# TYPE qvmon_scrapes_total counter\n"
        'qvmon_scrapes_total{outcome="od\\"d\\\\\\n"} 3\n'
    )


@pytest.mark.parametrize("openmetrics", [False, True])
def test_both_dialects_are_read_back_alike(registry: Registry, openmetrics: bool) -> None:
    body = render(registry.collect(), openmetrics)
    exposition = parse(body, content_type(openmetrics))
    read = {exposition.labels(row): float(exposition.values[row]) for row in range(len(exposition))}
    written = {
        point.labels.merged({"__name__": family.metric.name + point.suffix}): point.value
        for family in registry.collect()
        for point in family.points()
    }
    assert read == written


def test_openmetrics_names_a_counter_family_without_its_suffix(registry: Registry) -> None:
    body = render(registry.collect(), openmetrics=True)
    assert b"# TYPE qvmon_scrapes counter\nqvmon_scrapes_total{" in body
    assert body.endswith(b"# EOF\n")


@pytest.mark.server("prometheus")
def test_promtool_finds_no_fault(registry: Registry) -> None:
    promtool = program("promtool")
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=render(registry.collect(), openmetrics=False),
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")
