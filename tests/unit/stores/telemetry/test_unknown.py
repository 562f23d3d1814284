"""Unknown intervals survive what may happen to a process and a file, and rules can read them."""

from pathlib import Path

import pytest

from qvmon.model.labels import Labels, Matcher, MatchOp
from qvmon.model.metrics import Registry
from qvmon.model.series import STALE_BITS, Selection
from qvmon.model.unknown import UnknownInterval
from qvmon.stores.telemetry import TelemetryConfig, TelemetryStore
from qvmon.stores.telemetry.unknown import UnknownBook
from qvmon.stores.telemetry.unknown_series import SPACING_MS, series_of
from qvmon.testing.clock import JumpingClock

A = Labels(job="j", instance="a:1")
B = Labels(job="j", instance="b:1")
EVER = (-(2**53), 2**53)
NAMED = Matcher("__name__", MatchOp.EQUAL, "qv_unknown")


def book(path: Path, limit: int = 1000) -> UnknownBook:
    return UnknownBook(path / "unknown.log", limit)


def everything(of: UnknownBook) -> list[UnknownInterval]:
    return of.find([], *EVER)


def test_an_interval_begins_and_ends(tmp_path: Path) -> None:
    kept = book(tmp_path)
    kept.begin(A, "scrape_timeout", 1000)
    assert kept.open() == [UnknownInterval(A, 1000, None, "scrape_timeout")]
    kept.end(A, "scrape_timeout", 4000)
    kept.end(A, "scrape_timeout", 9000)  # there is none to end
    kept.end(B, "scrape_timeout", 9000)
    assert everything(kept) == [UnknownInterval(A, 1000, 4000, "scrape_timeout")]
    assert kept.open() == []


def test_an_interval_that_begins_when_the_last_one_ended_goes_on(tmp_path: Path) -> None:
    kept = book(tmp_path)
    kept.begin(A, "r", 1000)
    kept.end(A, "r", 2000)
    kept.begin(A, "r", 2000)
    kept.begin(A, "other", 2500)
    kept.end(A, "r", 3000)
    kept.begin(A, "r", 3001)
    assert everything(kept) == [
        UnknownInterval(A, 1000, 3000, "r"),
        UnknownInterval(A, 2500, None, "other"),
        UnknownInterval(A, 3001, None, "r"),
    ]


def test_a_clock_set_back_leaves_no_interval_that_ends_before_it_began(tmp_path: Path) -> None:
    kept = book(tmp_path)
    kept.begin(A, "r", 5000)
    kept.end(A, "r", 4000)
    assert everything(kept) == []
    assert len(kept) == 0


def test_everything_is_there_after_a_kill(tmp_path: Path) -> None:
    killed = book(tmp_path)  # neither synced nor closed
    killed.begin(A, "r", 1000)
    killed.end(A, "r", 2000)
    killed.begin(B, "r", 1500)
    assert everything(book(tmp_path)) == everything(killed)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_torn_line_costs_that_line_only_and_later_ones_are_kept(tmp_path: Path, cut: int) -> None:
    first = book(tmp_path)
    first.begin(A, "r", 1000)
    first.begin(B, "r", 2000)
    first.close()
    file = tmp_path / "unknown.log"
    file.write_bytes(file.read_bytes()[:-cut])
    second = book(tmp_path)
    assert second.unreadable == 1
    second.begin(A, "s", 3000)
    third = book(tmp_path)
    assert everything(third) == [
        UnknownInterval(A, 1000, None, "r"),
        UnknownInterval(A, 3000, None, "s"),
    ]
    assert third.unreadable == 0


def test_an_altered_line_is_left_out_and_counted(tmp_path: Path) -> None:
    first = book(tmp_path)
    first.begin(A, "r", 1000)
    first.begin(B, "r", 2000)
    first.close()
    file = tmp_path / "unknown.log"
    file.write_bytes(file.read_bytes().replace(b"1000", b"1009"))
    second = book(tmp_path)
    assert everything(second) == [UnknownInterval(B, 2000, None, "r")]
    assert second.unreadable == 1


