"""Cases of Prometheus' scripts that qvmon answers otherwise, each with the reason.

The list is strict: a case that starts to pass must be taken out.
"""

from __future__ import annotations

_START_TIMES = "samples carry no start timestamp, which only shows here (a feature flag upstream)"

_NOT_UTF8 = "a byte that is no UTF-8 reads as U+FFFD, which is a valid name"


def _lines(text: str, reason: str) -> dict[int, str]:
    return dict.fromkeys(map(int, text.split()), reason)


KNOWN: dict[str, dict[int, str]] = {
    "functions.test": _lines("523", _NOT_UTF8),
    "start_timestamps.test": _lines(
        """
        8 13 18 24 29 34 47 71 79 87 149 174 194 259 282 299 326 418 422 507 515 520
        536 541
        """,
        _START_TIMES,
    ),
}
"""File to line of the ``eval`` to reason."""
