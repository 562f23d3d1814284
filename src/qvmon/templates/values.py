"""The values a template works on, and how Go sees them.

A value is ``None`` (nil), ``bool``, ``int``, ``float``, ``str``, or one of the four shapes here.
Nothing else reaches a template: it can touch no attribute of a Python object.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

Value = object
"""One of the types named above; kept as ``object`` so that functions check what they are given."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method a template may call.

    Attributes:
        call: Takes and returns values; raises ``CallError`` to refuse.
        parameters: ``any``, ``string``, ``int``, ``duration`` or a shape's type name, each.
        variadic: The kind of any number of further arguments, or empty.
    """

    call: Callable[..., Value]
    parameters: tuple[str, ...] = ()
    variadic: str = ""


Methods = Mapping[str, Function]


@dataclass(frozen=True, slots=True)
class Struct:
    """A Go struct: fields by name, and methods."""

    type_name: str
    fields: Mapping[str, Value]
    methods: Methods = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Map:
    """A Go map with string keys; ``zero`` is what an absent key has."""

    items: Mapping[str, Value]
    zero: Value = None
    type_name: str = "map[string]interface {}"
    methods: Methods = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slice:
    """A Go slice."""

    items: tuple[Value, ...]
    type_name: str = "[]interface {}"
    methods: Methods = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Opaque:
    """A Go value known by its text and methods: a time, a duration."""

    type_name: str
    nanoseconds: int
    text: str
    methods: Methods = field(default_factory=dict)


def strings(items: Mapping[str, str]) -> Map:
    """Return a ``map[string]string``, in which an absent key is the empty string."""
    return Map(items, "", "map[string]string")


def type_name(value: Value) -> str:
    """Return the name of a value's Go type."""
    if value is None:
        return "<nil>"
    if isinstance(value, Struct | Map | Slice | Opaque):
        return value.type_name
    return {bool: "bool", int: "int", float: "float64", str: "string"}[type(value)]


def truth(value: Value) -> bool:
    """Return whether ``if`` takes its first branch: anything but the zero value of its type."""
    if isinstance(value, Map | Slice):
        return bool(value.items)
    if isinstance(value, Struct | Opaque):
        return True
    return bool(value)


def text_of(value: Value) -> str:
    """Return what Go's ``%v`` prints."""
    if value is None or isinstance(value, bool):
        return {None: "<nil>", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, Map):
        pairs = (f"{key}:{text_of(value.items[key])}" for key in sorted(value.items))
        return f"map[{' '.join(pairs)}]"
    if isinstance(value, Slice):
        return f"[{' '.join(map(text_of, value.items))}]"
    if isinstance(value, Struct):
        return f"{{{' '.join(map(text_of, value.fields.values()))}}}"
    return value.text if isinstance(value, Opaque) else str(value)


def float_text(value: float) -> str:
    """Return the shortest text that reads back as ``value``, in Go's ``%g`` form."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    sign, digits, power = shortest_digits(value)
    if power < -4 or power >= 6:
        point = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{sign}{digits[0]}{point}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return sign + _plain(digits, power)


def shortest_digits(value: float) -> tuple[str, str, int]:
    """Return sign, shortest digits that read back, and the power of ten of the first digit."""
    number = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, number.digits))
    return "-" * number.sign, digits, len(digits) + int(number.exponent) - 1


def _plain(digits: str, power: int) -> str:
    if power < 0:
        return "0." + "0" * (-power - 1) + digits
    if len(digits) <= power + 1:
        return digits + "0" * (power + 1 - len(digits))
    return f"{digits[: power + 1]}.{digits[power + 1 :]}"
