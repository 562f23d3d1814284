"""What was deleted and may still stand in files, as ``docs/formats/tombstones.md`` writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.labels import Matcher, MatchOp
from qvmon.tsdb.files.durable import put_away, replace_file
from qvmon.tsdb.files.sealed import sealed, unsealed

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Samples that count as gone where they were stored before the deletion, and only there.

    Attributes:
        matchers: The series: those that satisfy every one.
        start_ms: The oldest sample concerned.
        end_ms: The newest.
        before_segment: Samples in segments of the log before this one are concerned.
        through_block: Samples in blocks up to this number are concerned.
    """

    matchers: tuple[Matcher, ...]
    start_ms: int
    end_ms: int
    before_segment: int
    through_block: int

    def to_fields(self) -> dict[str, Any]:
        """Return it as the file has it."""
        return {
            "matchers": [[each.name, each.op.value, each.value] for each in self.matchers],
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "before_segment": self.before_segment,
            "through_block": self.through_block,
        }

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> Tombstone:
        """Return what ``to_fields`` gave."""
        matchers = tuple(Matcher(name, MatchOp(op), text) for name, op, text in fields["matchers"])
        numbers = ("start_ms", "end_ms", "before_segment", "through_block")
        return cls(matchers, *(int(fields[name]) for name in numbers))


class TombstoneBook:
    """The tombstones of one database; a change is durable before it counts.

    Args:
        path: Their file.
        entries: What it holds.
    """

    def __init__(self, path: Path, entries: Sequence[Tombstone] = ()) -> None:
        self._path = path
        self.entries = tuple(entries)

    @property
    def first_segment(self) -> int:
        """No new segment of the log may have a smaller number."""
        return max((each.before_segment for each in self.entries), default=0)

    @property
    def last_block(self) -> int:
        """Every new block must have a larger number."""
        return max((each.through_block for each in self.entries), default=0)

    def add(self, entries: Sequence[Tombstone]) -> None:
        """Enter tombstones.

        Raises:
            QvmonError: UNAVAILABLE, when the file system refuses; nothing was entered.
        """
        self._write((*self.entries, *entries))

    def forget(self, is_spent: Callable[[Tombstone], bool]) -> None:
        """Strike out tombstones nothing of which stands in any file any more."""
        kept = tuple(each for each in self.entries if not is_spent(each))
        if len(kept) < len(self.entries):
            self._write(kept)

    def _write(self, entries: tuple[Tombstone, ...]) -> None:
        try:
            replace_file(self._path, content(entries))
        except OSError as error:
            message = f"cannot write {self._path}: {error}"
            raise QvmonError(ErrorKind.UNAVAILABLE, message) from error
        self.entries = entries


def content(entries: Sequence[Tombstone]) -> bytes:
    """Return the file that holds ``entries``."""
    listed = [each.to_fields() for each in entries]
    return sealed({"version": _VERSION, "tombstones": listed})


def open_tombstones(path: Path, quarantine: Path, warnings: list[str]) -> TombstoneBook:
    """Return the tombstones in ``path``; a file that cannot be read is set aside with a warning."""
    try:
        return TombstoneBook(path, parsed(path.read_bytes()))
    except FileNotFoundError:
        return TombstoneBook(path)
    except (OSError, ValueError, KeyError, TypeError, QvmonError) as error:
        warnings.append(
            f"{path} cannot be read ({error}); {put_away(path, quarantine)}. "
            "Samples deleted before are visible again where they still stand in files"
        )
        return TombstoneBook(path)


def parsed(content: bytes) -> list[Tombstone]:
    """Return the tombstones of a file.

    Raises:
        ValueError: And others, when it is not what ``content`` returns.
    """
    fields = unsealed(content)
    if fields["version"] != _VERSION:
        raise ValueError(f"version {fields['version']}, known is {_VERSION}")
    return [Tombstone.from_fields(each) for each in fields["tombstones"]]
