"""What scraping and receiving could not observe is written down: since when, until when, why."""

import numpy as np
import pytest

from qvmon.model.access import Permission, Principal, PrincipalKind
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Labels
from qvmon.model.ports import AppendResult, OutboundResponse
from qvmon.model.series import SampleBatch, SeriesKeys
from qvmon.model.unknown import QVMON_DOWN
from qvmon.services.collection.observations import Observations
from qvmon.services.collection.senders import Senders
from qvmon.services.collection.target import Target
from qvmon.services.collection.unknown import Change, Knowledge, left, missed, seen
from qvmon.wire.remote_write import WriteRequest
from tests.unit.services.collection.memory import MemoryUnknown, World, config, job, world

SCOPE = Labels(job="j", instance="a:1")
REFUSED = QvmonError(ErrorKind.UNAVAILABLE, "connection refused", cause="refused")
TIMEOUT = QvmonError(ErrorKind.TIMEOUT, "too slow")


async def scraped(around: World, rounds: int, text: str | None = None) -> None:
    settings = config(text) if text else config()
    async with around.running(settings):
        await around.clock.advance(10 * rounds)


async def times(around: World) -> list[int]:
    return [at for at, _ in around.sink.of("up")]


async def test_a_target_is_unknown_from_its_last_good_sample_to_its_next_one() -> None:
    around = world("a 1\n", REFUSED, REFUSED, "a 1\n")
    await scraped(around, 5)
    at = await times(around)
    assert around.unknown.shown() == [("scrape_refused", at[0], at[3])]
    assert around.unknown.kept[0].scope == SCOPE


async def test_a_target_that_never_answered_is_unknown_since_it_was_first_asked() -> None:
    around = world(TIMEOUT)
    await scraped(around, 3)
    assert around.unknown.shown() == [("scrape_timeout", (await times(around))[0], None)]


async def test_another_reason_is_another_interval_without_a_hole_between() -> None:
    around = world("a 1\n", TIMEOUT, "a one\n", "a 1\n")
    await scraped(around, 5)
    at = await times(around)
    assert around.unknown.shown() == [
        ("scrape_timeout", at[0], at[2]),
        ("scrape_bad_exposition", at[2], at[3]),
    ]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (OutboundResponse(503, {}, b""), "scrape_http_status"),
        (QvmonError(ErrorKind.EXHAUSTED, "much"), "scrape_too_large"),
        ("a 1\nb 1\n", "scrape_limit"),
        ("{} 1\n", "scrape_bad_exposition"),
        (OSError("a defect"), "scrape_failed"),
    ],
)
async def test_the_reason_is_told_by_kind(answer: object, reason: str) -> None:
    around = world(answer)
    await scraped(around, 2, job("sample_limit: 1"))
    assert [each.reason for each in around.unknown.kept] == [reason]


async def test_samples_that_could_not_be_stored_are_unknown() -> None:
    around = world("a 1\n")
    async with around.running(config()):
        await around.clock.advance(10)
        around.sink.broken = QvmonError(ErrorKind.UNAVAILABLE, "disk full")
        await around.clock.advance(10)
        around.sink.broken = None
        await around.clock.advance(10)
    at = await times(around)
    assert around.unknown.shown() == [("not_stored", at[0], at[1])]


async def test_a_removed_target_is_unknown_until_its_series_end() -> None:
    around = world("a 1\n")
    async with around.running(config()) as service:
        await around.clock.advance(10)
        await service.apply(config("scrape_configs: []"))
        await around.clock.advance(30)
    ((reason, start, end),) = around.unknown.shown()
    assert (reason, start) == ("target_gone", (await times(around))[0])
    assert end is not None
    assert end > start


async def test_a_changed_interval_is_no_departure() -> None:
    around = world("a 1\n")
    async with around.running(config()) as service:
        await around.clock.advance(10)
        await service.apply(config(config_text_with_interval("5s")))
        await around.clock.advance(60)
    assert all(each.reason != "target_gone" for each in around.unknown.kept)


def config_text_with_interval(interval: str) -> str:
    return job("").replace("scrape_interval: 10s", f"scrape_interval: {interval}")


