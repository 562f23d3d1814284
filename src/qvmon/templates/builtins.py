"""The functions every Go template has, save ``and`` and ``or``, which the evaluator cuts short."""

from __future__ import annotations

from urllib.parse import quote_plus

from qvmon.templates.errors import CallError
from qvmon.templates.printf import sprint, sprintf
from qvmon.templates.values import (
    Function,
    Map,
    Opaque,
    Slice,
    Struct,
    Value,
    text_of,
    truth,
    type_name,
)

_JS = {
    "\\": r"\\",
    "'": r"\'",
    '"': r"\"",
    "<": r"\u003C",
    ">": r"\u003E",
    "&": r"\u0026",
    "=": r"\u003D",
}
_HTML = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "\0": "�"}
)


def _equal_to(one: Value, other: Value) -> bool:
    if one is None or other is None:
        return one is other
    for each in (one, other):
        if isinstance(each, Map | Slice | Struct):
            raise CallError(f"uncomparable type: {type_name(each)}")
    if type(one) is not type(other):
        raise CallError("incompatible types for comparison")
    if isinstance(one, Opaque) and isinstance(other, Opaque):
        return one.nanoseconds == other.nanoseconds
    return one == other


def _equal(first: Value, *others: Value) -> bool:
    if not others:
        raise CallError("missing argument for comparison")
    return any(_equal_to(first, other) for other in others)


def _less(one: Value, other: Value) -> bool:
    if type(one) is not type(other):
        raise CallError("incompatible types for comparison")
    if isinstance(one, bool) or not isinstance(one, int | float | str | Opaque):
        raise CallError("invalid type for comparison")
    if isinstance(one, Opaque) and isinstance(other, Opaque):
        return one.nanoseconds < other.nanoseconds
    if isinstance(one, str) and isinstance(other, str):
        return one.encode() < other.encode()
    return bool(one < other)  # type: ignore[operator] # both are int or both float


def _less_or_equal(one: Value, other: Value) -> bool:
    return _less(one, other) or _equal_to(one, other)


def _greater(one: Value, other: Value) -> bool:
    return not _less_or_equal(one, other)


def _greater_or_equal(one: Value, other: Value) -> bool:
    return not _less(one, other)


def _index(item: Value, *indexes: Value) -> Value:
    for index in indexes:
        item = _indexed(item, index)
    return item


def _indexed(item: Value, index: Value) -> Value:
    if item is None:
        raise CallError("index of untyped nil")
    if isinstance(item, Map):
        if not isinstance(index, str):
            raise CallError(f"value has type {type_name(index)}; should be string")
        return item.items.get(index, item.zero)
    if not isinstance(item, Slice | str):
        raise CallError(f"can't index item of type {type_name(item)}")
    sequence = item.items if isinstance(item, Slice) else item.encode()
    return sequence[_position(index, len(sequence) - 1)]


def _position(index: Value, highest: int) -> int:
    if isinstance(index, bool) or not isinstance(index, int):
        raise CallError(f"cannot index slice/array with type {type_name(index)}")
    if not 0 <= index <= highest:
        raise CallError(f"index out of range: {index}")
    return index


def _slice(item: Value, *indexes: Value) -> Value:
    if isinstance(item, str):
        encoded = item.encode()
        start, end = _bounds(indexes, len(encoded))
        return encoded[start:end].decode(errors="replace")
    if not isinstance(item, Slice):
        raise CallError(f"can't slice item of type {type_name(item)}")
    start, end = _bounds(indexes, len(item.items))
    return Slice(item.items[start:end], item.type_name, item.methods)


def _bounds(indexes: tuple[Value, ...], length: int) -> tuple[int, int]:
    if len(indexes) > 2:
        raise CallError(f"too many slice indexes: {len(indexes)}")
    start = _position(indexes[0], length) if indexes else 0
    end = _position(indexes[1], length) if len(indexes) > 1 else length
    if start > end:
        raise CallError(f"invalid slice index: {start} > {end}")
    return start, end


def _length(item: Value) -> int:
    if isinstance(item, str):
        return len(item.encode())
    if isinstance(item, Map | Slice):
        return len(item.items)
    if item is None:
        raise CallError("len of nil pointer")
    raise CallError(f"len of type {type_name(item)}")


def _println(*values: Value) -> str:
    return " ".join(map(text_of, values)) + "\n"


def _html(*values: Value) -> str:
    return sprint(*values).translate(_HTML)


def _js(*values: Value) -> str:
    return "".join(
        _JS.get(c) or (c if c.isprintable() else f"\\u{ord(c):04X}") for c in sprint(*values)
    )


def query_escape(text: str) -> str:
    """Return ``text`` escaped for the query of an URL, as Go does it."""
    return quote_plus(text, safe="~")


def _urlquery(*values: Value) -> str:
    return query_escape(sprint(*values))


BUILTINS: dict[str, Function] = {
    "eq": Function(_equal, ("any",), "any"),
    "ne": Function(lambda one, other: not _equal_to(one, other), ("any", "any")),
    "lt": Function(_less, ("any", "any")),
    "le": Function(_less_or_equal, ("any", "any")),
    "gt": Function(_greater, ("any", "any")),
    "ge": Function(_greater_or_equal, ("any", "any")),
    "not": Function(lambda value: not truth(value), ("any",)),
    "index": Function(_index, ("any",), "any"),
    "slice": Function(_slice, ("any",), "any"),
    "len": Function(_length, ("any",)),
    "print": Function(sprint, (), "any"),
    "printf": Function(sprintf, ("string",), "any"),
    "println": Function(_println, (), "any"),
    "html": Function(_html, (), "any"),
    "js": Function(_js, (), "any"),
    "urlquery": Function(_urlquery, (), "any"),
}
