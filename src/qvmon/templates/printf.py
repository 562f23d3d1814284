"""Go's ``fmt.Sprintf`` for the values a template has."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

from qvmon.templates.values import Map, Opaque, Slice, Struct, Value, float_text, text_of, type_name

MAX_WIDTH = 10_000
NAMED = "n"
"""Stands for the plus of ``%+v``, which names fields rather than signing numbers."""

_DIRECTIVE = re.compile(
    r"%(?P<flags>[-+# 0]*)(?:\[(?P<before>\d+)\])?(?P<width>\d+|\*)?"
    r"(?P<point>\.(?P<precision>\d+|\*)?)?(?:\[(?P<after>\d+)\])?(?P<verb>.)?",
    re.DOTALL,
)
_QUOTED = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
    "\\": r"\\",
    '"': r"\"",
}


@dataclass(frozen=True, slots=True)
class _Directive:
    verb: str
    flags: str
    width: int | None
    precision: int | None

    def has(self, flag: str) -> bool:
        return flag in self.flags

    def padded(self, text: str, *, number: bool = False) -> str:
        if self.width is None or len(text) >= self.width:
            return text
        if self.has("-"):
            return text.ljust(self.width)
        if not self.has("0"):
            return text.rjust(self.width)
        if number and text[:1] in ("+", "-", " "):
            return text[0] + text[1:].rjust(self.width - 1, "0")
        return text.rjust(self.width, "0")

    def signed(self, text: str) -> str:
        if text[:1] in ("-", "+"):
            return text if text[0] == "-" or self.has("+") else text[1:]
        return ("+" if self.has("+") else " " if self.has(" ") else "") + text


class _Arguments:
    def __init__(self, values: tuple[Value, ...]) -> None:
        self.values = values
        self.next = 0
        self.reordered = False

    def go_to(self, number: str | None) -> None:
        if number is not None:
            self.next, self.reordered = int(number) - 1, True

    def present(self) -> bool:
        return 0 <= self.next < len(self.values)

    def take(self) -> Value:
        self.next += 1
        return self.values[self.next - 1]

    def take_number(self, text: str | None) -> tuple[int | None, bool]:
        """Return a width or precision, written or an argument, and whether it is a number."""
        if text != "*":
            return (None if text is None else int(text)), True
        value = self.take() if self.present() else None
        if isinstance(value, bool) or not isinstance(value, int):
            return None, False
        return value, True


def sprintf(form: str, *values: Value) -> str:
    """Return ``values`` formatted by ``form``; what does not fit is shown as Go shows it."""
    arguments = _Arguments(values)
    out = _DIRECTIVE.sub(lambda found: _directive(found, arguments), form)
    left = values[arguments.next :]
    if left and not arguments.reordered:
        shown = ", ".join(
            f"{type_name(v)}={text_of(v)}" if v is not None else "<nil>" for v in left
        )
        out += f"%!(EXTRA {shown})"
    return out


def sprint(*values: Value) -> str:
    """Return ``values`` joined, with a space between two that are not strings."""
    parts: list[str] = []
    for position, value in enumerate(values):
        if position and not (isinstance(value, str) or isinstance(values[position - 1], str)):
            parts.append(" ")
        parts.append(text_of(value))
    return "".join(parts)


def _directive(found: re.Match[str], arguments: _Arguments) -> str:
    verb = found["verb"]
    if verb is None:
        return "%!(NOVERB)"
    if verb == "%":
        return "%"
    arguments.go_to(found["before"])
    width, wide = arguments.take_number(found["width"])
    precision, precise = arguments.take_number(found["precision"])
    if found["point"] and found["precision"] is None:
        precision = 0
    arguments.go_to(found["after"])
    flags = found["flags"] + "-" * (width is not None and width < 0)
    if verb == "v" and "+" in flags:
        flags = flags.replace("+", "") + NAMED
    complaint = "%!(BADWIDTH)" * (not wide) + "%!(BADPREC)" * (not precise)
    if not arguments.present():
        return f"{complaint}%!{verb}({'BADINDEX' if arguments.reordered else 'MISSING'})"
    directive = _Directive(verb, flags, _bounded(width), _bounded(precision))
    return complaint + formatted(directive, arguments.take())


def _bounded(number: int | None) -> int | None:
    return None if number is None else min(abs(number), MAX_WIDTH)


def formatted(directive: _Directive, value: Value) -> str:
    """Return one value as its directive asks."""
    if directive.verb == "T":
        return directive.padded(type_name(value))
    if value is None:
        return directive.padded("<nil>") if directive.verb == "v" else _wrong(directive, value)
    text = _by_type(directive, value)
    return _wrong(directive, value) if text is None else text


def _by_type(directive: _Directive, value: Value) -> str | None:
    if isinstance(value, bool):
        return directive.padded(text_of(value)) if directive.verb in "tv" else None
    if isinstance(value, int):
        return _integer(directive, value)
    if isinstance(value, float):
        return _float(directive, value)
    if isinstance(value, str):
        return _string(directive, value)
    if isinstance(value, Opaque):
        by_text = directive.verb in "vsqxX"
        return _string(directive, value.text) if by_text else _integer(directive, value.nanoseconds)
    return _composite(directive, value)


def _wrong(directive: _Directive, value: Value) -> str:
    if value is None:
        return f"%!{directive.verb}(<nil>)"
    return f"%!{directive.verb}({type_name(value)}={text_of(value)})"


def _composite(directive: _Directive, value: Value) -> str:
    def each(item: Value) -> str:
        return formatted(directive, item)

    if isinstance(value, Map):
        items = (f"{each(key)}:{each(value.items[key])}" for key in sorted(value.items))
        return f"map[{' '.join(items)}]"
    if isinstance(value, Slice):
        return f"[{' '.join(map(each, value.items))}]"
    assert isinstance(value, Struct)  # noqa: S101 - the last of the shapes
    if directive.has(NAMED):
        return f"{{{' '.join(f'{k}:{each(v)}' for k, v in value.fields.items())}}}"
    return f"{{{' '.join(map(each, value.fields.values()))}}}"


def _integer(directive: _Directive, value: int) -> str | None:
    match directive.verb:
        case "v" | "d":
            text = str(abs(value))
        case "b" | "o" | "x" | "X":
            text = ("0" + directive.verb if directive.has("#") else "") + format(
                abs(value), directive.verb
            )
            text = text.replace("0o", "0", 1)
        case "O":
            text = f"0o{abs(value):o}"
        case "c":
            return directive.padded(_character(value))
        case "q":
            return directive.padded("'" + _quoted(_character(value), "'")[1:-1] + "'")
        case "U":
            return directive.padded(f"U+{value:04X}")
        case _:
            return None
    if directive.precision is not None:
        text = text.rjust(directive.precision, "0")
    return directive.padded(directive.signed(("-" if value < 0 else "") + text), number=True)


def _character(code: int) -> str:
    valid = 0 <= code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if valid else "�"


def _float(directive: _Directive, value: float) -> str | None:
    if directive.verb not in "vgGeEfFxX":
        return None
    if not math.isfinite(value):
        text = float_text(value)
        if math.isnan(value):
            text = directive.signed(text)
        elif directive.has(" ") and not directive.has("+"):
            text = text.replace("+", " ")
        return replace(directive, flags=directive.flags.replace("0", "")).padded(text)
    return directive.padded(directive.signed(_digits(directive, value)), number=True)


def _digits(directive: _Directive, value: float) -> str:
    verb, precision = directive.verb, directive.precision
    if verb in "vgG":
        if precision is None:
            text = float_text(value)
        else:
            text = f"{value:{'#' if directive.has('#') else ''}.{precision}g}"
        return text.upper() if verb == "G" else text
    if verb in "xX":
        text = _hexadecimal(value)
        return text.upper() if verb == "X" else text
    return f"{value:.{6 if precision is None else precision}{verb}}"


def _hexadecimal(value: float) -> str:
    sign, mantissa, exponent = re.fullmatch(
        r"(-?)0x(\d\.?[0-9a-f]*)p([+-]\d+)", value.hex()
    ).groups()  # type: ignore[union-attr] # float.hex of a finite number always has this form
    digits = mantissa.rstrip("0").rstrip(".") or "0"
    return f"{sign}0x{digits}p{exponent[0]}{int(exponent[1:]):02d}"


def _string(directive: _Directive, value: str) -> str | None:
    if directive.verb in "xX":
        digits = value.encode().hex(*" " * directive.has(" "))
        return directive.padded(digits.upper() if directive.verb == "X" else digits)
    if directive.verb not in "vsq":
        return None
    text = value if directive.precision is None else value[: directive.precision]
    if directive.verb == "q":
        raw = directive.has("#") and "`" not in text and text.isprintable()
        text = f"`{text}`" if raw else _quoted(text, '"', ascii_only=directive.has("+"))
    return directive.padded(text)


def _quoted(text: str, quote: str, *, ascii_only: bool = False) -> str:
    return quote + "".join(_escaped(each, quote, ascii_only) for each in text) + quote


def _escaped(character: str, quote: str, ascii_only: bool) -> str:
    if character == quote:
        return "\\" + quote
    if character in _QUOTED and character not in "'\"":
        return _QUOTED[character]
    if character.isprintable() and (character.isascii() or not ascii_only):
        return character
    code = ord(character)
    return (
        f"\\x{code:02x}"
        if code < 0x80
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )
