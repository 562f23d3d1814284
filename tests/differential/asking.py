"""A request to the HTTP API that is asked of both servers, and how alike the answers must be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tests.differential.series import BEGIN_MS

NOON = BEGIN_MS // 1000 + 3600
"""A time in the middle of the data, in seconds."""

START, END = str(NOON - 1800), str(NOON)
Form = tuple[tuple[str, str], ...]


class Sameness(StrEnum):
    """How alike two answers must be.

    ``EXACT``: the same JSON, floats to a part in 10^12, lists of series in any order.
    ``SHAPE``: the same keys with values of the same types. ``STATUS``: the same status.
    ``TEXT``: the same lines in any order. ``READ``: the same series in a remote-read response.
    """

    EXACT = "exact"
    SHAPE = "shape"
    STATUS = "status"
    TEXT = "text"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        path: Where. ``form``: parameters, which may repeat.
        method: ``POST`` sends the parameters as a form.
        headers: More than the client sends of itself.
        like: How alike the answers must be.
        body: Sent instead of a form.
        note: What the body asks.
    """

    path: str
    form: Form = ()
    method: str = "GET"
    headers: Form = ()
    like: Sameness = Sameness.EXACT
    body: bytes | None = None
    note: str = ""

    def __str__(self) -> str:
        form = "&".join(f"{name}={value}" for name, value in self.form)
        headers = "".join(f" [{name}: {value}]" for name, value in self.headers)
        return f"{self.method} {self.path}{'?' if form else ''}{form}{headers} {self.note}"


def form(**parameters: str) -> Form:
    """Return parameters; ``match`` stands for ``match[]``."""
    return tuple(
        ("match[]" if name == "match" else name, value) for name, value in parameters.items()
    )
