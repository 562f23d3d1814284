"""A page is read as what its target says it is; one that says nothing readable needs a fallback."""

import pytest

from qvmon.model.ports import OutboundResponse
from tests.unit.services.collection.memory import config, job, world

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily"
FALLBACK = "fallback_scrape_protocol: PrometheusText0.0.4"


async def scraped(body: bytes, content_type: str, more: str = "") -> tuple[list, str]:
    around = world(OutboundResponse(200, {"Content-Type": content_type}, body))
    async with around.running(config(job(more))) as service:
        await around.clock.advance(10)
        (target,) = service.targets().active
    return around.sink.values("a"), target.last_error


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/plain; version=0.0.4; charset=utf-8",
        'TEXT/PLAIN ;version=1.0.0;charset="utf-8";',
    ],
)
async def test_text_is_read_by_any_of_its_names(content_type: str) -> None:
    assert await scraped(b"a 1\n", content_type) == ([1.0], "")


async def test_openmetrics_needs_its_end() -> None:
    assert await scraped(b"a 1\n# EOF\n", OPENMETRICS) == ([1.0], "")
    values, error = await scraped(b"a 1\n", OPENMETRICS)
    assert values == []
    assert "EOF" in error


@pytest.mark.parametrize(
    ("content_type", "complaint"),
    [
        ("", "blank Content-Type"),
        ("text/html", 'unsupported Content-Type "text/html"'),
        ("text/plain; charset", "cannot parse Content-Type"),
        ("application/openmetrics-text; version=2.0.0", "OpenMetrics 2.0"),
    ],
)
async def test_what_cannot_be_read_fails_unless_there_is_a_fallback(
    content_type: str, complaint: str
) -> None:
    values, error = await scraped(b"a 1\n", content_type)
    assert values == []
    assert complaint in error
    assert "no fallback_scrape_protocol" in error
    assert await scraped(b"a 1\n", content_type, FALLBACK) == ([1.0], "")


async def test_a_fallback_does_not_overrule_what_the_target_says() -> None:
    values, error = await scraped(b"a 1\n", OPENMETRICS, FALLBACK)
    assert values == []
    assert "EOF" in error


async def test_protobuf_is_refused_by_name() -> None:
    values, error = await scraped(b"\x0a", PROTOBUF)
    assert values == []
    assert "protobuf" in error
