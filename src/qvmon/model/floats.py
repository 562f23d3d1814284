"""Floats as text: what Go's ``strconv`` reads and prints."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from qvmon.model.errors import invalid

_DIGITS = r"[0-9](?:_?[0-9])*"
_DECIMAL = re.compile(rf"[+-]?(?:{_DIGITS}\.?(?:{_DIGITS})?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?\Z")
_HEX_INTEGER = re.compile(r"[+-]?0[xX](?:_?[0-9a-fA-F])+\Z")
_HEX_FLOAT = re.compile(r"[+-]?0[xX][0-9a-fA-F_]*\.?[0-9a-fA-F_]*[pP][+-]?[0-9]+\Z")
_SPECIAL = {"nan": math.nan, "inf": math.inf, "infinity": math.inf}


def parse_float(text: str) -> float:
    """Return the float that ``text`` spells in Go's syntax, with underscores, hex, Inf and NaN.

    Raises:
        QvmonError: INVALID, when it spells none.
    """
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    special = _SPECIAL.get(unsigned.lower())
    if special is not None:
        return -special if text[0] == "-" else special
    if _DECIMAL.match(text):
        return float(text)
    if _HEX_INTEGER.match(text):
        return float(int(text, 16))
    if _HEX_FLOAT.match(text):
        return float.fromhex(text.replace("_", ""))
    raise invalid(f"{text!r} is not a number")


def format_float(value: float) -> str:
    """Return a value as Prometheus' API prints it: shortest digits that read back the same.

    An exponent stands only below 1e-6 and from 1e21; special are ``NaN``, ``+Inf`` and ``-Inf``.
    """
    magnitude = abs(value)
    if math.isfinite(value) and magnitude != 0 and (magnitude < 1e-6 or magnitude >= 1e21):
        return repr(float(value))  # Python's exponent form is Go's here
    return format_decimal(value)


def format_general(value: float) -> str:
    """Return a value as Go's format ``'g', -1``: as ``1e+06`` from 1e6 and below 1e-4."""
    magnitude = abs(value)
    if not math.isfinite(value) or magnitude == 0 or 1e-4 <= magnitude < 1e6:
        return format_decimal(value)
    return format_exponent(value)


def format_exponent(value: float) -> str:
    """Return a value as Go's format ``'e', -1`` prints it, such as ``1.5e+00``."""
    if not math.isfinite(value):
        return format_decimal(value)
    exact = Decimal(repr(float(value)))
    sign, digits, _ = exact.as_tuple()
    text = "".join(map(str, digits)).rstrip("0") or "0"
    mantissa = f"{text[0]}.{text[1:]}".rstrip(".")
    return f"{'-' if sign else ''}{mantissa}e{exact.adjusted() if value else 0:+03d}"


def format_decimal(value: float) -> str:
    """Return a value as Go's format ``'f', -1``: shortest digits and never an exponent."""
    if value != value:  # noqa: PLR0124 - NaN
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    text = repr(float(value))
    if "e" in text:
        text = _without_exponent(text)
    return text.removesuffix(".0")


def _without_exponent(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    sign, digits = ("-", mantissa[1:]) if mantissa[0] == "-" else ("", mantissa)
    whole, _, fraction = digits.partition(".")
    point = len(whole) + int(exponent)
    digits = whole + fraction
    if point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits.ljust(point, '0')}"
