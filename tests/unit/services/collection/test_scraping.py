"""A target is asked as Prometheus asks, and what it says is stored as Prometheus stores it."""

import base64
from itertools import pairwise

import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.ports import OutboundResponse
from qvmon.services.collection import Health, metrics
from tests.unit.services.collection.memory import (
    JOB,
    URL,
    MemoryFiles,
    MemoryTargets,
    World,
    config,
    job,
    world,
)


async def test_a_target_is_scraped_once_in_every_interval() -> None:
    around = world("m 1\n")
    async with around.running(config()):
        await around.clock.advance(60)
    assert around.sink.values("m", job="j", instance="a:1") == [1.0] * 6
    times = [time for time, _ in around.sink.of("m")]
    assert {b - a for a, b in pairwise(times)} == {10_000}


async def test_every_scrape_reports_up_and_its_companions() -> None:
    around = world("m 1\nn 2\n")
    async with around.running(config()):
        await around.clock.advance(20)
    assert around.sink.values("up", job="j", instance="a:1") == [1.0, 1.0]
    assert around.sink.values("scrape_samples_scraped") == [2.0, 2.0]
    assert around.sink.values("scrape_samples_post_metric_relabeling") == [2.0, 2.0]
    assert around.sink.values("scrape_series_added") == [2.0, 0.0]
    assert around.sink.values("scrape_duration_seconds") == [0.0, 0.0]
    assert "scrape_timeout_seconds" not in around.sink.names()


async def test_extra_scrape_metrics_are_written_when_asked_for() -> None:
    around = world("m 1\n")
    async with around.running(config(job("extra_scrape_metrics: true\nsample_limit: 7"))):
        await around.clock.advance(10)
    assert around.sink.values("scrape_timeout_seconds") == [5.0]
    assert around.sink.values("scrape_sample_limit") == [7.0]
    assert around.sink.values("scrape_body_size_bytes") == [4.0]


async def test_the_place_in_the_interval_survives_a_restart() -> None:
    first, second = world("m 1\n"), world("m 1\n")
    async with first.running(config()):
        await first.clock.advance(20)
    await second.clock.advance(3)
    async with second.running(config()):
        await second.clock.advance(17)
    (one, *_), (other, *_) = first.sink.of("m"), second.sink.of("m")
    assert (one[0] - other[0]) % 10_000 == 0


async def test_targets_are_spread_over_the_interval() -> None:
    names = [f"t{number}:1" for number in range(100)]
    around = World(targets=MemoryTargets({f"http://{name}/metrics": "m 1\n" for name in names}))
    async with around.running(config(JOB.replace("'a:1'", ",".join(names)))):
        await around.clock.advance(10)
    places = {times[0][0] % 10_000 // 1000 for times in around.sink.samples.values()}
    assert places == set(range(10))


async def test_a_twin_with_another_seed_scrapes_at_another_time() -> None:
    one, other = world("m 1\n"), world("m 1\n")
    async with one.running(config()), other.running(config(spread_seed="b")):
        await one.clock.advance(10)
        await other.clock.advance(10)
    assert one.sink.of("m")[0][0] != other.sink.of("m")[0][0]


async def test_new_targets_may_be_scraped_early_once_and_then_at_their_place() -> None:
    early, usual = world("m 1\n"), world("m 1\n")
    async with (
        early.running(config(first_scrape_within_seconds=1.0)),
        usual.running(config()),
    ):
        await early.clock.advance(30)
        await usual.clock.advance(30)
    (first, *rest) = early.sink.of("m")
    assert first[0] < 1_700_000_001_000
    assert rest == usual.sink.of("m")


async def test_the_request_says_what_prometheus_says() -> None:
    around = world("m 1\n")
    async with around.running(config()):
        await around.clock.advance(10)
    (request,) = around.targets.requests
    assert request.headers["Accept"] == (
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "application/openmetrics-text;version=0.0.1;q=0.5,"
        "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
    )
    assert request.headers["Accept-Encoding"] == "gzip"
    assert request.headers["X-Prometheus-Scrape-Timeout-Seconds"] == "5"
    assert request.timeout_seconds == 5.0
    assert request.follow_redirects


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ("basic_auth: {username: ada, password: pw}", b"Basic YWRhOnB3"),
        ("basic_auth: {username: ada, password_file: pw}", b"Basic YWRhOnNlY3JldA=="),
        ("authorization: {credentials: tok}", b"Bearer tok"),
        ("authorization: {type: Token, credentials_file: pw}", b"Token secret"),
        ("bearer_token: tok", b"Bearer tok"),
        ("bearer_token_file: pw", b"Bearer secret"),
    ],
)
async def test_credentials_are_sent(auth: str, header: bytes) -> None:
    around = world("m 1\n")
    around.files = MemoryFiles({"pw": "secret\n"})
    async with around.running(config(job(auth))):
        await around.clock.advance(10)
    assert around.targets.requests[0].headers["Authorization"].encode() == header
    assert base64.b64decode("YWRhOnNlY3JldA==") == b"ada:secret"


