"""Differences that stand, each with its reason; ``docs/promql-differences.md`` explains them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.differential.answers import Difference


@dataclass(frozen=True, slots=True)
class Accepted:
    """One reason, and when it applies."""

    reason: str
    applies: Callable[[str, Difference], bool]


def _matching(query: str, *sorts: str) -> Callable[[str, Difference], bool]:
    pattern = re.compile(query)
    return lambda text, found: found.sort in sorts and bool(pattern.search(text))


ACCEPTED: tuple[Accepted, ...] = ()


def reason_for(query: str, found: Difference) -> str | None:
    """Return why a difference is accepted, or None when it is not."""
    return next((each.reason for each in ACCEPTED if each.applies(query, found)), None)
