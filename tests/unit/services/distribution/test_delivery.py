"""The policy of retries and dead letters, and the circuit breaker."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.services.distribution.circuit import Circuit
from qvmon.services.distribution.config import DeliveryPolicy
from qvmon.services.distribution.delivery import (
    Action,
    Attempt,
    Outcome,
    Progress,
    Reason,
    backoff_seconds,
    decide,
)

SECOND = 1_000_000
POLICY = DeliveryPolicy(initial_backoff_seconds=1, max_backoff_seconds=60, max_age_seconds=3600)
TAKEN = Outcome("ok")
AWAY = Outcome("refused", ErrorKind.UNAVAILABLE)
NO = Outcome("bad", ErrorKind.INVALID)


def ended(outcome: Outcome, at_seconds: float = 0) -> Attempt:
    return Attempt(outcome, 0, int(at_seconds * SECOND))


def test_a_taken_message_is_accepted() -> None:
    decision = decide(Progress(0), ended(TAKEN), POLICY, 0.0)
    assert (decision.action, decision.reason) == (Action.SUCCEED, Reason.ACCEPTED)
    assert decision.progress.attempts == 1


@pytest.mark.parametrize("kind", [ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT, ErrorKind.EXHAUSTED])
def test_a_transient_failure_is_tried_again(kind: ErrorKind) -> None:
    decision = decide(Progress(0), ended(Outcome("x", kind), 10), POLICY, 1.0)
    assert (decision.action, decision.reason) == (Action.RETRY, Reason.SINK_AWAY)
    assert decision.progress.due_us == 11 * SECOND


@pytest.mark.parametrize(
    "kind", sorted(set(ErrorKind) - {ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT, ErrorKind.EXHAUSTED})
)
def test_any_other_failure_is_the_end(kind: ErrorKind) -> None:
    decision = decide(Progress(0), ended(Outcome("x", kind)), POLICY, 0.0)
    assert (decision.action, decision.reason) == (Action.DIE, Reason.REFUSED)


def test_a_message_whose_next_attempt_would_be_too_late_dies_now() -> None:
    decision = decide(Progress(0), ended(AWAY, 3599.9), POLICY, 1.0)
    assert (decision.action, decision.reason) == (Action.DIE, Reason.TOO_OLD)


def test_the_pause_doubles_up_to_the_longest_and_half_of_it_is_random() -> None:
    assert [backoff_seconds(n, POLICY, 1.0) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert [backoff_seconds(n, POLICY, 0.0) for n in range(1, 4)] == [0.5, 1, 2]


@given(st.integers(min_value=1, max_value=10**9), st.floats(0, 1, exclude_max=True))
def test_no_pause_is_ever_outside_its_bounds(attempts: int, draw: float) -> None:
    assert 0.5 <= backoff_seconds(attempts, POLICY, draw) <= 60


def test_a_sink_that_asks_for_patience_gets_it() -> None:
    busy = Outcome("429", ErrorKind.EXHAUSTED, retry_after_seconds=30)
    assert decide(Progress(0), ended(busy), POLICY, 1.0).progress.due_us == 30 * SECOND


def test_of_many_failures_only_those_at_powers_of_two_are_reported() -> None:
    progress, reported = Progress(0), []
    for _ in range(40):
        decision = decide(progress, ended(AWAY), POLICY, 0.0)
        progress = decision.progress
        if decision.is_reported:
            reported.append(progress.attempts)
    assert reported == [1, 2, 4, 8, 16, 32]


def test_once_a_message_may_have_arrived_it_stays_so() -> None:
    timeout = Outcome.of_error(QvmonError(ErrorKind.TIMEOUT, "t"))
    after = decide(Progress(0), ended(timeout), POLICY, 0.0).progress
    assert after.maybe_arrived
    assert decide(after, ended(AWAY), POLICY, 0.0).progress.maybe_arrived


def test_a_timeout_before_anything_was_sent_is_no_possible_arrival() -> None:
    error = QvmonError(ErrorKind.TIMEOUT, "connecting", maybe_arrived=False)
    assert not Outcome.of_error(error).maybe_arrived


CIRCUIT = DeliveryPolicy(circuit_failures=3, circuit_open_seconds=5, max_backoff_seconds=12)


def failing(circuit: Circuit, times: int, now: int = 0) -> Circuit:
    for _ in range(times):
        circuit = circuit.after(AWAY, now, CIRCUIT)
    return circuit


def test_failures_in_a_row_open_the_circuit() -> None:
    assert not failing(Circuit(), 2).is_open
    opened = failing(Circuit(), 3)
    assert opened.is_open
    assert not opened.admits(5 * SECOND - 1)
    assert opened.admits(5 * SECOND)


@pytest.mark.parametrize("answer", [TAKEN, NO])
def test_any_definite_answer_closes_the_circuit(answer: Outcome) -> None:
    assert failing(Circuit(), 2).after(answer, 0, CIRCUIT) == Circuit()
    probing = failing(Circuit(), 3).admitted()
    assert probing.after(answer, 9, CIRCUIT) == Circuit()


def test_an_open_circuit_lets_one_probe_through_at_a_time() -> None:
    probing = failing(Circuit(), 3).admitted()
    assert not probing.admits(100 * SECOND)


def test_each_failed_probe_doubles_the_wait_up_to_the_longest() -> None:
    circuit, waits = failing(Circuit(), 3), []
    for _ in range(4):
        waits.append(circuit.open_until_us / SECOND)
        circuit = circuit.admitted().after(AWAY, 0, CIRCUIT)
    assert waits == [5, 10, 12, 12]


def test_a_straggler_that_fails_after_the_circuit_opened_does_not_prolong_it() -> None:
    opened = failing(Circuit(), 3)
    assert opened.after(AWAY, 4 * SECOND, CIRCUIT).open_until_us == opened.open_until_us
