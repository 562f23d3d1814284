"""What a block says of itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.tsdb.files.sealed import sealed, unsealed

BLOCK_VERSION = 2
_READABLE = (1, 2)


@dataclass(frozen=True, slots=True)
class BlockMeta:
    """What ``meta.json`` says.

    Attributes:
        version: Of the format.
        number: The block's number; a later block has a larger one.
        rank: Of two blocks that have a sample of one series at one time, the lower rank is right:
            the number of the first of all blocks it was merged from.
        sources: Numbers of the blocks it replaces.
        start_ms: No sample is older.
        end_ms: No sample is newer.
        series: How many series have samples.
        samples: How many samples there are.
    """

    version: int
    number: int
    rank: int
    sources: tuple[int, ...]
    start_ms: int
    end_ms: int
    series: int
    samples: int

    def to_json(self) -> bytes:
        """Return the file's content."""
        return sealed(asdict(self))

    @classmethod
    def from_json(cls, content: bytes) -> BlockMeta:
        """Return what a file says.

        Raises:
            QvmonError: CORRUPT, or UNSUPPORTED for a later version.
        """
        try:
            fields: dict[str, Any] = unsealed(content)
            version = fields["version"]
            if version not in _READABLE:
                message = f"block has version {version}, known are up to {BLOCK_VERSION}"
                raise QvmonError(ErrorKind.UNSUPPORTED, message)
            return cls(**{**fields, "sources": tuple(fields["sources"])})
        except (ValueError, KeyError, TypeError) as error:
            raise QvmonError(ErrorKind.CORRUPT, f"meta.json cannot be read: {error}") from error
