"""The state machine against Prometheus' rules written down once more, plainly."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from qvmon.model.labels import Labels
from qvmon.services.alerting.state import (
    NO_ELEMENTS,
    Block,
    Change,
    Elements,
    Outcome,
    Seen,
    Timing,
    step,
)

STEP = 10_000


def _block(rows: list[list[int]], first: int = 0) -> Block:
    """A block of ticks x elements; the value of a sample is its tick's number."""
    seen = np.array(rows, np.uint8).reshape(len(rows), -1)
    times = np.arange(first, first + len(rows), dtype=np.int64) * STEP
    values = np.where(seen == Seen.PRESENT, (times // STEP)[:, None], np.nan)
    return Block(times, tuple(Labels(e=f"{i}") for i in range(seen.shape[1])), seen, values)


def _changes(outcome: Outcome, first: int = 0) -> list[tuple[int, str, str, int, float]]:
    return [
        (first + t.tick, outcome.labels[t.row]["e"], t.change.value, t.active_at_ms, t.value)
        for t in outcome.transitions
    ]


class Oracle:
    """One element at a time, with the words of Prometheus' alerting.go."""

    def __init__(self, timing: Timing) -> None:
        self.timing = timing
        self.active: dict[str, dict[str, float | str | None]] = {}
        self.changes: list[tuple[int, str, str, int, float]] = []

    def tick(self, number: int, seen: list[int]) -> None:
        now = number * STEP
        for element, sight in enumerate(seen):
            self._element(number, now, str(element), sight)

    def _element(self, number: int, now: int, name: str, sight: int) -> None:
        alert = self.active.get(name)
        if sight == 1:
            if alert is None:
                alert = self.active[name] = {"state": "new", "since": now}
            alert.update(value=float(number), keep=None, dark=None)
            long_enough = now - int(alert["since"]) >= self.timing.for_ms
            if alert["state"] in ("new", "pending") and long_enough:
                self._change(number, name, alert, "firing")
            elif alert["state"] == "new":
                self._change(number, name, alert, "pending")
            return
        if alert is None:
            return
        if sight == 2:
            alert["dark"] = now if alert["dark"] is None else alert["dark"]
            if now - int(alert["dark"]) < self.timing.unknown_hold_ms:
                return
        if alert["state"] == "firing" and self.timing.keep_firing_for_ms > 0:
            alert["keep"] = now if alert["keep"] is None else alert["keep"]
            if now - int(alert["keep"]) < self.timing.keep_firing_for_ms:
                return
        self._change(number, name, alert, "resolved" if alert["state"] == "firing" else "cleared")
        del self.active[name]

    def _change(self, number: int, name: str, alert: dict, change: str) -> None:
        alert["state"] = change
        self.changes.append((number, name, change, int(alert["since"]), float(alert["value"])))


timings = st.builds(
    Timing,
    for_ms=st.sampled_from([0, STEP, 2 * STEP, 25_000]),
    keep_firing_for_ms=st.sampled_from([0, STEP, 3 * STEP]),
    unknown_hold_ms=st.sampled_from([0, 2 * STEP]),
)
histories = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 2), min_size=n, max_size=n), max_size=20)
)


@given(timings, histories)
@settings(max_examples=200, deadline=None)
def test_it_agrees_with_the_oracle(timing: Timing, history: list[list[int]]) -> None:
    oracle = Oracle(timing)
    for number, seen in enumerate(history):
        oracle.tick(number, seen)
    if history:
        outcome = step(timing, NO_ELEMENTS, _block(history))
        assert _changes(outcome) == oracle.changes
        assert {e["e"] for e in outcome.elements.labels} == set(oracle.active)


@given(timings, histories, st.integers(0, 20))
@settings(max_examples=200, deadline=None)
def test_blocks_of_any_size_decide_the_same(
    timing: Timing, history: list[list[int]], cut: int
) -> None:
    """One tick at a time when live, thousands in replay."""
    whole = step(timing, NO_ELEMENTS, _block(history)) if history else None
    elements, changes = NO_ELEMENTS, []
    for first, part in ((0, history[:cut]), (cut, history[cut:])):
        if part:
            outcome = step(timing, elements, _block(part, first))
            elements = outcome.elements
            changes += _changes(outcome, first)
    assert changes == (_changes(whole) if whole else [])


@given(timings, histories, st.integers(1, 19))
@settings(max_examples=200, deadline=None)
def test_a_restart_from_what_facts_remember_decides_the_same(
    timing: Timing, history: list[list[int]], cut: int
) -> None:
    """Phase and beginning are in the facts; only clocks of a vanished condition begin anew."""
    timing = Timing(timing.for_ms)
    history = [[min(sight, 1) for sight in seen] for seen in history]
    if not history[:cut] or not history[cut:]:
        return
    whole = step(timing, NO_ELEMENTS, _block(history))
    before = step(timing, NO_ELEMENTS, _block(history[:cut]))
    kept = before.elements
    restored = Elements.restored(
        kept.labels, kept.phase.tolist(), kept.active_at.tolist(), kept.values.tolist()
    )
    after = step(timing, restored, _block(history[cut:], cut))
    changes = _changes(before) + _changes(after, cut)
    assert changes == _changes(whole)


def test_a_limit_refuses_the_tick_and_keeps_what_was() -> None:
    timing = Timing(limit=1)
    outcome = step(timing, NO_ELEMENTS, _block([[1, 0], [1, 1], [0, 1], [0, 0]]))
    assert outcome.refused.tolist() == [False, True, False, False]
    assert [(c[0], c[1], c[2]) for c in _changes(outcome)] == [
        (0, "0", "firing"),
        (2, "0", "resolved"),
        (2, "1", "firing"),
        (3, "1", "resolved"),
    ]


def test_phases_and_beginnings_are_told_for_every_tick() -> None:
    outcome = step(Timing(for_ms=STEP), NO_ELEMENTS, _block([[1], [1], [0], [1]]))
    assert outcome.phases[:, 0].tolist() == [1, 2, 0, 1]
    assert outcome.active_at[[0, 1, 3], 0].tolist() == [0, 0, 3 * STEP]
    assert [c.change for c in outcome.transitions] == [
        Change.PENDING,
        Change.FIRING,
        Change.RESOLVED,
        Change.PENDING,
    ]