async def test_what_a_restart_finds_open_is_ended_by_the_first_good_sample() -> None:
    around = world("a 1\n")
    around.unknown.begin_unknown(SCOPE, "scrape_timeout", 5)
    around.unknown.begin_unknown(Labels(), QVMON_DOWN, 7)
    await scraped(around, 2)
    at = await times(around)
    timeout, down = around.unknown.shown()
    assert timeout == ("scrape_timeout", 5, at[0])
    assert down[:2] == (QVMON_DOWN, 7)
    assert down[2] is not None
    assert down[2] >= at[0]


async def test_a_restart_ends_what_is_open_of_targets_no_longer_there() -> None:
    around = world("a 1\n")
    around.unknown.begin_unknown(Labels(job="j", instance="old:1"), "scrape_timeout", 5)
    await scraped(around, 2)
    assert around.unknown.open_unknown() == []


def test_a_good_scrape_that_comes_late_ends_a_gap() -> None:
    before = Knowledge(good_ms=10_000)
    assert seen(before, 25_000, 10_000)[1] == []
    assert seen(before, 25_001, 10_000) == (
        Knowledge(25_001),
        [Change("scrape_gap", 10_000, 25_001)],
    )


def test_steps_are_pure() -> None:
    state, changes = missed(Knowledge(1000), 2000, "r")
    assert (state, changes) == (Knowledge(1000, "r"), [Change("r", 1000)])
    assert missed(state, 3000, "r") == (state, [])
    assert left(state, 4000) == [Change("r", end_ms=4000)]
    assert left(Knowledge(), 4000) == []


def test_two_targets_with_the_same_address_do_not_end_each_others_interval() -> None:
    log = MemoryUnknown()
    observations = Observations(log)
    one, other = (target_with(path) for path in ("/a", "/b"))
    observations.failed(one, 1000, "scrape_timeout")
    observations.good(other, 2000)
    assert log.shown() == [("scrape_timeout", 1000, None)]
    observations.good(one, 3000)
    assert log.shown() == [("scrape_timeout", 1000, 3000)]


def target_with(path: str):
    labels = Labels(job="j", instance="a:1", path=path)
    return Target("j", labels, labels, f"http://a:1{path}", 10_000, 5_000)


class Writers:
    """Remote writers as ``Senders`` sees them; the ids are given in order of appearance."""

    def __init__(self, idle_ms: int = 60_000, log: MemoryUnknown | None = None) -> None:
        self.log = log or MemoryUnknown()
        self.senders = Senders(self.log, idle_ms, 3_600_000, max_senders=3)
        self.ids: dict[Labels, int] = {}

    def write(self, now: int, *samples: tuple[Labels, int], refused: dict | None = None) -> None:
        labels = list(dict.fromkeys(each for each, _ in samples))
        ids = np.array([self.ids.setdefault(each, len(self.ids)) for each in labels], np.int64)
        rows = np.array([self.ids[each] for each, _ in samples], np.int64)
        stamps = np.array([at for _, at in samples], np.int64)
        batch = SampleBatch(rows, stamps, np.ones(len(samples)))
        result = AppendResult(
            len(samples), {k: np.array(v, np.int64) for k, v in (refused or {}).items()}
        )
        self.senders.received(SeriesKeys.from_labels(labels), ids, batch, result, now)


SENDER = Labels(job="app", instance="x:1", service="orders")
ONE = SENDER.merged({"__name__": "one", "le": "0.5"})
TWO = SENDER.merged({"__name__": "two"})


def test_a_sender_that_stops_is_unknown_until_it_writes_again() -> None:
    writers = Writers()
    writers.write(100_000, (ONE, 99_000), (TWO, 98_000))
    writers.senders.look(160_000)
    assert writers.log.shown() == []
    writers.senders.look(160_001)
    writers.senders.look(170_000)
    assert writers.log.shown() == [("sender_idle", 99_000, None)]
    assert writers.log.kept[0].scope == SENDER
    writers.write(200_000, (TWO, 199_500), (ONE, 199_000))
    assert writers.log.shown() == [("sender_idle", 99_000, 199_000)]


@pytest.mark.parametrize("idle", [60_000, 150_000])
def test_what_is_repeated_or_refused_does_not_end_a_silence(idle: int) -> None:
    """Also where the silence is noticed only when it ends; what comes late is noted apart."""
    writers = Writers(idle)
    writers.write(100_000, (ONE, 99_000))
    writers.senders.look(200_000)
    writers.write(260_000, (ONE, 99_000))
    writers.write(270_000, (ONE, 99_000), (TWO, 5_000), (ONE, 269_000), refused={"too_old": [1]})
    reason = "sender_idle" if idle == 60_000 else "sender_gap"
    assert (reason, 99_000, 269_000) in writers.log.shown()


