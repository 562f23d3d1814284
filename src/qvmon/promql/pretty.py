"""Queries over several lines, where one line would be too long.

Source: Prometheus promql/parser/prettier.go, whose layout this is, quirks included.
"""

from __future__ import annotations

from qvmon.promql.nodes import Aggregate, Binary, Call, Node, Paren, Subquery, Unary, label_list

_LINE_BYTES = 100
_INDENT = "  "


def pretty(node: Node, level: int = 0) -> str:
    """Return the canonical text of ``node``, ``level`` deep inside lines of others."""
    match node:
        case Unary():
            return _INDENT * level + node.operator + pretty(node.operand, level).strip()
        case Aggregate() | Binary() | Call() | Paren() | Subquery() if _is_long(node):
            return _split(node, level)
        case Subquery():
            return str(node)
        case _:
            return _INDENT * level + str(node)


def _is_long(node: Node) -> bool:
    return len(str(node).encode()) > _LINE_BYTES


def _split(node: Aggregate | Binary | Call | Paren | Subquery, level: int) -> str:
    indent = _INDENT * level
    match node:
        case Aggregate():
            inner = ",\n".join(pretty(child, level + 1) for child in node.children)
            return f"{indent}{_head(node)}(\n{inner}\n{indent})"
        case Binary():
            middle = node.operator + (" bool" if node.returns_bool else "")
            middle += "" if node.matching is None else str(node.matching)
            left, right = pretty(node.left, level + 1), pretty(node.right, level + 1)
            return f"{left}\n{indent}{middle}\n{right}"
        case Call():
            inner = ",\n".join(pretty(argument, level + 1) for argument in node.arguments)
            return f"{indent}{node.function}(\n{inner}\n{indent})"
        case Paren():
            return f"{indent}(\n{pretty(node.inner, level + 1)}\n{indent})"
        case Subquery():
            suffix = str(node).removeprefix(str(node.expression))
            return pretty(node.expression, level) + suffix


def _head(node: Aggregate) -> str:
    if not node.without and not node.grouping:
        return node.operator
    return f"{node.operator} {'without' if node.without else 'by'} ({label_list(node.grouping)}) "
