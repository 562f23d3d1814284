"""The functions and data that Prometheus gives to the templates of its rules."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import re2

from qvmon.model.errors import QvmonError
from qvmon.templates.builtins import BUILTINS, query_escape
from qvmon.templates.errors import CallError, QueryNeeded, Source, TemplateError
from qvmon.templates.evaluator import execute
from qvmon.templates.humanize import (
    humanize,
    humanize1024,
    humanize_duration,
    humanize_percentage,
    humanize_timestamp,
    number,
    parse_duration,
    to_time,
)
from qvmon.templates.moments import duration
from qvmon.templates.parser import Parsed, parse
from qvmon.templates.values import Function, Map, Opaque, Slice, Struct, Value, strings

SAMPLE = "*template.sample"
RESULT = "template.queryResult"

QueryRows = Sequence[tuple[Mapping[str, str], float]]
QueryResults = Mapping[str, QueryRows | QvmonError]
"""What queries inside templates answered: text to (labels, value) rows, or why they failed."""

_VARIABLES = ("$labels", "$externalLabels", "$externalURL", "$value")
_REFERENCE = re.compile(r"\$(?:(\w+)|\{(\w+)\}|(\$))")
_WORD = re.compile(r"[\w']+")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every template of one evaluation sees besides its alert.

    Attributes:
        external_labels: Labels of this monitoring system.
        external_url: Where people reach it.
        time_ms: The evaluation's timestamp.
        queries: Results of the queries that templates have asked for so far.
    """

    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    time_ms: int = 0
    queries: QueryResults = field(default_factory=dict)


class AlertTemplate:
    """A label or annotation of a rule: parsed once, expanded for every alert.

    Args:
        name: What error messages call it: the alert's name.
        text: The template.

    Raises:
        TemplateError: The text cannot be parsed.
    """

    __slots__ = ("_parsed", "text")

    def __init__(self, name: str, text: str) -> None:
        self.text = text
        self._parsed: Parsed | None = None
        if "{{" in text:
            self._parsed = parse(Source(f"__alert_{name}", text), _NAMES, _VARIABLES)

    @property
    def is_constant(self) -> bool:
        """Whether the text has no action, so that every alert gets the same."""
        return self._parsed is None

    def expand(self, labels: Mapping[str, str], value: float, around: Surroundings) -> str:
        """Return the text for one alert.

        What goes wrong becomes part of the text, as in Prometheus: a broken annotation never
        loses its alert.

        Raises:
            QueryNeeded: It needs the result of a query that ``around`` does not have yet.
        """
        if self._parsed is None:
            return self.text
        try:
            return self._expanded(self._parsed, labels, value, around)
        except TemplateError as error:
            name = self._parsed.source.name
            return f"<error expanding template: error executing template {name}: {error.message}>"

    @staticmethod
    def _expanded(
        parsed: Parsed, labels: Mapping[str, str], value: float, around: Surroundings
    ) -> str:
        data = {
            "Labels": strings(labels),
            "ExternalLabels": strings(around.external_labels),
            "ExternalURL": around.external_url,
            "Value": value,
        }
        variables = dict(zip(_VARIABLES, data.values(), strict=True))
        return execute(parsed, Struct("struct", data), _functions(around), variables)


def expand(name: str, text: str, dot: Value, around: Surroundings) -> str:
    """Return ``text`` expanded with ``dot`` and Prometheus' functions.

    Raises:
        TemplateError: It cannot be parsed or executed.
        QueryNeeded: It needs the result of a query that ``around`` does not have yet.
    """
    return execute(parse(Source(name, text), _NAMES), dot, _functions(around), {})


def graph_link(expression: str) -> str:
    """Return the path of the page that draws ``expression``."""
    return f"/graph?g0.expr={query_escape(expression)}&g0.tab=0"


def table_link(expression: str) -> str:
    """Return the path of the page that lists the result of ``expression``."""
    return f"/graph?g0.expr={query_escape(expression)}&g0.tab=1"


# --- functions that depend on nothing around them -------------------------------------------------


