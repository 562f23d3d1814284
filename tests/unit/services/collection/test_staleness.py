"""Series end when Prometheus says they end."""

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.services.collection import Health
from tests.unit.services.collection.memory import URL, config, job, world


async def test_a_series_that_vanishes_is_marked_stale_at_the_time_of_that_scrape() -> None:
    around = world("m 1\nn 1\n", "m 2\n", "m 3\n", "m 4\nn 4\n")
    async with around.running(config()):
        await around.clock.advance(40)
    assert around.sink.values("m") == [1.0, 2.0, 3.0, 4.0]
    assert around.sink.values("n") == [1.0, "stale", 4.0]
    assert around.sink.of("n")[1][0] == around.sink.of("m")[1][0]
    assert around.sink.values("scrape_series_added") == [2.0, 0.0, 0.0, 1.0]


async def test_a_failed_scrape_ends_every_series_and_reports_down() -> None:
    refused = QvmonError(ErrorKind.UNAVAILABLE, f'Get "{URL}": connection refused')
    around = world("m 1\n", refused, refused, "m 2\n")
    async with around.running(config()) as service:
        await around.clock.advance(30)
        (status,) = service.targets().active
        await around.clock.advance(10)
        (later,) = service.targets().active
    assert around.sink.values("m") == [1.0, "stale", 2.0]
    assert around.sink.values("up") == [1.0, 0.0, 0.0, 1.0]
    assert (status.health, status.last_error) == (Health.DOWN, refused.message)
    assert (later.health, later.last_error) == (Health.UP, "")


async def test_series_with_explicit_timestamps_are_not_marked() -> None:
    around = world("m 1 1600000000000\n", "n 1\n")
    async with around.running(config()):
        await around.clock.advance(20)
    assert around.sink.values("m") == [1.0]


async def test_series_with_explicit_timestamps_are_marked_when_asked_for() -> None:
    around = world("m 1 1600000000000\n", "n 1\n")
    async with around.running(config(job("track_timestamps_staleness: true"))):
        await around.clock.advance(20)
    assert around.sink.values("m") == [1.0, "stale"]


async def test_an_empty_page_ends_every_series_and_is_no_failure() -> None:
    around = world("m 1\n", "")
    async with around.running(config()):
        await around.clock.advance(20)
    assert around.sink.values("m") == [1.0, "stale"]
    assert around.sink.values("up") == [1.0, 1.0]


async def test_a_failure_is_marked_once() -> None:
    refused = QvmonError(ErrorKind.UNAVAILABLE, "connection refused")
    around = world("m 1\n", refused, refused, refused)
    async with around.running(config()):
        await around.clock.advance(40)
    assert around.sink.values("m") == [1.0, "stale"]


async def test_two_texts_of_one_series_end_when_both_are_gone() -> None:
    both, one = 'm{a="1",b="2"} 1\nm{b="2",a="1"} 1\n', 'm{b="2",a="1"} 1\n'
    around = world(both, one, "n 1\n")
    async with around.running(config()):
        await around.clock.advance(30)
    assert around.sink.values("m") == [1.0, 1.0, 1.0, "stale"]


async def test_a_clean_shutdown_marks_nothing() -> None:
    around = world("m 1\n")
    async with around.running(config()):
        await around.clock.advance(10)
    assert around.sink.values("m") == [1.0]
    assert around.sink.values("up") == [1.0]


async def test_a_removed_target_ends_two_intervals_later_at_its_next_scrape_time() -> None:
    around = world("m 1\n")
    async with around.running(config()) as service:
        await around.clock.advance(10)
        scraped = around.sink.of("m")[0][0]
        await service.apply(config("scrape_configs: []"))
        rest_ms = scraped + 21_000 - around.clock.now_ns() // 1_000_000
        await around.clock.advance(rest_ms / 1000 - 0.01)
        before = around.sink.values("m")
        await around.clock.advance(0.02)
    assert before == [1.0]
    assert around.sink.of("m") == [(scraped, 1.0), (scraped + 10_000, "stale")]
    assert around.sink.values("up") == [1.0, "stale"]
    assert around.sink.values("scrape_series_added") == [1.0, "stale"]


async def test_a_target_that_comes_back_in_time_is_not_ended() -> None:
    around = world("m 1\n")
    async with around.running(config()) as service:
        await around.clock.advance(10)
        await service.apply(config("scrape_configs: []"))
        await around.clock.advance(5)
        await service.apply(config())
        await around.clock.advance(35)
    assert "stale" not in around.sink.values("m")
    assert "stale" not in around.sink.values("up")


async def test_a_target_that_was_never_scraped_ends_nothing() -> None:
    around = world("m 1\n")
    async with around.running(config()) as service:
        await service.apply(config("scrape_configs: []"))
        await around.clock.advance(60)
    assert around.sink.samples == {}
