"""Templates such as ``${1}-$name``, expanded as Go's ``regexp.Expand`` does."""

from __future__ import annotations

import re
from typing import Protocol

_VARIABLE = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")


class Match(Protocol):
    """What an expansion needs of a match."""

    def group(self, which: int | str, /) -> str | None:
        """Return the text of a group, or nothing when it took no part."""
        ...


class GroupingPattern(Protocol):
    """A compiled expression whose matches tell their groups."""

    def fullmatch(self, text: str) -> Match | None:
        """Return the match when all of ``text`` matches."""
        ...


def expand(template: str, match: Match) -> str:
    """Return ``template`` with its variables replaced by the groups of ``match``.

    ``$name`` takes the longest run of letters, digits and underscores (``$1x`` is ``${1x}``);
    a group that does not exist is empty, ``$$`` is a dollar sign, any other ``$`` stands for
    itself. Source: Go's regexp package, ``Regexp.Expand``.
    """
    if "$" not in template:
        return template
    return _VARIABLE.sub(lambda variable: _value(variable, match), template)


def _value(variable: re.Match[str], match: Match) -> str:
    if variable[1]:
        return "$"
    name = variable[2] or variable[3]
    try:
        return match.group(int(name) if name.isascii() and name.isdigit() else name) or ""
    except (IndexError, KeyError):
        return ""
