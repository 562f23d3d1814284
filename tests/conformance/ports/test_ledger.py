"""The contract of ``model.ledger.Ledger``, kept by every ledger there is."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import Fact, FactDraft, IncidentCommented, IncidentOpened
from qvmon.model.ledger import Column, Descending, Key, Ledger, Projection, Row
from qvmon.model.metrics import Registry
from qvmon.stores.ledger import LedgerConfig, LedgerStore
from qvmon.testing.clock import JumpingClock
from qvmon.testing.ledger import MemoryLedger

OPENED = frozenset({"incident.opened"})
BOTH = frozenset({"incident.opened", "incident.commented"})


def _fold(row: Row | None, fact: Fact, key: Key) -> Row | None:
    if isinstance(fact.body, IncidentCommented) and fact.body.text == "forget":
        return None
    before: dict[str, Any] = dict(row) if row else {"id": key[0], "words": [], "open": True}
    text = fact.body.text if isinstance(fact.body, IncidentCommented) else "opened"
    return {**before, "last": fact.recorded_at, "words": (*before["words"], text)}


TALKS = Projection(
    name="talks",
    version=1,
    key=("id",),
    columns=(
        Column("id", "text"),
        Column("last", "integer", indexed=True),
        Column("words", "json"),
        Column("open", "boolean"),
        Column("never", "real"),
    ),
    types=BOTH,
    keys=lambda fact: [(fact.body.incident_id,)],  # type: ignore[attr-defined]
    fold=_fold,
)

Opener = Callable[..., AbstractAsyncContextManager[Ledger]]


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, clock: JumpingClock) -> Opener:
    """Open (and open again) one ledger."""
    if request.param == "memory":
        kept = MemoryLedger(clock, [TALKS])

        @asynccontextmanager
        async def memory(chain: str = "one") -> AsyncIterator[Ledger]:
            yield kept

        return memory
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""

    @asynccontextmanager
    async def stored(chain: str = "one", holder: str = "me") -> AsyncIterator[Ledger]:
        ledger = LedgerStore(
            tmp_path,
            LedgerConfig(url=SecretStr(url), poll_interval_seconds=0.2),
            chain=chain,
            holder=holder,
            projections=[TALKS],
            clock=clock,
            registry=Registry(),
        )
        await ledger.start()
        try:
            yield ledger
        finally:
            await ledger.stop()

    return stored


def opening(incident: str, *causes: str | int) -> FactDraft:
    body = IncidentOpened(
        incident_id=incident,
        number=1,
        title="t",
        severity="critical",
        service="s",
        workflow="",
        alert_ids=("a",),
    )
    return FactDraft(body, f"incident/{incident}", "service:test", 5, causes)


def saying(incident: str, text: str, *causes: str | int) -> FactDraft:
    body = IncidentCommented(incident_id=incident, text=text)
    return FactDraft(body, f"incident/{incident}", "person:ada", 6, causes)


async def test_facts_are_numbered_chained_and_cause_each_other_by_position(opened: Opener) -> None:
    async with opened() as ledger:
        first = await ledger.append([opening("i"), saying("i", "é", 0)])
        second = await ledger.append([saying("i", "a"), saying("i", "b", first[1].id, 0)])
        assert [fact.seq for fact in (*first, *second)] == [1, 2, 3, 4]
        assert first[1].causes == (first[0].id,)
        assert second[1].causes == (first[1].id, second[0].id)
        assert second[0].prev_hash == first[1].hash
        assert len({fact.hash for fact in (*first, *second)}) == 4
        read = await ledger.read()
        assert read == [*first, *second]
        assert read[1].body == IncidentCommented(incident_id="i", text="é")


async def test_projections_are_folded_with_the_append(opened: Opener) -> None:
    async with opened() as ledger:
        await ledger.append([opening("i"), saying("i", "hello"), opening("j")])
        await ledger.append([saying("j", "forget")])
        rows = await ledger.rows("talks")
        assert [(row["id"], row["words"], row["open"], row["never"]) for row in rows] == [
            ("i", ["opened", "hello"], True, None)
        ]


async def test_rows_are_filtered_ordered_and_limited(opened: Opener, clock: JumpingClock) -> None:
    async with opened() as ledger:
        for name in "abc":
            await ledger.append([opening(name)])
            clock.jump_wall(1)
        newest = await ledger.rows("talks", order=Descending("last"), limit=2)
        assert [row["id"] for row in newest] == ["c", "b"]
        some = await ledger.rows("talks", {"id": ["a", "c"], "open": True})
        assert {row["id"] for row in some} == {"a", "c"}
        with pytest.raises(QvmonError) as refused:
            await ledger.rows("nonsense")
        assert refused.value.kind is ErrorKind.NOT_FOUND


async def test_reading_by_subject_type_and_newest_first(opened: Opener) -> None:
    async with opened() as ledger:
        await ledger.append([opening("i"), saying("i", "x"), opening("j")])
        assert [f.seq for f in await ledger.read(subject="incident/i")] == [1, 2]
        some = await ledger.read(subject=["incident/j", "incident/none"])
        assert [f.seq for f in some] == [3]
        assert await ledger.read(subject=[]) == []
        assert [f.seq for f in await ledger.read(types=OPENED, newest_first=True)] == [3, 1]
        assert [f.seq for f in await ledger.read(newest_first=True, limit=1)] == [3]


async def test_a_page_is_repeated_until_its_cursor_is_appended(opened: Opener) -> None:
    async with opened() as ledger:
        await ledger.append([opening("i"), saying("i", "x"), opening("j")])
        for _ in range(2):
            async for page in ledger.follow("reader", OPENED):
                assert [fact.seq for fact in page.facts] == [1, 3]
                break
        await ledger.append([saying("j", "handled")], consumed=page.consumed)
        await ledger.append([opening("k")])
    async with opened() as ledger:
        async for page in ledger.follow("reader", OPENED):
            assert [fact.seq for fact in page.facts] == [5]
            break


async def test_two_consumers_have_a_cursor_each(opened: Opener) -> None:
    async with opened() as ledger:
        await ledger.append([opening("i")])
        async for page in ledger.follow("one", OPENED):
            await ledger.append([], consumed=page.consumed)
            break
        async for page in ledger.follow("two", OPENED):
            assert [fact.seq for fact in page.facts] == [1]
            break


async def test_an_append_wakes_a_waiting_consumer(opened: Opener) -> None:
    async with opened() as ledger:
        pages = ledger.follow("reader", OPENED)
        waiting = asyncio.ensure_future(anext(pages))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        await ledger.append([saying("i", "not wanted")])
        await ledger.append([opening("i")])
        page = await asyncio.wait_for(waiting, 10)
        assert [fact.type for fact in page.facts] == ["incident.opened"]


async def test_time_never_goes_back_within_a_chain(opened: Opener, clock: JumpingClock) -> None:
    async with opened() as ledger:
        (before,) = await ledger.append([opening("i")])
        clock.jump_wall(-3600)
        (after,) = await ledger.append([opening("j")])
        assert after.recorded_at >= before.recorded_at


async def test_facts_survive_reopening(opened: Opener) -> None:
    async with opened() as ledger:
        appended = await ledger.append([opening("i"), saying("i", "x")])
    async with opened() as ledger:
        assert await ledger.read() == appended
        (more,) = await ledger.append([saying("i", "y")])
        assert (more.seq, more.prev_hash) == (3, appended[-1].hash)


async def test_concurrent_appends_lose_nothing(opened: Opener) -> None:
    async with opened() as ledger:
        await asyncio.gather(*(ledger.append([opening(f"i{n}")]) for n in range(50)))
        read = await ledger.read()
        assert [fact.seq for fact in read] == list(range(1, 51))
        assert {fact.subject for fact in read} == {f"incident/i{n}" for n in range(50)}


async def test_a_draft_that_cannot_be_folded_stores_nothing(opened: Opener) -> None:
    async with opened() as ledger:
        await ledger.append([opening("i")])
        broken = dataclasses.replace(saying("i", "x"), body=saying("i", "x").body)
        misplaced = IncidentCommented(incident_id=7, text="a key of the wrong type")  # type: ignore[arg-type]
        with pytest.raises((QvmonError, TypeError)):
            await ledger.append([broken, dataclasses.replace(broken, body=misplaced)])
        assert [fact.seq for fact in await ledger.read()] == [1]
        (after,) = await ledger.append([saying("i", "still works")])
        assert after.seq == 2