def test_what_ended_before_the_retention_is_forgotten_and_the_file_shrinks(tmp_path: Path) -> None:
    kept = book(tmp_path)
    for start in range(0, 100_000, 1000):
        kept.begin(A, "r", start)
        kept.end(A, "r", start + 500)
    kept.begin(B, "r", 10)
    full = (tmp_path / "unknown.log").stat().st_size
    kept.retain(98_500)
    assert everything(kept) == [
        UnknownInterval(B, 10, None, "r"),
        UnknownInterval(A, 99_000, 99_500, "r"),
    ]
    assert (tmp_path / "unknown.log").stat().st_size < full / 50
    assert everything(book(tmp_path)) == everything(kept)


def test_there_are_never_more_than_the_limit_beyond_those_still_open(tmp_path: Path) -> None:
    kept = book(tmp_path, limit=50)
    kept.begin(B, "r", 0)
    for start in range(1000, 1_000_000, 1000):
        kept.begin(A, "r", start)
        kept.end(A, "r", start + 500)
        assert len(kept) <= 51
    assert everything(kept)[0] == UnknownInterval(B, 0, None, "r")
    assert everything(kept)[-1] == UnknownInterval(A, 999_000, 999_500, "r")
    assert kept.dropped + len(kept) == 1000


def test_a_file_that_could_not_be_written_is_made_whole_by_the_next_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = book(tmp_path)

    def full(_file: int, _line: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("os.write", full)
        kept.begin(A, "r", 1000)
    assert everything(book(tmp_path)) == []
    kept.sync()
    assert everything(book(tmp_path)) == everything(kept) != []


def test_the_series_is_one_within_an_interval_and_stale_at_its_end() -> None:
    intervals = [UnknownInterval(A, 1_001, 11_500, "r"), UnknownInterval(A, 60_000, None, "r")]
    columns = series_of(intervals, 0, 66_000)
    assert columns.labels.all_labels() == [A.merged({"__name__": "qv_unknown", "reason": "r"})]
    assert columns.timestamps.tolist() == [1_001, 5_000, 10_000, 11_500, 60_000, 65_000]
    ones = columns.values.tolist()
    assert [ones[at] for at in (0, 1, 2, 4, 5)] == [1.0] * 5
    assert int(columns.values[3:4].view("uint64")[0]) == STALE_BITS
    assert SPACING_MS == 5_000


def test_a_stretch_shows_the_same_samples_as_a_longer_one() -> None:
    intervals = [UnknownInterval(A, 1_001, 31_500, "r"), UnknownInterval(B, 40_000, 41_000, "r")]
    whole = series_of(intervals, 0, 100_000)
    part = series_of(intervals, 5_000, 25_000)
    inside = [time for time in whole.timestamps.tolist() if 5_000 <= time <= 25_000]
    assert part.timestamps.tolist() == inside
    assert part.labels.all_labels()[0]["instance"] == "a:1"
    assert len(series_of(intervals, 50_000, 60_000)) == 0


async def opened(path: Path, clock: JumpingClock) -> TelemetryStore:
    store = TelemetryStore(path, TelemetryConfig(), clock, Registry())
    await store.start()
    return store


async def test_only_selectors_that_name_the_metric_see_it(tmp_path: Path) -> None:
    clock = JumpingClock()
    now = clock.now_ns() // 1_000_000
    store = await opened(tmp_path, clock)
    store.begin_unknown(A, "scrape_timeout", now - 10_000)
    stretch = (now - 60_000, now)
    by_job = Matcher("job", MatchOp.EQUAL, "j")
    by_pattern = Matcher("__name__", MatchOp.REGEX, "qv_.*")
    named, job, pattern, other = await store.select(
        [
            Selection((NAMED,), *stretch),
            Selection((by_job,), *stretch),
            Selection((by_pattern,), *stretch),
            Selection((NAMED, Matcher("reason", MatchOp.EQUAL, "x")), *stretch),
        ]
    )
    assert [len(each) for each in (named, job, pattern, other)] == [1, 0, 0, 0]
    assert len(await store.series([(by_job,)], *stretch)) == 0
    frame = await store.series([(NAMED,), (by_job,)], *stretch)
    assert frame.all_labels() == [
        A.merged({"__name__": "qv_unknown", "reason": "scrape_timeout"}),
    ]
    await store.stop()