async def test_a_credentials_file_that_is_missing_fails_the_scrape() -> None:
    around = world("m 1\n")
    async with around.running(config(job("bearer_token_file: gone"))) as service:
        await around.clock.advance(10)
        (status,) = service.targets().active
    assert status.last_error == "gone: no such file"
    assert around.sink.values("up") == [0.0]


async def test_tls_and_headers_of_the_job_are_passed_on() -> None:
    around = world("m 1\n")
    more = """
tls_config: {ca_file: /ca.pem, insecure_skip_verify: true}
http_headers: {X-A: {values: [a, b], secrets: [c]}}
enable_compression: false
follow_redirects: false
"""
    async with around.running(config(job(more))):
        await around.clock.advance(10)
    (request,) = around.targets.requests
    assert (request.tls.ca_file, request.tls.insecure_skip_verify) == ("/ca.pem", True)
    assert request.headers["X-A"] == "a, b, c"
    assert request.headers["Accept-Encoding"] == "identity"
    assert not request.follow_redirects


async def test_an_answer_that_is_not_200_is_a_failure() -> None:
    around = world(OutboundResponse(503, {}, b"m 1\n"))
    async with around.running(config()) as service:
        await around.clock.advance(10)
        (status,) = service.targets().active
    assert status.last_error == "server returned HTTP status 503 Service Unavailable"
    assert around.sink.values("m") == []


async def test_one_bad_line_fails_that_scrape_and_says_where() -> None:
    around = world("m 1\n", "m 2\nn {\n", "m 3\n")
    async with around.running(config()) as service:
        await around.clock.advance(20)
        (status,) = service.targets().active
        await around.clock.advance(10)
    assert "line 2" in status.last_error
    assert around.sink.values("m") == [1.0, "stale", 3.0]
    assert around.sink.values("up") == [1.0, 0.0, 1.0]


async def test_openmetrics_is_told_by_the_content_type() -> None:
    around = world("m_total 1\n# EOF\n")
    around.targets.content_type = "application/openmetrics-text; version=1.0.0"
    async with around.running(config()):
        await around.clock.advance(10)
    assert around.sink.values("m_total") == [1.0]


async def test_the_fallback_protocol_reads_what_has_no_content_type() -> None:
    around = world(OutboundResponse(200, {}, b"m_total 1\n"))
    more = "fallback_scrape_protocol: OpenMetricsText1.0.0"
    async with around.running(config(job(more))) as service:
        await around.clock.advance(10)
        (status,) = service.targets().active
    assert "EOF" in status.last_error


async def test_target_labels_win_over_exposed_ones() -> None:
    around = world('m{job="x",exported_job="y",instance="z"} 1\n')
    async with around.running(config()):
        await around.clock.advance(10)
    (series,) = [labels for labels in around.sink.samples if labels["__name__"] == "m"]
    assert series == Labels(
        __name__="m",
        job="j",
        instance="a:1",
        exported_job="y",
        exported_exported_job="x",
        exported_instance="z",
    )


async def test_honor_labels_lets_exposed_labels_win() -> None:
    around = world('m{job="x",own="y"} 1\n')
    async with around.running(config(job("honor_labels: true"))):
        await around.clock.advance(10)
    (series,) = [labels for labels in around.sink.samples if labels["__name__"] == "m"]
    assert series == Labels(__name__="m", job="x", instance="a:1", own="y")
    assert around.sink.values("up", job="j") == [1.0]


async def test_timestamps_are_honoured_unless_told_otherwise() -> None:
    honoured, ignored = world("m 1 1600000000000\n"), world("m 1 1600000000000\n")
    async with honoured.running(config()), ignored.running(config(job("honor_timestamps: false"))):
        await honoured.clock.advance(10)
        await ignored.clock.advance(10)
    assert honoured.sink.of("m") == [(1_600_000_000_000, 1.0)]
    assert ignored.sink.of("m")[0][0] == ignored.sink.of("up")[0][0]


async def test_metric_relabelling_drops_and_renames() -> None:
    around = world("keep 1\nbad_a 2\nold 3\n")
    more = """
metric_relabel_configs:
- {source_labels: [__name__], regex: bad_.*, action: drop}
- {source_labels: [__name__], regex: old, target_label: __name__, replacement: new}
"""
    async with around.running(config(job(more))):
        await around.clock.advance(20)
    assert around.sink.names() >= {"keep", "new"}
    assert around.sink.names().isdisjoint({"bad_a", "old"})
    assert around.sink.values("scrape_samples_scraped") == [3.0, 3.0]
    assert around.sink.values("scrape_samples_post_metric_relabeling") == [2.0, 2.0]
    assert around.sink.values("scrape_series_added") == [2.0, 0.0]


