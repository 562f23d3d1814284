"""Inputs of Prometheus' parser test, read out of its Go source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from qvmon.promql.quoting import unquote

_LITERAL = r'(?:`[^`]*`|"(?:[^"\\\n]|\\.)*")'
_INPUT = re.compile(rf"^\t\tinput: +({_LITERAL}),", re.MULTILINE)
_FAILS = re.compile(r"^\t\tfail: +true,", re.MULTILINE)
_ERROR = re.compile(
    r"ParseErr\{\s*PositionRange:\s*posrange\.PositionRange\{Start: (\d+), End: \d+\},\s*"
    rf"Err:\s*errors\.New\(({_LITERAL})\)"
)


@dataclass(frozen=True)
class ParserCase:
    """One input, and how Prometheus refuses it.

    Attributes:
        text: The query.
        fails: Whether it is refused.
        error: The first complaint and the byte it is about; none where the source has no plain
            text of it.
    """

    text: str
    fails: bool
    error: tuple[int, str] | None

    def message(self) -> str | None:
        """Return the whole message, such as ``1:5: parse error: ...``."""
        if self.error is None:
            return None
        at, complaint = self.error
        if not self.text:
            return f"unknown position: parse error: {complaint}"
        before = self.text.encode()[:at]
        line = before.count(b"\n") + 1
        column = at - (before.rfind(b"\n") + 1) + 1
        return f"{line}:{column}: parse error: {complaint}"


def parser_cases(source: str) -> Iterator[ParserCase]:
    """Yield the cases of ``testExpr`` in ``promql/parser/parse_test.go``."""
    table = source[source.index("var testExpr = ") :]
    table = table[: table.index("\n}\n")]
    found = list(_INPUT.finditer(table))
    for each, after in zip(found, [*found[1:], None], strict=True):
        body = table[each.end() : after.start() if after else None]
        error = _ERROR.search(body)
        if "\\xff" in each[1]:
            continue  # a query is text before it is parsed here; what is none is refused earlier
        yield ParserCase(
            unquote(each[1]),
            _FAILS.search(body) is not None,
            (int(error[1]), unquote(error[2])) if error else None,
        )
