"""The kinds of fields that Prometheus' configuration files are made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator

from qvmon.model.errors import QvmonError, invalid
from qvmon.promql.durations import parse_duration

Value = TypeVar("Value")

_SIZE = re.compile(r"(\d+(?:\.\d+)?)(E|P|T|G|M|K)?i?B")
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


class Section(BaseModel):
    """A mapping of the file; a key without a value counts as absent."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty_keys(cls, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: each for key, each in value.items() if each is not None}
        return value


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that is never shown."""

    value: str

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self.value)


NO_SECRET = Secret("")


def checked(parse: Callable[[str], Value]) -> BeforeValidator:
    """Return a validator that reads text with ``parse`` and lets other values pass."""

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return parse(value)
        except QvmonError as error:
            raise ValueError(error.message) from None

    return BeforeValidator(read)


def parse_size(text: str) -> int:
    """Return the bytes of a size such as ``10MB``; units are powers of 1024 and ``0`` needs none.

    Raises:
        QvmonError: INVALID.
    """
    if text == "0":
        return 0
    match = _SIZE.fullmatch(text)
    if match is None:
        raise invalid(f'not a valid size: "{text}"; a size has a unit, such as 10MB')
    return int(float(match[1]) * 1024 ** _POWERS[match[2] or ""])


DurationMs = Annotated[int, checked(parse_duration)]
"""Milliseconds, written as ``1h30m``."""

SizeBytes = Annotated[int, checked(parse_size)]
"""Bytes, written as ``10MB``."""

SecretText = Annotated[
    Secret, checked(Secret), PlainSerializer(lambda secret: "***" if secret else "")
]
"""A password or token."""