@lru_cache(maxsize=256)
def _pattern(expression: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        text = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise CallError(f"error parsing regexp: {text}") from None


def _match(expression: str, text: str) -> bool:
    return _pattern(expression).search(text) is not None


def _replace_all(expression: str, replacement: str, text: str) -> str:
    pattern = _pattern(expression)

    def expanded(found: Any) -> str:
        def group(reference: re.Match[str]) -> str:
            plain, braced, dollar = reference.groups()
            if dollar:
                return "$"
            name = plain or braced
            if name.isdigit():
                return (found[int(name)] or "") if int(name) <= pattern.groups else ""
            return (found[name] or "") if name in pattern.groupindex else ""

        return _REFERENCE.sub(group, replacement)

    return str(pattern.sub(expanded, text))


def _title(text: str) -> str:
    return _WORD.sub(lambda word: word[0][:1].upper() + word[0][1:], text)


def _split_host_port(text: str) -> tuple[str, str] | None:
    """Return host and port as Go's ``net.SplitHostPort`` does, None where that fails."""
    bracketed = re.fullmatch(r"\[([^\[\]]*)\]:([^:\[\]]*)", text)
    if bracketed:
        return bracketed[1], bracketed[2]
    plain = re.fullmatch(r"([^:\[\]]*):([^:\[\]]*)", text)
    return (plain[1], plain[2]) if plain else None


def _strip_port(text: str) -> str:
    parts = _split_host_port(text)
    return text if parts is None else parts[0]


def _strip_domain(text: str) -> str:
    host, port = _split_host_port(text) or (text, "")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        short = host.split(".")[0]
        shown = f"[{short}]" if ":" in short else short
        return f"{shown}:{port}" if port else short
    return text


def _first(result: Slice) -> Value:
    if not result.items:
        raise CallError("first() called on vector with no elements")
    return result.items[0]


def _label(name: str, sample: Struct) -> Value:
    labels = sample.fields["Labels"]
    return labels.items.get(name, "") if isinstance(labels, Map) else ""


def _sort_by_label(name: str, result: Slice) -> Slice:
    def key(sample: Value) -> bytes:
        return str(_label(name, sample)).encode() if isinstance(sample, Struct) else b""

    return Slice(tuple(sorted(result.items, key=key)), RESULT)


def _args(*values: Value) -> Map:
    return Map({f"arg{position}": value for position, value in enumerate(values)})


def _to_duration(value: Value) -> Opaque:
    return duration(int(number(value) * 1e9))


_CONSTANT: dict[str, Function] = {
    **BUILTINS,
    "first": Function(_first, (RESULT,)),
    "label": Function(_label, ("string", SAMPLE)),
    "value": Function(lambda sample: sample.fields["Value"], (SAMPLE,)),
    "strvalue": Function(lambda sample: _label("__value__", sample), (SAMPLE,)),
    "sortByLabel": Function(_sort_by_label, ("string", RESULT)),
    "args": Function(_args, (), "any"),
    "reReplaceAll": Function(_replace_all, ("string", "string", "string")),
    "match": Function(_match, ("string", "string")),
    "safeHtml": Function(lambda text: text, ("string",)),
    "title": Function(_title, ("string",)),
    "toUpper": Function(str.upper, ("string",)),
    "toLower": Function(str.lower, ("string",)),
    "graphLink": Function(graph_link, ("string",)),
    "tableLink": Function(table_link, ("string",)),
    "stripPort": Function(_strip_port, ("string",)),
    "stripDomain": Function(_strip_domain, ("string",)),
    "humanize": Function(humanize, ("any",)),
    "humanize1024": Function(humanize1024, ("any",)),
    "humanizeDuration": Function(humanize_duration, ("any",)),
    "humanizePercentage": Function(humanize_percentage, ("any",)),
    "humanizeTimestamp": Function(humanize_timestamp, ("any",)),
    "toTime": Function(to_time, ("any",)),
    "toDuration": Function(_to_duration, ("any",)),
    "parseDuration": Function(parse_duration, ("string",)),
    "urlQueryEscape": Function(query_escape, ("string",)),
}


# --- functions that look around -------------------------------------------------------------------

_SEEING: dict[str, Callable[[Surroundings], Function]] = {
    "query": lambda around: Function(lambda text: _query(text, around), ("string",)),
    "now": lambda around: Function(lambda: around.time_ms / 1000),
    "pathPrefix": lambda around: Function(lambda: urlsplit(around.external_url).path),
    "externalURL": lambda around: Function(lambda: around.external_url),
}
_NAMES = frozenset({"and", "or", *_CONSTANT, *_SEEING})


def _query(text: str, around: Surroundings) -> Slice:
    if text not in around.queries:
        raise QueryNeeded(text)
    rows = around.queries[text]
    if isinstance(rows, QvmonError):
        raise CallError(rows.message)
    samples = (Struct(SAMPLE, {"Labels": strings(lb), "Value": v}) for lb, v in rows)
    return Slice(tuple(samples), RESULT)


def _functions(around: Surroundings) -> Mapping[str, Function]:
    return {**_CONSTANT, **{name: make(around) for name, make in _SEEING.items()}}
