"""Facts read as sentences."""

from __future__ import annotations

import pytest

from qvmon.api.http import wording
from qvmon.api.http.wording import in_words
from qvmon.model import facts
from qvmon.model.facts import Fact, FactBody, body_types


def fact(body: FactBody, actor: str = "person:carol") -> Fact:
    return Fact("c", 1, body.TYPE, 1, "x/1", 0, 0, actor, (), "", body, b"", b"")


def test_every_type_that_is_declared_has_words_of_its_own() -> None:
    fallback = wording._words.dispatch(object)
    declared = [body for body in body_types().values() if body.__module__ == facts.__name__]
    assert [body.TYPE for body in declared if wording._words.dispatch(body) is fallback] == []


@pytest.mark.parametrize(
    ("body", "actor", "sentence"),
    [
        (
            facts.IncidentResolved(incident_id="i", automatic=True),
            "service:incidents",
            "resolved by itself: all its alerts resolved",
        ),
        (
            facts.IncidentAssigned(incident_id="i", assignee=""),
            "person:carol",
            "carol assigned it to nobody",
        ),
        (
            facts.IncidentCommented(incident_id="i", text="hello"),
            "token:ada/ci",
            "ada/ci: hello",
        ),
        (
            facts.SessionClosed(session_id="s", login="ada", reason="password_changed"),
            "person:ada",
            "a session of ada ended (password changed)",
        ),
        (
            facts.DeliveryFailed(
                delivery_id="d",
                sink="webhook:oncall",
                attempt=2,
                started_us=0,
                finished_us=0,
                detail="answered 503",
                retry_at_us=0,
            ),
            "service:distribution",
            "webhook:oncall refused delivery at attempt 2: answered 503",
        ),
    ],
)
def test_sentences(body: FactBody, actor: str, sentence: str) -> None:
    assert in_words(fact(body, actor)) == sentence
