"""Secrets by reference: the only place that opens them."""

from __future__ import annotations

import os
from pathlib import Path

from qvmon.model.errors import invalid


def resolve(reference: str, what: str) -> str:
    """Return the secret a reference stands for.

    Args:
        reference: ``env:NAME`` or ``file:PATH``; empty stands for no secret.
        what: The setting it belongs to, for messages; the secret itself is never in one.

    Raises:
        QvmonError: INVALID, for another form, an unset variable or an unreadable file.
    """
    if not reference:
        return ""
    kind, _, name = reference.partition(":")
    if kind == "env":
        value = os.environ.get(name)
        if value is None:
            raise invalid(f"{what}: environment variable {name} is not set")
        return value
    if kind == "file":
        try:
            return Path(name).expanduser().read_text().strip()
        except OSError as error:
            raise invalid(f"{what}: cannot read {name}: {error.strerror}") from None
    raise invalid(f"{what}: a secret is given as env:NAME or file:PATH, not in the open")
