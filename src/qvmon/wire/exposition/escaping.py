"""Names for readers that know no UTF-8 names: the ``escaping`` a scraper asks for.

Source: prometheus/common model/metric.go, ``EscapeName``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

ALLOW_UTF8 = "allow-utf-8"
UNDERSCORES = "underscores"
SCHEMES = (ALLOW_UTF8, UNDERSCORES, "dots", "values")

_LEGACY_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
_LEGACY = re.compile(r"[a-zA-Z0-9_:]")
_FIRST = re.compile(r"[a-zA-Z_:]")


def is_legacy_name(name: str) -> bool:
    """Return whether every Prometheus knows ``name`` without quotes."""
    return _LEGACY_NAME.match(name) is not None


def escape_name(name: str, scheme: str) -> str:
    """Return ``name`` as ``scheme``, one of ``SCHEMES``, writes it."""
    if not name or scheme == ALLOW_UTF8:
        return name
    if scheme == "dots":
        return _spelled(name, _dotted)
    if is_legacy_name(name):
        return name
    if scheme == "values":
        return "U__" + _spelled(name, _valued)
    return _spelled(name, lambda character, fits: character if fits else "_")


def _spelled(name: str, spell: Callable[[str, bool], str]) -> str:
    fits = [bool((_LEGACY if at else _FIRST).match(each)) for at, each in enumerate(name)]
    return "".join(spell(each, fit) for each, fit in zip(name, fits, strict=True))


def _dotted(character: str, fits: bool) -> str:
    special = {"_": "__", ".": "_dot_"}.get(character)
    return special or (character if fits else "__")


def _valued(character: str, fits: bool) -> str:
    if character == "_":
        return "__"
    return character if fits else f"_{ord(character):x}_"
