"""YAML with positions, so that every complaint about a file names line and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from qvmon.model.errors import ErrorKind, QvmonError

Path = tuple[str | int, ...]
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file; line and column count from 1."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class DocumentError(QvmonError):
    """A document that cannot be used; ``problems`` lists all that was found."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(ErrorKind.INVALID, "\n".join(map(str, problems)))
        self.problems = tuple(problems)


class _ScalarsAsWritten(SafeConstructor):
    """Builds numbers, booleans and dates as the text that stands in the file."""


for _tag in ("int", "float", "bool", "timestamp"):
    _ScalarsAsWritten.add_constructor(
        f"tag:yaml.org,2002:{_tag}", SafeConstructor.construct_yaml_str
    )


class YamlDocument:
    """A parsed YAML file: its plain value, and where each part of it stands.

    Args:
        text: The file's text.
        file: Its name, for messages.
        scalars_as_written: Leave ``1.10`` the text it is, so that a label's value survives;
            models turn text into numbers where they want numbers.

    Attributes:
        value: Mappings, sequences and scalars.
        root: The same as nodes that know their place in ``text``; None when it is empty.

    Raises:
        DocumentError: The text is not YAML, or repeats a key.
    """

    def __init__(self, text: str, file: str, *, scalars_as_written: bool = False) -> None:
        self.file = file
        self.text = text
        self._positions: dict[Path, tuple[int, int]] = {}
        yaml = YAML(typ="safe", pure=True)
        yaml.version = "1.2"
        if scalars_as_written:
            yaml.Constructor = _ScalarsAsWritten
        try:
            self.root: Node | None = yaml.compose(text)
            self.value: Any = self.root and yaml.constructor.construct_document(self.root)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            message = " ".join(filter(None, (error.problem, error.context)))
            raise DocumentError([Problem(file, line, column, message)]) from None
        except YAMLError as error:
            raise DocumentError([Problem(file, 1, 1, str(error))]) from None
        if self.root is not None:
            self._locate(self.root, ())

    def _locate(self, node: Node, path: Path) -> None:
        self._positions.setdefault(path, (node.start_mark.line + 1, node.start_mark.column + 1))
        if isinstance(node, MappingNode):
            for key, value in node.value:
                name = key.value if isinstance(key, ScalarNode) else str(key.value)
                at = (*path, name)
                self._positions[at] = (key.start_mark.line + 1, key.start_mark.column + 1)
                self._locate(value, at)
        elif isinstance(node, SequenceNode):
            for index, value in enumerate(node.value):
                self._locate(value, (*path, index))

    def position(self, path: Path) -> tuple[int, int]:
        """Return (line, column) of ``path``, or of its nearest ancestor that is in the file."""
        while path and path not in self._positions:
            path = path[:-1]
        return self._positions.get(path, (1, 1))

    def problem(self, path: Path, message: str) -> Problem:
        """Return a problem at ``path``."""
        return Problem(self.file, *self.position(path), message)

    def validated(self, model: type[Model], path: Path = ()) -> Model:
        """Return the value at ``path`` as a ``model``.

        Raises:
            DocumentError: One problem for each thing the model refuses, at its place.
        """
        value = self.value
        for step in path:
            value = value[step]
        try:
            return model.model_validate({} if value is None else value)
        except ValidationError as error:
            raise DocumentError(
                [
                    self.problem(_document_path(value, path, each["loc"]), _sentence(each))
                    for each in error.errors()
                ]
            ) from None


def _document_path(value: Any, path: Path, location: tuple[str | int, ...]) -> Path:
    """Drop the steps of a pydantic location that are not in the document (union tags, aliases)."""
    for step in location:
        in_mapping = isinstance(value, Mapping) and step in value
        in_list = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if in_mapping or in_list:
            path, value = (*path, step), value[step]
    return path


def _sentence(error: Mapping[str, Any]) -> str:
    field = ".".join(str(step) for step in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{field}: unknown field"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{field}: {message}" if field else message
