"""Where in a body a mistake stands, in words a person can act on."""

from __future__ import annotations

from qvmon.model.errors import QvmonError, invalid

_SNIPPET_BYTES = 100


def mistake_at(body: bytes, at: int, message: str, samples: int = 0) -> QvmonError:
    """Return an INVALID error with line, column (both from 1) and a snippet of the line.

    Args:
        body: The page.
        at: Where the mistake stands in it.
        message: What is wrong.
        samples: How many samples stand before it.
    """
    line = body.count(b"\n", 0, at) + 1
    line_start = body.rfind(b"\n", 0, at) + 1
    line_end = body.find(b"\n", at)
    line_end = len(body) if line_end < 0 else line_end
    column = at - line_start + 1
    shown_from = max(line_start, min(at - _SNIPPET_BYTES // 2, line_end - _SNIPPET_BYTES))
    shown = body[shown_from : min(line_end, shown_from + _SNIPPET_BYTES)]
    snippet = shown.decode("utf-8", "replace")
    return invalid(
        f"line {line}, column {column}: {message}: {snippet!r}",
        line=line,
        column=column,
        snippet=snippet,
        samples=samples,
    )
