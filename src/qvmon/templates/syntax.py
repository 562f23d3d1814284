"""The tree of a parsed template. ``at`` is a node's offset in the text, ``shown`` its source."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dot:
    """``.``, the current value."""

    at: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal: string, number, boolean or nil."""

    at: int
    shown: str
    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Field:
    """``.A.B``: fields or methods of the current value."""

    at: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """``$x.A.B``."""

    at: int
    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """``(pipeline).A.B``."""

    at: int
    of: Pipe
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identifier:
    """The name of a function."""

    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Command:
    """An operand, or a function or method with its arguments."""

    at: int
    shown: str
    words: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands whose value goes on as the last argument of the next one.

    ``variables`` are set to the value: declared by ``:=``, or assigned when ``assigns``.
    """

    at: int
    variables: tuple[str, ...]
    assigns: bool
    commands: tuple[Command, ...]


Operand = Dot | Constant | Field | Variable | Chain | Identifier | Pipe


@dataclass(frozen=True, slots=True)
class Text:
    """Text outside actions."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """``{{pipeline}}``."""

    at: int
    pipe: Pipe


@dataclass(frozen=True, slots=True)
class If:
    """``{{if}}``; ``rebinds`` for ``{{with}}``, which also sets the dot."""

    at: int
    pipe: Pipe
    then: Body
    otherwise: Body
    rebinds: bool


@dataclass(frozen=True, slots=True)
class Range:
    """``{{range}}`` with its ``{{else}}`` for nothing to range over."""

    at: int
    pipe: Pipe
    each: Body
    otherwise: Body


@dataclass(frozen=True, slots=True)
class Leave:
    """``{{break}}``, or ``{{continue}}`` when ``again``."""

    at: int
    again: bool


@dataclass(frozen=True, slots=True)
class Invoke:
    """``{{template "name" pipeline}}``."""

    at: int
    name: str
    pipe: Pipe | None


Node = Text | Action | If | Range | Leave | Invoke
Body = tuple[Node, ...]
