"""Writes docs/reference from the code: settings, metrics, facts, errors, routes and commands.

``make reference`` runs it; ``tests/architecture/test_reference.py`` fails when a page is not what
it would write.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import fields
from inspect import cleandoc
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
import typer.main
from fastapi.routing import APIRoute
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

import qvmon
from qvmon.adapters.host import process
from qvmon.api.config import ApiConfig
from qvmon.api.http.application import create_app
from qvmon.api.http.authentication import Needs
from qvmon.api.http.errors import STATUS
from qvmon.api.ports import ApiPorts, BuildFacts
from qvmon.app.command import app as command_line
from qvmon.app.settings import Settings
from qvmon.model import events
from qvmon.model.access import ROLE_PERMISSIONS, Permission
from qvmon.model.clock import SystemClock
from qvmon.model.errors import ErrorKind
from qvmon.model.facts import body_types
from qvmon.model.metrics import Metric, Registry

HERE = Path(__file__).parent / "reference"
_FIELDS_IN_ONE_ENTRY = re.compile(r"(?:^|``)(\w+)(?:``)?: (.*?)(?=``\w+``: |$)")
NOTICE = "<!-- Written by docs/generate.py; change the code, then `make reference`. -->\n"


def pages() -> dict[str, str]:
    """Return the generated pages: file name to text."""
    made = {
        "settings.md": settings_page(),
        "metrics.md": metrics_page(),
        "facts.md": facts_page(),
        "events.md": events_page(),
        "errors.md": errors_page(),
        "access.md": access_page(),
        "routes.md": routes_page(),
        "commands.md": commands_page(),
    }
    return {name: f"{NOTICE}{text.rstrip()}\n" for name, text in made.items()}


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(each) for each in line)} |" for line in lines)


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


# --- settings -------------------------------------------------------------------------------------


def settings_page() -> str:
    """Return every setting with its type, default and meaning."""
    places: dict[type[BaseModel], str] = {}
    _place(Settings, "", places)
    sections = "\n\n".join(_settings_section(model, places) for model in places)
    intro = (
        "One YAML file, given with `--config`. Secrets are references: `env:NAME` or `file:PATH`."
    )
    return f"# Settings\n\n{intro}\n\n{sections}"


def _place(model: type[BaseModel], path: str, places: dict[type[BaseModel], str]) -> None:
    """Note where each model is described: at the first path that leads to it."""
    places[model] = path
    for name, field in model.model_fields.items():
        inner = _inner_model(field)
        if inner is not None and inner not in places:
            _place(inner, f"{path}.{name}".lstrip("."), places)


def _settings_section(model: type[BaseModel], places: dict[type[BaseModel], str]) -> str:
    path = places[model]
    described = _attribute_docs(model)
    rows = []
    for name, field in model.model_fields.items():
        inner = _inner_model(field)
        shown = f"`{path}.{name}`".replace("`.", "`")
        if inner is not None:
            shown = f"[{shown}](#{_anchor(places[inner])})"
        meaning = described.get(name, field.description or "")
        rows.append((shown, _type_name(field), _default(field), meaning))
    intro = (model.__doc__ or "").split("\n\n")[0]
    listed = table(("setting", "type", "default", "meaning"), rows)
    return f"## {path or 'top level'}\n\n{intro}\n\n{listed}"


def _anchor(path: str) -> str:
    return path.replace(".", "")


def _inner_model(field: FieldInfo) -> type[BaseModel] | None:
    for candidate in _type_parts(field.annotation):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _type_parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _type_parts(part)


def _type_name(field: FieldInfo) -> str:
    return _shown_type(field.annotation).replace("SecretStr", "secret")


def _shown_type(annotation: Any) -> str:
    """Return a type as people write it: validators and modules left out."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _shown_type(parts[0])
    if origin in (Union, UnionType):
        return " | ".join(_shown_type(part) for part in parts)
    if origin is Literal:
        return " | ".join(repr(part) for part in parts)
    if parts:
        return f"{_shown_type(origin)}[{', '.join(_shown_type(part) for part in parts)}]"
    if annotation is ...:
        return "..."
    return str(getattr(annotation, "__name__", annotation)).replace("NoneType", "None")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return ""
    if isinstance(value, SecretStr):
        return ""
    return f"`{value}`"


def _attribute_docs(model: type) -> dict[str, str]:
    """Return what the ``Attributes`` section of a class and its bases says of each field."""
    said: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        _, found, section = cleandoc(cls.__doc__ or "").partition("Attributes:\n")
        if found:
            entries = re.split(r"\n {4}(?=\w+:)", "\n" + section)
            for entry in entries[1:]:
                sentence = " ".join(entry.split())
                said.update(_FIELDS_IN_ONE_ENTRY.findall(sentence))
    return said


# --- metrics and facts ----------------------------------------------------------------------------


