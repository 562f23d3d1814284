"""What only the stored ledger promises: verification, leases, rebuilding, signed roots."""

from __future__ import annotations

import asyncio
import dataclasses
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Semaphore

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import FactDraft, IncidentCommented
from qvmon.model.ledger import Column, Projection
from qvmon.model.metrics import Registry
from qvmon.stores.ledger import (
    LedgerConfig,
    LedgerStore,
    Verification,
    ledger_url,
    open_engine,
    verify,
)
from qvmon.stores.ledger.writer import ChainWriter
from qvmon.testing.clock import JumpingClock

WORDS = Projection(
    name="words",
    version=1,
    key=("id",),
    columns=(Column("id", "text"), Column("count", "integer")),
    types=frozenset({"incident.commented"}),
    keys=lambda fact: [(fact.subject,)],
    fold=lambda row, fact, key: {"id": key[0], "count": (row["count"] if row else 0) + 1},
)


def store(
    directory: Path,
    *,
    chain: str = "one",
    holder: str = "me",
    projection: Projection = WORDS,
    clock: JumpingClock | None = None,
    url: str = "",
) -> LedgerStore:
    return LedgerStore(
        directory,
        LedgerConfig(url=SecretStr(url)),
        chain=chain,
        holder=holder,
        projections=[projection],
        clock=clock or JumpingClock(),
        registry=Registry(),
    )


def saying(text: str) -> FactDraft:
    body = IncidentCommented(incident_id="i", text=text)
    return FactDraft(body, "incident/i", "person:ada", 1)


async def written(directory: Path, *texts: str) -> None:
    ledger = store(directory)
    await ledger.start()
    for text in texts:
        await ledger.append([saying(text)])
    await ledger.stop()


def verification(directory: Path, projection: Projection = WORDS) -> Verification:
    engine = open_engine(ledger_url(LedgerConfig(), directory), read_only=True)
    try:
        return verify(engine, [projection])
    finally:
        engine.dispose()


@contextmanager
def tampering(directory: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(directory / "ledger.sqlite")) as connection:
        yield connection
        connection.commit()


async def test_an_untouched_ledger_agrees(tmp_path: Path) -> None:
    await written(tmp_path, "a", "b", "c")
    result = verification(tmp_path)
    assert result.agrees
    assert (result.facts, result.chains, result.roots, result.projections) == (3, 1, 1, 1)


async def test_one_flipped_byte_in_the_file_is_found_where_it_is(tmp_path: Path) -> None:
    await written(tmp_path, "first words", "second words", "third words")
    path = tmp_path / "ledger.sqlite"
    content = bytearray(path.read_bytes())
    at = content.index(b"second words")
    content[at] ^= 1
    path.write_bytes(content)
    result = verification(tmp_path)
    assert [finding.where.split(" (")[0] for finding in result.findings] == ["fact one:2"]
    assert "does not fit its hash" in result.findings[0].what


async def test_a_missing_fact_is_found(tmp_path: Path) -> None:
    await written(tmp_path, "a", "b", "c")
    with tampering(tmp_path) as connection:
        connection.execute("DELETE FROM facts WHERE seq = 2")
    found = [str(finding) for finding in verification(tmp_path).findings]
    assert any("one:3" in text and "2 is missing" in text for text in found)


async def test_a_tail_cut_off_with_its_head_is_found_by_the_signed_root(tmp_path: Path) -> None:
    await written(tmp_path, "a", "b", "c")
    with tampering(tmp_path) as connection:
        connection.execute("DELETE FROM facts WHERE seq = 3")
        digest = connection.execute("SELECT hash FROM facts WHERE seq = 2").fetchone()[0]
        connection.execute("UPDATE chains SET last_seq = 2, last_hash = ?", (digest,))
        connection.execute("UPDATE words SET count = 2")
    found = [str(finding) for finding in verification(tmp_path).findings]
    assert len(found) == 1
    assert "one:3" in found[0]
    assert "is gone" in found[0]


async def test_an_edited_root_is_found(tmp_path: Path) -> None:
    await written(tmp_path, "a")
    with tampering(tmp_path) as connection:
        connection.execute("UPDATE roots SET heads = '{}'")
    assert "signature" in str(verification(tmp_path).findings[0])


async def test_a_projection_that_says_something_else_is_found(tmp_path: Path) -> None:
    await written(tmp_path, "a", "b")
    with tampering(tmp_path) as connection:
        connection.execute("UPDATE words SET count = 9")
    assert "projection words, row incident/i" in str(verification(tmp_path).findings[0])


