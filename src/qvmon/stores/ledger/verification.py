"""Find out whether the ledger still says what was written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from qvmon.model.errors import QvmonError
from qvmon.model.ledger import Projection
from qvmon.stores.ledger.chain import GENESIS, hash_of
from qvmon.stores.ledger.projections import Projections, rebuilt
from qvmon.stores.ledger.records import fact_of
from qvmon.stores.ledger.roots import decode_heads, signature_holds
from qvmon.stores.ledger.schema import chains, facts, roots


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written: where, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked and what was found.

    Attributes:
        facts: Facts read. ``chains``: chains walked. ``roots``: signatures checked.
        projections: Tables compared with a replay.
        findings: Empty when everything agrees.
    """

    facts: int
    chains: int
    roots: int
    projections: int
    findings: tuple[Finding, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify(
    engine: sa.Engine,
    projections: Iterable[Projection],
    *,
    trusted_keys: frozenset[bytes] = frozenset(),
) -> Verification:
    """Recompute every hash, check every root, and compare every table with a replay.

    Args:
        engine: The ledger's database; only read.
        projections: The tables to compare.
        trusted_keys: Public keys roots must be signed with; empty accepts the key in the root.
    """
    projections = tuple(projections)
    try:
        with engine.begin() as connection:
            return _verify(connection, projections, trusted_keys)
    except sa.exc.DatabaseError as error:
        return Verification(0, 0, 0, 0, (Finding("database", str(error.orig)),))


def _verify(
    connection: sa.Connection, projections: tuple[Projection, ...], trusted: frozenset[bytes]
) -> Verification:
    findings = list(_file_findings(connection))
    names = connection.scalars(sa.select(chains.c.chain).order_by(chains.c.chain)).all()
    count = 0
    for name in names:
        walked, found = _walk_chain(connection, name)
        count += walked
        findings += found
    checked, found = _check_roots(connection, trusted)
    findings += found
    if not findings:
        findings += _compare_projections(connection, projections)
    return Verification(count, len(names), checked, len(projections), tuple(findings))


def _file_findings(connection: sa.Connection) -> Iterator[Finding]:
    if connection.dialect.name == "sqlite":
        for line in connection.exec_driver_sql("PRAGMA integrity_check").scalars():
            if line != "ok":
                yield Finding("database file", line)


def _walk_chain(connection: sa.Connection, chain: str) -> tuple[int, list[Finding]]:
    findings: list[Finding] = []
    count, expected, previous = 0, 1, GENESIS
    rows = connection.execution_options(stream_results=True).execute(
        sa.select(facts).where(facts.c.chain == chain).order_by(facts.c.seq)
    )
    for row in rows.mappings():
        findings += _row_findings(row, expected, previous)
        count, expected, previous = count + 1, row["seq"] + 1, bytes(row["hash"])
    head = connection.execute(sa.select(chains).where(chains.c.chain == chain)).one()
    if (head.last_seq, bytes(head.last_hash)) != (expected - 1, previous):
        findings.append(
            Finding(
                f"chain {chain}",
                f"ends at {expected - 1}, its head says {head.last_seq}",
            )
        )
    return count, findings


def _row_findings(row: Any, expected: int, previous: bytes) -> Iterator[Finding]:
    where = f"fact {row['chain']}:{row['seq']} ({row['type']}, {row['subject']})"
    if row["seq"] != expected:
        yield Finding(where, f"number {expected} is missing before it")
    if bytes(row["prev_hash"]) != previous:
        yield Finding(where, "does not follow the fact before it")
    if hash_of(row) != bytes(row["hash"]):
        yield Finding(where, "its content does not fit its hash")
        return
    try:
        fact_of(row)
    except (QvmonError, msgspec.MsgspecError) as error:
        yield Finding(where, f"cannot be read: {error}")


def _check_roots(connection: sa.Connection, trusted: frozenset[bytes]) -> tuple[int, list[Finding]]:
    findings: list[Finding] = []
    rows = connection.execute(sa.select(roots).order_by(roots.c.recorded_at)).all()
    for row in rows:
        where = f"root {row.recorded_at}"
        if not signature_holds(row):
            findings.append(Finding(where, "its signature does not fit"))
            continue
        if trusted and bytes(row.public_key) not in trusted:
            findings.append(Finding(where, "is signed with an unknown key"))
    if rows and not findings:
        findings += _heads_findings(connection, rows[-1])
    return len(rows), findings


def _heads_findings(connection: sa.Connection, root: Any) -> Iterator[Finding]:
    for chain, (seq, digest) in decode_heads(root.heads).items():
        stored = connection.scalar(
            sa.select(facts.c.hash).where(facts.c.chain == chain, facts.c.seq == seq)
        )
        if stored is None or bytes(stored).hex() != digest:
            lost = "is gone" if stored is None else "has another hash"
            yield Finding(
                f"root {root.recorded_at}", f"fact {chain}:{seq}, which it signed, {lost}"
            )


def _compare_projections(
    connection: sa.Connection, declared: tuple[Projection, ...]
) -> Iterator[Finding]:
    tables = Projections(declared)
    present = set(sa.inspect(connection).get_table_names())
    for projection in declared:
        if projection.name not in present:
            continue  # never built: the next start builds it from the facts
        expected = rebuilt(connection, projection)
        stored = connection.execute(sa.select(tables.table(projection.name).table)).mappings()
        actual = {tuple(row[name] for name in projection.key): dict(row) for row in stored}
        for key in sorted(expected.keys() | actual.keys(), key=str):
            if expected.get(key) != actual.get(key):
                yield Finding(
                    f"projection {projection.name}, row {'/'.join(map(str, key))}",
                    "differs from what the facts give",
                )