async def test_a_page_that_is_wrong_is_counted_up_to_its_mistake() -> None:
    around = world("good 1\nworse two\nlost 3\n")
    async with around.running(config()):
        await around.clock.advance(10)
    assert around.sink.values("up") == [0.0]
    assert around.sink.values("scrape_samples_scraped") == [1.0]
    assert around.sink.names().isdisjoint({"good", "lost"})


async def test_an_empty_page_is_a_page_without_samples() -> None:
    around = world("")
    async with around.running(config()):
        await around.clock.advance(10)
    assert around.sink.values("up") == [1.0]


async def test_the_store_is_asked_about_each_series_once() -> None:
    around = world("m 1\nn 2\n")
    async with around.running(config()):
        await around.clock.advance(100)
    assert around.sink.asked == 2 + 5


async def test_a_series_given_twice_counts_once_and_the_first_value_stays() -> None:
    around = world("m 1\nm 2\n")
    async with around.running(config()):
        await around.clock.advance(20)
    assert around.sink.values("m") == [1.0, 1.0]
    assert around.sink.values("scrape_samples_post_metric_relabeling") == [2.0, 2.0]
    assert around.sink.values("scrape_series_added") == [1.0, 0.0]


async def test_a_series_given_twice_with_timestamps_is_stored_twice() -> None:
    around = world("m 1 1000\nm 2 2000\n")
    async with around.running(config()):
        await around.clock.advance(10)
    assert around.sink.of("m") == [(1000, 1.0), (2000, 2.0)]


async def test_metadata_reaches_the_store_when_it_changes() -> None:
    around = world("# TYPE m counter\nm 1\n", "# TYPE m gauge\nm 1\n")
    async with around.running(config()):
        await around.clock.advance(10)
        first = around.sink.metadata["m"].type
        await around.clock.advance(10)
    assert (first, around.sink.metadata["m"].type) == ("counter", "gauge")
    assert around.sink.metadata["up"].type == "gauge"


async def test_one_target_that_fails_leaves_the_others_alone() -> None:
    failing = QvmonError(ErrorKind.UNAVAILABLE, "connection refused")
    around = World(targets=MemoryTargets({URL: failing, "http://b:1/metrics": "m 1\n"}))
    async with around.running(config(JOB.replace("'a:1'", "'a:1', 'b:1'"))):
        await around.clock.advance(30)
    assert around.sink.values("up", instance="a:1") == [0.0] * 3
    assert around.sink.values("m", instance="b:1") == [1.0] * 3
    assert around.counted(metrics.SCRAPES, "j", "down") == 3
    assert around.counted(metrics.SCRAPES, "j", "up") == 3


async def test_a_defect_of_ours_ends_no_loop_and_is_counted() -> None:
    around = world(RuntimeError("oops"), "m 1\n")
    async with around.running(config()) as service:
        await around.clock.advance(10)
        (status,) = service.targets().active
        await around.clock.advance(10)
    assert status.health is Health.DOWN
    assert "oops" in status.last_error
    assert around.counted(metrics.DEFECTS) == 1
    assert around.sink.values("up") == [0.0, 1.0]
    assert around.sink.values("m") == [1.0]


async def test_a_store_that_fails_loses_that_scrape_only() -> None:
    around = world("m 1\n")
    async with around.running(config()) as service:
        around.sink.broken = QvmonError(ErrorKind.UNAVAILABLE, "disk full")
        await around.clock.advance(10)
        (status,) = service.targets().active
        around.sink.broken = None
        await around.clock.advance(10)
    assert status.last_error == "disk full"
    assert around.sink.values("m") == [1.0]


async def test_refused_samples_are_counted_by_reason() -> None:
    around = world("m 1\nn 1\n")
    around.sink.series_limit = 1
    async with around.running(config()):
        await around.clock.advance(10)
    assert around.counted(metrics.REFUSED_SAMPLES, "series_limit", "j") == 6


async def test_a_refused_series_that_vanishes_has_no_end() -> None:
    around = world("m 1\nn 1\n", "m 1\n")
    around.sink.series_limit = 0
    async with around.running(config()):
        await around.clock.advance(10)
        before = around.counted(metrics.REFUSED_SAMPLES, "series_limit", "j")
        await around.clock.advance(10)
    assert around.counted(metrics.REFUSED_SAMPLES, "series_limit", "j") == before + 6
    assert around.counted(metrics.STALE_MARKERS) == 0


async def test_refused_series_are_tried_again_later() -> None:
    around = world("m 1\nn 1\n")
    around.sink.series_limit = 6
    async with around.running(config()):
        await around.clock.advance(50)
        around.sink.series_limit = None
        await around.clock.advance(100)
    assert len(around.sink.values("m")) + len(around.sink.values("n")) > 15


async def test_a_page_read_in_a_thread_yields_the_same() -> None:
    around = world("m 1\n")
    async with around.running(config(threaded_body_bytes=0)) as service:
        await around.clock.advance(10)
        while not service.targets().active[0].last_scrape_ms:
            await around.clock.advance(0)
    assert around.sink.values("m") == [1.0]
