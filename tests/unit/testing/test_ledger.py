import asyncio

import pytest

from qvmon.model.errors import QvmonError, not_found
from qvmon.model.facts import Fact, FactDraft, IncidentAssigned, IncidentCommented
from qvmon.model.ledger import Column, Descending, Key, Projection, Row
from qvmon.testing.clock import JumpingClock, settle
from qvmon.testing.ledger import MemoryLedger


def _count(row: Row | None, fact: Fact, key: Key) -> Row | None:
    body = fact.body
    assert isinstance(body, IncidentCommented)
    if body.text == "forget":
        return None
    texts = [*(row["texts"] if row else []), body.text]
    return {"incident_id": key[0], "texts": texts, "length": len(texts)}


COMMENTS = Projection(
    "comments",
    1,
    ("incident_id",),
    (Column("incident_id", "text"), Column("texts", "json"), Column("length", "integer")),
    frozenset({"incident.commented"}),
    lambda fact: [(fact.body.incident_id,)],  # type: ignore[attr-defined]
    _count,
)
TYPES = frozenset({"incident.commented"})


def _comment(text: str, incident: str = "one", causes: tuple[str | int, ...] = ()) -> FactDraft:
    body = IncidentCommented(incident_id=incident, text=text)
    return FactDraft(body, f"incident/{incident}", "person:ada", 5, causes)


@pytest.fixture
def ledger() -> MemoryLedger:
    return MemoryLedger(JumpingClock(), [COMMENTS])


async def test_facts_are_numbered_chained_and_their_causes_named(ledger: MemoryLedger) -> None:
    await ledger.append([_comment("a")])
    second, third = await ledger.append([_comment("b"), _comment("c", causes=(0, "memory:1"))])
    assert (second.seq, third.seq) == (2, 3)
    assert third.causes == ("memory:2", "memory:1")
    assert third.prev_hash == second.hash != third.hash


async def test_projections_fold_with_the_facts_and_rebuild_to_the_same(
    ledger: MemoryLedger,
) -> None:
    await ledger.append([_comment("a"), _comment("b"), _comment("x", "two")])
    await ledger.append([_comment("forget", "two")])
    rows = await ledger.rows("comments", order=Descending("length"))
    assert rows == [{"incident_id": "one", "texts": ["a", "b"], "length": 2}]
    ledger.rebuild()
    assert await ledger.rows("comments", {"incident_id": ["one", "two"]}) == rows


async def test_a_page_comes_again_until_it_is_consumed(ledger: MemoryLedger) -> None:
    await ledger.append([_comment("a")])
    first = await anext(ledger.follow("reader", TYPES))
    again = await anext(ledger.follow("reader", TYPES))
    assert [fact.id for fact in again.facts] == [fact.id for fact in first.facts]
    await ledger.append([_comment("b")], consumed=again.consumed)
    later = await anext(ledger.follow("reader", TYPES))
    assert [fact.seq for fact in later.facts] == [2]


async def test_a_follower_wakes_for_its_types_and_ends_when_closed(ledger: MemoryLedger) -> None:
    seen: list[int] = []

    async def read() -> None:
        async for page in ledger.follow("reader", TYPES):
            seen.extend(fact.seq for fact in page.facts)

    task = asyncio.create_task(read())
    await settle()
    assigned = FactDraft(IncidentAssigned(incident_id="one", assignee=""), "incident/one", "p", 0)
    await ledger.append([assigned])
    await ledger.append([_comment("a")])
    await settle()
    assert seen == [2]
    ledger.close()
    await task


async def test_a_ledger_that_is_away_refuses_everything(ledger: MemoryLedger) -> None:
    ledger.away = not_found("away")
    with pytest.raises(QvmonError):
        await ledger.append([_comment("a")])
    with pytest.raises(QvmonError):
        await ledger.rows("comments")


async def test_a_row_no_database_would_take_is_a_defect() -> None:
    broken = Projection(
        "comments",
        1,
        ("incident_id",),
        (Column("incident_id", "integer"),),
        TYPES,
        COMMENTS.keys,
        lambda row, fact, key: {"incident_id": key[0]},
    )
    ledger = MemoryLedger(JumpingClock(), [broken])
    with pytest.raises(TypeError, match="takes integer"):
        await ledger.append([_comment("a")])
    assert ledger.facts == []
