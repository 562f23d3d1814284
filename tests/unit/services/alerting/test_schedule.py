from hypothesis import given
from hypothesis import strategies as st

from qvmon.services.alerting.schedule import Schedule

schedules = st.builds(
    lambda interval, offset: Schedule(interval, offset % interval),
    st.integers(1, 600_000),
    st.integers(0, 600_000),
)
times = st.integers(0, 2_000_000_000_000)


@given(schedules, times)
def test_the_latest_instant_is_at_most_one_interval_ago(schedule: Schedule, now: int) -> None:
    latest = schedule.latest(now)
    assert 0 <= now - latest < schedule.interval_ms
    assert (latest - schedule.offset_ms) % schedule.interval_ms == 0


@given(schedules, times, st.integers(0, 5_000_000))
def test_what_is_missed_and_what_is_due_adds_up(schedule: Schedule, start: int, took: int) -> None:
    tick = schedule.latest(start)
    due, missed = schedule.after(tick, tick + took)
    assert due == tick + schedule.interval_ms * (missed + 1)
    assert due <= max(tick + schedule.interval_ms, tick + took)
    assert due + schedule.interval_ms > tick + took


def test_a_clock_set_back_starts_the_instants_anew() -> None:
    schedule = Schedule(10_000, 3_000)
    assert schedule.after(1_000_003_000, 500_005_000) == (500_013_000, 0)


def test_groups_spread_over_the_interval_and_are_the_same_in_every_process() -> None:
    offsets = {Schedule.of("rules.yml", f"g{n}", 60_000).offset_ms // 6_000 for n in range(200)}
    assert offsets == set(range(10))
    assert Schedule.of("rules.yml", "g", 60_000) == Schedule(60_000, 3_000)
