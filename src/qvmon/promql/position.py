"""Where in a query something stands, and errors that say so as Prometheus does."""

from __future__ import annotations

from dataclasses import dataclass

from qvmon.model.errors import ErrorKind, QvmonError


@dataclass(frozen=True, slots=True)
class Span:
    """Characters ``start`` to ``end`` (exclusive) of a query."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """Return the span from the start of this one to the end of ``other``."""
        return Span(self.start, other.end)


NOWHERE = Span(0, 0)
"""The span of a node that no text stands for."""


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Return line and column of a character, from 1; columns count UTF-8 bytes as Prometheus'."""
    line_start = text.rfind("\n", 0, at) + 1
    return text.count("\n", 0, at) + 1, len(text[line_start:at].encode()) + 1


def parse_error(text: str, span: Span, message: str) -> QvmonError:
    """Return the error for a query that cannot be used, such as ``1:5: parse error: ...``."""
    line, column = line_and_column(text, span.start)
    place = f"{line}:{column}" if text else "unknown position"
    return QvmonError(
        ErrorKind.INVALID,
        f"{place}: parse error: {message}",
        query=text,
        line=line,
        column=column,
    )
