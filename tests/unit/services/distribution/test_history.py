"""States of subjects as of a fact, reading each fact once."""

from __future__ import annotations

import pytest

from qvmon.model.facts import (
    Fact,
    FactBody,
    FactDraft,
    IncidentAcknowledged,
    IncidentOpened,
    IncidentResolved,
)
from qvmon.services.distribution import AlertEvents, IncidentEvents
from qvmon.services.distribution.history import Histories
from qvmon.testing.clock import JumpingClock
from qvmon.testing.ledger import MemoryLedger


class CountingLedger(MemoryLedger):
    """Counts the facts it was asked for."""

    facts_read = 0

    async def read(self, **query):
        found = await super().read(**query)
        self.facts_read += len(found)
        return found


@pytest.fixture
def ledger() -> CountingLedger:
    return CountingLedger(JumpingClock())


async def lived(ledger: MemoryLedger, incident: str) -> list[Fact]:
    """Append an incident's life: opened, acknowledged, resolved."""
    bodies: list[FactBody] = [
        IncidentOpened(
            incident_id=incident,
            number=1,
            title="t",
            severity="info",
            service="",
            workflow="",
            alert_ids=("a",),
        ),
        IncidentAcknowledged(incident_id=incident),
        IncidentResolved(incident_id=incident, automatic=False),
    ]
    drafts = [FactDraft(body, f"incident/{incident}", "person:ada", 1) for body in bodies]
    return await ledger.append(drafts)


async def statuses(histories: Histories, facts: list[Fact]) -> list[str]:
    states = [await histories.state_at(fact) for fact in facts]
    return [state.status.value if state else "" for state in states]


async def test_a_state_is_that_right_after_the_fact_whatever_came_later(
    ledger: CountingLedger,
) -> None:
    facts = await lived(ledger, "i")
    histories = Histories(IncidentEvents("/q"), ledger)
    assert await statuses(histories, facts) == ["open", "acknowledged", "resolved"]
    assert ledger.facts_read == 3


async def test_a_fact_told_again_gets_the_same_state(ledger: CountingLedger) -> None:
    facts = await lived(ledger, "i")
    histories = Histories(IncidentEvents("/q"), ledger)
    await statuses(histories, facts)
    assert await statuses(histories, facts[1:2]) == ["acknowledged"]


async def test_later_facts_are_read_without_reading_the_earlier_again(
    ledger: CountingLedger,
) -> None:
    histories = Histories(IncidentEvents("/q"), ledger)
    await statuses(histories, await lived(ledger, "i"))
    ledger.facts_read = 0
    comment = FactDraft(IncidentAcknowledged(incident_id="i"), "incident/i", "person:ada", 2)
    [fact] = await ledger.append([comment])
    assert await statuses(histories, [fact]) == ["acknowledged"]
    assert ledger.facts_read == 1


async def test_subjects_do_not_mix(ledger: CountingLedger) -> None:
    first, second = await lived(ledger, "i"), await lived(ledger, "j")
    histories = Histories(IncidentEvents("/q"), ledger)
    mixed = [first[0], second[0], second[1], first[1]]
    assert await statuses(histories, mixed) == ["open", "open", "acknowledged", "acknowledged"]


async def test_a_rendering_without_history_reads_nothing(ledger: CountingLedger) -> None:
    facts = await lived(ledger, "i")
    assert await statuses(Histories(AlertEvents("/q"), ledger), facts) == ["", "", ""]
    assert ledger.facts_read == 0