def metrics_page() -> str:
    """Return every metric qvmon exports about itself."""
    declaring = [*_modules("metrics"), process]
    found = {metric.name: metric for module in declaring for metric in _metrics(module)}
    rows = [
        (f"`{m.name}`", m.type.value, ", ".join(m.labels), m.help)
        for m in sorted(found.values(), key=lambda metric: metric.name)
    ]
    return f"# Metrics of qvmon itself\n\n{table(('metric', 'type', 'labels', 'meaning'), rows)}"


def _modules(name: str) -> Iterator[Any]:
    for module in pkgutil.walk_packages(qvmon.__path__, "qvmon."):
        if module.name.rpartition(".")[2] == name and "testing" not in module.name:
            yield importlib.import_module(module.name)


def _metrics(module: Any) -> Iterator[Metric]:
    yield from (value for value in vars(module).values() if isinstance(value, Metric))


def facts_page() -> str:
    """Return every type of fact with its fields."""
    parts = [
        f"## {name}\n\n{_summary(body)} (version {body.VERSION})\n\n{_fields_table(body)}"
        for name, body in sorted(body_types().items())
    ]
    return "# Facts\n\nWhat the ledger can say.\n\n" + "\n\n".join(parts)


def _summary(kind: type) -> str:
    return " ".join((kind.__doc__ or "").split("\n\n")[0].split())


def _fields_table(kind: type[msgspec.Struct]) -> str:
    described = _attribute_docs(kind)
    rows = [
        (f"`{field.name}`", _shown_type(field.type), described.get(field.name, ""))
        for field in msgspec.structs.fields(kind)
    ]
    return table(("field", "type", "meaning"), rows) if rows else "No fields."


def events_page() -> str:
    """Return every event qvmon publishes with its fields."""
    parts = [
        f"## {kind.__name__}\n\n{_summary(kind)}\n\n{_fields_table(kind)}"
        for kind in events.PUBLISHED
    ]
    return "# Published events\n\nCloudEvents 1.0 in JSON.\n\n" + "\n\n".join(parts)


# --- errors, access, routes, commands -------------------------------------------------------------


def errors_page() -> str:
    """Return every kind of error and its HTTP status."""
    rows = [(f"`{kind.value}`", STATUS[kind]) for kind in ErrorKind]
    return f"# Errors\n\n{table(('kind', 'HTTP status'), rows)}"


def access_page() -> str:
    """Return what each role may do."""
    rows = [
        (
            f"`{permission.value}`",
            *("yes" if permission in held else "" for held in ROLE_PERMISSIONS.values()),
        )
        for permission in Permission
    ]
    head = ("permission", *(role.value for role in ROLE_PERMISSIONS))
    return f"# Roles and what they may do\n\n{table(head, rows)}"


class _Anything:
    """Stands for a part of the process, and for whatever a part has."""

    def __getattr__(self, name: str) -> _Anything:
        return self


def routes_page() -> str:
    """Return every HTTP route."""
    anything: Any = _Anything()  # a route is made when its part is there; none is called here
    parts = {part.name: anything for part in fields(ApiPorts) if part.default is None}
    ports = ApiPorts(
        clock=SystemClock(),
        registry=Registry(),
        build=BuildFacts(version="", started_at_us=0),
        ready=lambda: True,
        **parts,
    )
    application = create_app(ports, ApiConfig())
    rows = sorted(
        (
            f"`{route.path}`",
            ", ".join(sorted(route.methods)),
            _needed(route),
            (route.description or "").split("\n\n")[0],
        )
        for route in _routes(application)
    )
    intro = "Which role has which permission: [roles](access.md)."
    listed = table(("path", "methods", "permission", "what it does"), rows)
    return f"# HTTP routes\n\n{intro}\n\n{listed}"


def _needed(route: APIRoute) -> str:
    """Return the permission a route asks for; nobody anonymous passes a gate without one."""
    gates = [each.call for each in route.dependant.dependencies if isinstance(each.call, Needs)]
    if not gates:
        return "none, open to all"
    return f"`{gates[0].permission.value}`" if gates[0].permission else "a log-in"


def _routes(router: Any) -> Iterator[APIRoute]:
    """Yield the routes of a router and of those it includes, prefixes applied."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from _routes(route.original_router)


def commands_page() -> str:
    """Return every command with its help."""
    command = typer.main.get_command(command_line)
    parts = [f"## {name}\n\n```\n{text}\n```" for name, text in _helps(command, "qvmon")]
    return "# Commands\n\n" + "\n\n".join(parts)


def _helps(command: Any, name: str) -> Iterator[tuple[str, str]]:
    if hasattr(command, "commands"):
        for child in sorted(command.commands):
            yield from _helps(command.commands[child], f"{name} {child}")
        return
    rows = [(p.opts[0], getattr(p, "help", "") or "") for p in command.params]
    width = max((len(option) for option, _ in rows), default=0)
    listed = "\n".join(f"  {option:<{width}}  {text}".rstrip() for option, text in rows)
    yield name, f"{command.help or ''}\n\n{listed}".strip()


def main() -> None:
    """Write the pages."""
    HERE.mkdir(exist_ok=True)
    for name, text in pages().items():
        (HERE / name).write_text(text)


if __name__ == "__main__":
    main()
