"""Signed roots: once a minute the heads of all chains are signed with this installation's key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.stores.ledger.schema import chains, roots

Heads = dict[str, tuple[int, str]]
"""Chain to (number, hash in hex) of its last fact."""


class RootSigner:
    """Signs roots with an Ed25519 key (RFC 8032) kept in a file only its owner can read.

    Args:
        path: The key file (PKCS 8, PEM); made on first use.

    Raises:
        QvmonError: CORRUPT, when the file is not such a key.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            _write_new_key(path)
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except ValueError as error:
            raise QvmonError(ErrorKind.CORRUPT, f"{path} is not a private key: {error}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise QvmonError(ErrorKind.CORRUPT, f"{path} is not an Ed25519 key")
        self._key = key

    @property
    def public_key(self) -> bytes:
        """The 32 bytes by which the signatures can be checked."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def record(self, connection: sa.Connection, now_us: int) -> bool:
        """Record a root when any chain has grown since the last; return whether it did."""
        heads = encode_heads(current_heads(connection))
        last = connection.execute(
            sa.select(roots).order_by(roots.c.recorded_at.desc()).limit(1)
        ).first()
        if last is not None and last.heads == heads:
            return False
        at = now_us if last is None else max(now_us, last.recorded_at + 1)
        connection.execute(
            sa.insert(roots).values(
                recorded_at=at,
                heads=heads,
                public_key=self.public_key,
                signature=self._key.sign(signed_bytes(at, heads)),
            )
        )
        return True


def _write_new_key(path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def current_heads(connection: sa.Connection) -> Heads:
    """Return the head of every chain that has facts."""
    rows = connection.execute(sa.select(chains).where(chains.c.last_seq > 0)).all()
    return {row.chain: (row.last_seq, bytes(row.last_hash).hex()) for row in rows}


def encode_heads(heads: Heads) -> str:
    """Return the canonical JSON of ``heads``."""
    return msgspec.json.encode(heads, order="deterministic").decode()


def decode_heads(text: str) -> Heads:
    """Return the heads a root holds."""
    heads: Heads = msgspec.json.decode(text, type=Heads)
    return heads


def signed_bytes(recorded_at: int, heads: str) -> bytes:
    """Return what a root's signature covers."""
    return f"qvmon-root:{recorded_at}:{heads}".encode()


def signature_holds(row: Any) -> bool:
    """Return whether a root's signature fits its own public key."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes(row.public_key)).verify(
            bytes(row.signature), signed_bytes(row.recorded_at, row.heads)
        )
    except (InvalidSignature, ValueError):
        return False
    return True