async def test_a_lost_or_changed_projection_is_rebuilt_from_the_facts(tmp_path: Path) -> None:
    await written(tmp_path, "a", "b")
    with tampering(tmp_path) as connection:
        connection.execute("DROP TABLE words")
    twice = dataclasses.replace(
        WORDS,
        version=2,
        fold=lambda row, fact, key: {"id": key[0], "count": (row["count"] if row else 0) + 2},
    )
    for projection, count in ((WORDS, 2), (twice, 4), (WORDS, 2)):
        ledger = store(tmp_path, projection=projection)
        await ledger.start()
        assert (await ledger.rows("words"))[0]["count"] == count
        await ledger.stop()


async def test_a_chain_has_one_writer_until_its_lease_ends(tmp_path: Path) -> None:
    clock = JumpingClock()
    first = store(tmp_path, clock=clock)
    await first.start()
    with pytest.raises(QvmonError) as refused:
        await store(tmp_path, holder="other", clock=clock).start()
    assert refused.value.kind is ErrorKind.CONFLICT
    clock.jump_wall(60)
    second = store(tmp_path, holder="other", clock=clock)
    await second.start()
    with pytest.raises(QvmonError, match="taken over"):
        await first.append([saying("too late")])
    await second.append([saying("mine now")])
    await second.stop()


async def test_the_lease_is_renewed_after_the_database_was_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever way a driver has to say that it lost its connection."""
    renew, tried = ChainWriter.renew, Semaphore(0)
    away = [sa.exc.InterfaceError("SELECT", {}, ConnectionError("the connection is closed"))]

    def renew_or_fail(writer: ChainWriter) -> None:
        try:
            if away:
                raise away.pop()
            renew(writer)
        finally:
            tried.release()

    monkeypatch.setattr(ChainWriter, "renew", renew_or_fail)
    clock = JumpingClock()
    ledger = store(tmp_path, clock=clock)
    await ledger.start()
    for _ in range(4):  # 20 s: longer than the lease of 15 s
        await clock.advance(5)
        assert await asyncio.to_thread(tried.acquire, timeout=10)
        while clock.sleeping < 2:  # noqa: ASYNC110 - renewal and roots, back from their threads
            await asyncio.sleep(0)
    with pytest.raises(QvmonError, match="is being written by me"):
        await store(tmp_path, holder="other", clock=clock).start()
    await ledger.stop()


async def test_what_is_no_database_is_called_corrupt(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"not what was written" * 1000)
    with pytest.raises(QvmonError, match="not a database") as refused:
        await store(tmp_path).start()
    assert refused.value.kind is ErrorKind.CORRUPT


async def test_the_same_instance_takes_its_chain_back_at_once(tmp_path: Path) -> None:
    clock = JumpingClock()
    first = store(tmp_path, clock=clock)
    await first.start()
    again = store(tmp_path, clock=clock)
    await again.start()
    await again.append([saying("back")])
    await again.stop()


@pytest.mark.server("postgres")
async def test_facts_of_one_process_wake_the_other_and_interleave(
    tmp_path: Path, postgres_url: str
) -> None:
    one = store(tmp_path / "1", chain="one", url=postgres_url)
    two = store(tmp_path / "2", chain="two", holder="you", url=postgres_url)
    await one.start()
    await two.start()
    pages = two.follow("reader", WORDS.types)
    (sent,) = await one.append([saying("from one")])
    page = await anext(pages)
    assert [fact.id for fact in page.facts] == [sent.id]
    (answer,) = await two.append([saying("from two")], consumed=page.consumed)
    assert answer.recorded_at > sent.recorded_at
    assert [fact.id for fact in await one.read()] == ["one:1", "two:1"]
    assert (await one.rows("words"))[0]["count"] == 2
    await one.stop()
    await two.stop()
    engine = open_engine(postgres_url, read_only=True)
    assert verify(engine, [WORDS]).agrees
    engine.dispose()


async def test_an_append_nobody_waits_for_any_more_does_not_stop_the_writer(
    tmp_path: Path,
) -> None:
    ledger = store(tmp_path)
    await ledger.start()
    for _ in range(20):
        waiting = asyncio.ensure_future(ledger.append([saying("cancelled")]))
        await asyncio.sleep(0)
        waiting.cancel()
    (after,) = await asyncio.wait_for(ledger.append([saying("still here")]), 10)
    assert after.seq >= 1
    await ledger.stop()
    assert verification(tmp_path).agrees


async def test_a_table_of_another_shape_is_rebuilt(tmp_path: Path) -> None:
    await written(tmp_path, "a", "b")
    with tampering(tmp_path) as connection:
        connection.execute("ALTER TABLE words ADD COLUMN forgotten TEXT")
    ledger = store(tmp_path)
    await ledger.start()
    assert await ledger.rows("words") == [{"id": "incident/i", "count": 2}]
    await ledger.stop()