def test_one_series_of_a_group_keeps_its_sender_alive_and_others_do_not() -> None:
    writers = Writers()
    other = Labels(__name__="one", job="app", instance="y:1")
    writers.write(100_000, (ONE, 99_000), (TWO, 98_000), (other, 99_000))
    writers.write(150_000, (TWO, 149_000))
    writers.senders.look(180_000)
    assert [each.scope for each in writers.log.kept] == [other.keep("job", "instance")]


def test_a_pause_nobody_looked_at_is_a_gap() -> None:
    writers = Writers()
    writers.write(100_000, (ONE, 99_000))
    writers.write(200_000, (ONE, 199_000))
    assert writers.log.shown() == [("sender_gap", 99_000, 199_000)]
    writers.write(300_000, (ONE, 200_000))  # late, and nothing is missing
    assert len(writers.log.kept) == 1


def test_samples_refused_for_their_age_are_unknown() -> None:
    writers = Writers()
    writers.write(
        100_000,
        (ONE, 99_000),
        (ONE, 50_000),
        (TWO, 40_000),
        (TWO, 99_500),
        refused={"too_old": [1], "out_of_order": [2], "duplicate_timestamp": [3]},
    )
    assert writers.log.shown() == [("late_refused", 40_000, 50_001)]


def test_series_of_nobody_in_particular_are_not_watched() -> None:
    writers = Writers()
    writers.write(100_000, (Labels(__name__="a"), 99_000))
    writers.senders.look(500_000)
    assert writers.log.shown() == []


def test_no_more_senders_are_watched_than_the_limit() -> None:
    writers = Writers()
    writers.write(1, *((Labels(__name__="a", job=str(n)), 1) for n in range(10)))
    writers.senders.look(500_000)
    assert len(writers.senders) == len(writers.log.kept) == 3


def test_a_sender_silent_for_very_long_is_retired() -> None:
    writers = Writers()
    writers.write(100_000, (ONE, 99_000))
    writers.senders.look(200_000)
    writers.senders.look(4_000_000)
    assert writers.log.shown() == [("sender_idle", 99_000, 4_000_000)]
    writers.senders.look(5_000_000)
    assert len(writers.log.kept) == 1


def test_a_restart_goes_on_waiting_for_a_silent_sender() -> None:
    log = MemoryUnknown()
    log.begin_unknown(SENDER, "sender_idle", 99_000)
    writers = Writers(log=log)
    writers.senders.resume(300_000)
    writers.senders.look(400_000)
    assert log.shown() == [("sender_idle", 99_000, None)]
    writers.write(500_000, (ONE, 499_000))
    assert log.shown() == [("sender_idle", 99_000, 499_000)]


async def test_the_service_watches_its_writers() -> None:
    around = World()
    principal = Principal("w", PrincipalKind.SERVICE, frozenset({Permission.WRITE_TELEMETRY}))
    async with around.running(config("scrape_configs: []", sender_idle_seconds=60.0)) as service:
        now = around.clock.now_ns() // 1_000_000
        request = WriteRequest(
            keys=SeriesKeys.from_labels([ONE]),
            rows=np.zeros(1, np.int64),
            timestamps=np.array([now - 500], np.int64),
            values=np.ones(1),
            metadata=[],
            refused=[],
            dropped={},
        )
        await service.receive(principal, request)
        await around.clock.advance(90)
        assert around.unknown.shown() == [("sender_idle", now - 500, None)]


async def test_a_log_that_cannot_be_written_ends_no_scraping() -> None:
    around = world("a 1\n")
    closed = QvmonError(ErrorKind.UNAVAILABLE, "the telemetry store is not open")

    def refuse(*_: object) -> None:
        raise closed

    async with around.running(config()):
        await around.clock.advance(10)
        around.sink.broken = closed
        around.unknown.begin_unknown = refuse
        await around.clock.advance(20)
        around.sink.broken = None
        await around.clock.advance(20)
    assert len(await times(around)) == 3
