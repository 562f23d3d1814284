"""The hash chain: what is hashed, in which form."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

GENESIS = bytes(32)
"""The ``prev_hash`` of a chain's first fact."""

HASHED = (
    "chain",
    "seq",
    "type",
    "schema_version",
    "subject",
    "occurred_at",
    "recorded_at",
    "actor",
    "causes",
    "traceparent",
    "body",
)
"""The columns a hash covers, in order; ``prev_hash`` comes first."""


def hash_of(row: Mapping[str, Any]) -> bytes:
    """Return SHA-256 over ``prev_hash`` and the JSON array of the ``HASHED`` columns."""
    values = msgspec.json.encode([row[name] for name in HASHED])
    return hashlib.sha256(bytes(row["prev_hash"]) + values).digest()
