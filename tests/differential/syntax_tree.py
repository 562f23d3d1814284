"""Queries as trees whose parts may be cut off or replaced, so that a failing one can be shrunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


class Kind(StrEnum):
    """What an expression yields, or that a part can be left out."""

    VECTOR = "vector"
    MATRIX = "matrix"
    SCALAR = "scalar"
    STRING = "string"
    OPTIONAL = "optional"
    FIXED = "fixed"


Part: TypeAlias = "str | Node"


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of a query.

    Attributes:
        kind: What it yields.
        parts: Text and pieces, in the order they are written.
    """

    kind: Kind
    parts: tuple[Part, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.parts))

    def size(self) -> int:
        """Return the number of nodes."""
        return 1 + sum(part.size() for part in self.parts if isinstance(part, Node))

    def below(self) -> Iterator[Node]:
        """Yield every node under this one."""
        for part in self.parts:
            if isinstance(part, Node):
                yield part
                yield from part.below()


SIMPLEST = {
    Kind.VECTOR: ("vector(1)",),
    Kind.SCALAR: ("1", "0.5"),
    Kind.STRING: ('"x"', '""'),
    Kind.OPTIONAL: ("",),
    Kind.MATRIX: (),
    Kind.FIXED: (),
}


def vector(*parts: Part) -> Node:
    """Return a piece that yields an instant vector."""
    return Node(Kind.VECTOR, parts)


def matrix(*parts: Part) -> Node:
    """Return a piece that yields a range vector."""
    return Node(Kind.MATRIX, parts)


def scalar(*parts: Part) -> Node:
    """Return a piece that yields a scalar."""
    return Node(Kind.SCALAR, parts)


def string(*parts: Part) -> Node:
    """Return a piece that yields a string."""
    return Node(Kind.STRING, parts)


def optional(*parts: Part) -> Node:
    """Return a piece that may be left out."""
    return Node(Kind.OPTIONAL, parts)


def fixed(*parts: Part) -> Node:
    """Return a piece that only its own pieces can shrink."""
    return Node(Kind.FIXED, parts)


def smaller(tree: Node) -> Iterator[Node]:
    """Yield trees with one piece replaced by something shorter of the same kind, boldest first."""
    candidates = [*_replacements(tree), *_within(tree)]
    yield from sorted(candidates, key=Node.size)


def _replacements(node: Node) -> Iterator[Node]:
    if node.kind is Kind.FIXED:
        return
    yield from (below for below in node.below() if below.kind is node.kind)
    for text in SIMPLEST[node.kind]:
        if str(node) != text and len(text) <= len(str(node)):
            yield Node(node.kind, (text,))


def _within(node: Node) -> Iterator[Node]:
    for at, part in enumerate(node.parts):
        if isinstance(part, Node):
            for other in (*_replacements(part), *_within(part)):
                yield Node(node.kind, (*node.parts[:at], other, *node.parts[at + 1 :]))
