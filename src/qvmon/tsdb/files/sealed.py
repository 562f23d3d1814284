"""Small JSON files that notice when a byte of them was changed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

_SEAL = "crc32"


def sealed(fields: Mapping[str, Any]) -> bytes:
    """Return a file of ``fields`` and, as the last one, ``crc32``.

    That is the CRC-32 of the other fields as JSON without spaces, keys in alphabetical order.
    """
    return json.dumps({**fields, _SEAL: _checksum(fields)}, indent=1).encode()


def unsealed(content: bytes) -> dict[str, Any]:
    """Return the fields of a file; one that has no ``crc32`` is of an earlier version.

    Raises:
        ValueError: When it is no JSON object, or its checksum does not hold.
    """
    fields = json.loads(content)
    if not isinstance(fields, dict):
        raise ValueError("it is not a JSON object")  # noqa: TRY004 - of the content, not of a type
    seal = fields.pop(_SEAL, None)
    if seal is not None and seal != _checksum(fields):
        raise ValueError("its checksum does not hold")
    return fields


def _checksum(fields: Mapping[str, Any]) -> int:
    return zlib.crc32(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode())
