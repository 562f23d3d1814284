"""Facts as database rows, and rows as facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from qvmon.model.facts import Fact, FactDraft, decode_body, encode_body
from qvmon.stores.ledger.chain import hash_of


@dataclass(frozen=True, slots=True)
class ChainHead:
    """Where a chain stands: number, hash and time of its last fact."""

    chain: str
    seq: int
    hash: bytes
    recorded_at: int


def number_drafts(
    drafts: tuple[FactDraft, ...], head: ChainHead, now_us: int
) -> tuple[list[dict[str, Any]], ChainHead]:
    """Return ``drafts`` as chained rows that follow ``head``, and the new head.

    ``recorded_at`` is now, or one microsecond after the fact before where the clock has not moved.
    """
    rows: list[dict[str, Any]] = []
    for position, draft in enumerate(drafts):
        row: dict[str, Any] = {
            "chain": head.chain,
            "seq": head.seq + 1,
            "type": draft.body.TYPE,
            "schema_version": draft.body.VERSION,
            "subject": draft.subject,
            "occurred_at": draft.occurred_at,
            "recorded_at": max(now_us, head.recorded_at + 1),
            "actor": draft.actor,
            "causes": _causes(draft, head.chain, head.seq + 1 - position),
            "traceparent": draft.traceparent,
            "body": encode_body(draft.body).decode(),
            "prev_hash": head.hash,
        }
        row["hash"] = hash_of(row)
        rows.append(row)
        head = ChainHead(head.chain, row["seq"], row["hash"], row["recorded_at"])
    return rows, head


def _causes(draft: FactDraft, chain: str, first_seq: int) -> str:
    """Return the causes as JSON, positions in the batch replaced by ids."""
    ids = [c if isinstance(c, str) else f"{chain}:{first_seq + c}" for c in draft.causes]
    return msgspec.json.encode(ids).decode()


def fact_of(row: Mapping[str, Any]) -> Fact:
    """Return the fact a row holds.

    Raises:
        QvmonError: CORRUPT, when its body or causes are not what was written.
    """
    return Fact(
        chain=row["chain"],
        seq=row["seq"],
        type=row["type"],
        schema_version=row["schema_version"],
        subject=row["subject"],
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        actor=row["actor"],
        causes=msgspec.json.decode(row["causes"], type=tuple[str, ...]),
        traceparent=row["traceparent"],
        body=decode_body(row["type"], row["body"]),
        prev_hash=bytes(row["prev_hash"]),
        hash=bytes(row["hash"]),
    )
