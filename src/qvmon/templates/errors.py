"""What can be wrong with a template, said as Go's text/template says it."""

from __future__ import annotations

from qvmon.model.errors import ErrorKind, QvmonError


class TemplateError(QvmonError):
    """A template that cannot be parsed or executed; ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(ErrorKind.INVALID, message, line=line, column=column)
        self.line = line
        self.column = column


class CallError(Exception):
    """A function of a template refuses its arguments; the evaluator adds the position."""


class QueryNeeded(Exception):  # noqa: N818 - an answer that asks back, not a failure
    """A template asks for the result of a query that its caller has not supplied yet."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Source:
    """A template's name and text: turns offsets into places."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    def place(self, offset: int) -> tuple[int, int]:
        """Return (line, column) of ``offset``, both from 1."""
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1

    def parse_error(self, offset: int, message: str) -> TemplateError:
        """Return an error found while parsing."""
        line, column = self.place(offset)
        return TemplateError(f"template: {self.name}:{line}: {message}", line, column)
