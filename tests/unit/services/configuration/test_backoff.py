"""Guessing gets slower and slower, remembering costs a bounded amount, and it is forgiven."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qvmon.services.configuration.backoff import Backoff
from qvmon.services.configuration.config import BackoffConfig

CONFIG = BackoffConfig(
    free_failures_per_login_and_address=3,
    free_failures_per_address=6,
    free_failures_per_login=9,
    longest_delay_seconds=60.0,
    forget_after_seconds=600.0,
    remembered_keys=20,
)


def after(failures: int, login: str = "ada", address: str = "::1", now: float = 0.0) -> Backoff:
    state = Backoff()
    for _ in range(failures):
        state = state.failed(login, address, now, CONFIG)
    return state


def test_the_first_failures_are_free_and_then_the_wait_doubles_up_to_a_limit() -> None:
    waits = [after(count).wait_seconds("ada", "::1", 0.0, CONFIG) for count in range(12)]
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_waiting_counts_from_the_last_failure() -> None:
    state = after(5, now=100.0)
    assert state.wait_seconds("ada", "::1", 103.0, CONFIG) == 1.0
    assert state.wait_seconds("ada", "::1", 104.0, CONFIG) == 0.0


def test_one_address_trying_many_names_waits_for_any_name() -> None:
    state = Backoff()
    for number in range(6):
        state = state.failed(f"user{number}", "::1", 0.0, CONFIG)
    assert state.wait_seconds("fresh", "::1", 0.0, CONFIG) == 1.0
    assert state.wait_seconds("fresh", "::2", 0.0, CONFIG) == 0.0


def test_many_addresses_trying_one_name_wait_too() -> None:
    state = Backoff()
    for number in range(9):
        state = state.failed("ada", f"::{number}", 0.0, CONFIG)
    assert state.wait_seconds("ada", "::fresh", 0.0, CONFIG) == 1.0
    assert state.wait_seconds("bob", "::fresh", 0.0, CONFIG) == 0.0


def test_success_forgives_the_name_from_there_but_not_the_address() -> None:
    state = after(8).succeeded("ada", "::1", CONFIG)
    assert state.wait_seconds("ada", "::1", 0.0, CONFIG) == 2.0
    state = after(5).succeeded("ada", "::1", CONFIG)
    assert state.wait_seconds("ada", "::1", 0.0, CONFIG) == 0.0


def test_logging_in_often_and_rightly_is_no_guessing() -> None:
    state = Backoff()
    for _ in range(100):
        state = state.failed("ada", "::1", 0.0, CONFIG).succeeded("ada", "::1", CONFIG)
    assert state == Backoff({})


def test_failures_are_forgotten() -> None:
    assert after(20).wait_seconds("ada", "::1", 601.0, CONFIG) == 0.0
    again = after(20).failed("ada", "::1", 601.0, CONFIG)
    assert again.wait_seconds("ada", "::1", 601.0, CONFIG) == 0.0


@given(st.lists(st.tuples(st.sampled_from("abcdefghij"), st.sampled_from("0123456789"))))
def test_memory_is_bounded_whoever_tries(attempts: list[tuple[str, str]]) -> None:
    state = Backoff()
    for now, (login, address) in enumerate(attempts):
        state = state.failed(login, address, float(now), CONFIG)
        assert len(state.failures) <= CONFIG.remembered_keys
        assert (login, address) in state.failures
