"""Facts that wait for one append share the next."""

from __future__ import annotations

import asyncio

import pytest

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import DeliveryRedriven, FactDraft
from qvmon.model.ledger import Consumed
from qvmon.services.distribution.journal import Journal
from qvmon.testing.clock import JumpingClock, settle
from qvmon.testing.ledger import MemoryLedger


class SlowLedger(MemoryLedger):
    """Appends only when let, and remembers each append."""

    def __init__(self) -> None:
        super().__init__(JumpingClock())
        self.appends: list[tuple[int, Consumed | None]] = []
        self.may_append = asyncio.Event()

    async def append(self, drafts, *, consumed=None):
        self.appends.append((len(drafts), consumed))
        await self.may_append.wait()
        return await super().append(drafts, consumed=consumed)


def draft(name: str) -> FactDraft:
    body = DeliveryRedriven(delivery_id=name, sink="s")
    return FactDraft(body, f"delivery/{name}", "person:ada", 1)


async def test_what_comes_during_an_append_shares_the_next_with_the_latest_cursor() -> None:
    ledger = SlowLedger()
    journal = Journal(ledger)
    cursors = [Consumed("c", {"memory": i}) for i in range(3)]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(journal.record([draft("a")], cursors[0]))
        await settle()
        for i, name in enumerate("bcd"):
            tasks.create_task(journal.record([draft(name)], cursors[i] if i else None))
        await settle()
        ledger.may_append.set()
    assert ledger.appends == [(1, cursors[0]), (3, cursors[2])]
    assert [fact.body.delivery_id for fact in ledger.facts] == list("abcd")


async def test_a_failed_append_is_everybodys_failure_and_the_next_one_is_new() -> None:
    ledger = SlowLedger()
    ledger.may_append.set()
    journal = Journal(ledger)
    ledger.away = QvmonError(ErrorKind.UNAVAILABLE, "away")
    outcomes = await asyncio.gather(
        *(journal.record([draft(name)]) for name in "ab"), return_exceptions=True
    )
    assert outcomes == [ledger.away, ledger.away]
    ledger.away = None
    await journal.record([draft("c")])
    assert [fact.body.delivery_id for fact in ledger.facts] == ["c"]


async def test_a_record_is_not_over_before_it_is_durable() -> None:
    ledger = SlowLedger()
    recording = asyncio.create_task(Journal(ledger).record([draft("a")]))
    await settle()
    assert not recording.done()
    ledger.may_append.set()
    await recording
    with pytest.raises(IndexError):
        ledger.facts[1]
