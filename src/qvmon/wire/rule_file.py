"""Prometheus' rule files as they are: everything wrong in one is told, each with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from qvmon.model.errors import QvmonError
from qvmon.model.labels import METRIC_NAME
from qvmon.promql.plan import Plan, plan
from qvmon.templates import AlertTemplate, TemplateError
from qvmon.wire.prometheus_fields import DurationMs, Section
from qvmon.wire.yaml_document import DocumentError, Path, Problem, YamlDocument


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """Writes the result of an expression as a series of its own.

    Attributes:
        name: The metric it records.
        expr: The expression as written; ``plan`` is it parsed.
        labels: Laid over the result's labels, those of the group included.
        line: Where the rule begins in its file.
    """

    name: str
    expr: str
    plan: Plan
    labels: Mapping[str, str]
    line: int


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """Raises an alert for every element of an expression's result.

    Attributes:
        name: The alert's name.
        expr: The expression as written; ``plan`` is it parsed.
        for_ms: How long an element must be there before it fires.
        keep_firing_for_ms: How long it goes on firing after it has gone.
        labels: Templates, those of the group included. ``annotations``: templates too.
        line: Where the rule begins in its file.
    """

    name: str
    expr: str
    plan: Plan
    for_ms: int
    keep_firing_for_ms: int
    labels: Mapping[str, AlertTemplate]
    annotations: Mapping[str, AlertTemplate]
    line: int


Rule = RecordingRule | AlertingRule


@dataclass(frozen=True, slots=True)
class RuleGroup:
    """Rules that are evaluated one after the other, at the same instants.

    Attributes:
        file: The file it comes from. ``name`` is unique there.
        interval_ms: Distance between evaluations; None takes the global one.
        query_offset_ms: How far in the past it queries; None takes the global one.
        limit: How many alerts or series a rule may yield; 0 for any number.
        rules: In order; a later rule sees what an earlier one recorded.
        line: Where the group begins.
    """

    file: str
    name: str
    interval_ms: int | None
    query_offset_ms: int | None
    limit: int
    rules: tuple[Rule, ...]
    line: int


def decode(text: str, file: str) -> tuple[RuleGroup, ...]:
    """Return the groups of a rule file.

    Raises:
        DocumentError: With every problem found.
    """
    document = YamlDocument(text, file)
    sections = document.validated(_File).groups
    problems = [*_group_problems(document, sections)]
    groups = [
        _Decoder(document, index, section, problems) for index, section in enumerate(sections)
    ]
    decoded = tuple(group.decoded() for group in groups)
    if problems:
        raise DocumentError(problems)
    return decoded


# --- the file as written --------------------------------------------------------------------------


def _scalar_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


_String = Annotated[str, BeforeValidator(_scalar_text)]
_Duration = Annotated[DurationMs, BeforeValidator(_scalar_text)]


class _Rule(Section):
    record: _String = ""
    alert: _String = ""
    expr: _String = ""
    for_: _Duration = Field(default=0, alias="for")
    keep_firing_for: _Duration = 0
    labels: dict[str, _String] = Field(default_factory=dict)
    annotations: dict[str, _String] = Field(default_factory=dict)


class _Group(Section):
    name: _String = ""
    interval: _Duration | None = None
    query_offset: _Duration | None = None
    limit: int = 0
    labels: dict[str, _String] = Field(default_factory=dict)
    rules: tuple[_Rule, ...] = ()


class _File(Section):
    groups: tuple[_Group, ...] = ()


# --- what Prometheus checks -----------------------------------------------------------------------


def _group_problems(document: YamlDocument, groups: tuple[_Group, ...]) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, group in enumerate(groups):
        at: Path = ("groups", index)
        if not group.name:
            yield document.problem(at, "Groupname must not be empty")
        elif group.name in seen:
            message = f'groupname: "{group.name}" is repeated in the same file'
            yield document.problem((*at, "name"), message)
        seen.add(group.name)
        for name in _bad_label_names(group.labels):
            yield document.problem((*at, "labels", name), f"invalid label name: {name}")


def _bad_label_names(labels: Mapping[str, str]) -> list[str]:
    return [name for name in labels if not name or name == METRIC_NAME]


class _Decoder:
    """One group: its rules, and what is wrong with them."""

    def __init__(
        self, document: YamlDocument, index: int, section: _Group, problems: list[Problem]
    ) -> None:
        self._document = document
        self._at: Path = ("groups", index)
        self._section = section
        self._problems = problems

    def decoded(self) -> RuleGroup:
        section = self._section
        rules = [self._rule(index, rule) for index, rule in enumerate(section.rules)]
        return RuleGroup(
            file=self._document.file,
            name=section.name,
            interval_ms=section.interval or None,
            query_offset_ms=section.query_offset,
            limit=section.limit,
            rules=tuple(rule for rule in rules if rule is not None),
            line=self._document.position(self._at)[0],
        )

    def _rule(self, index: int, rule: _Rule) -> Rule | None:
        """Return a rule, or None after telling what is wrong with it."""
        told = len(self._problems)
        at: Path = (*self._at, "rules", index)
        for field, message in _rule_problems(rule):
            self._tell(at, rule, (field,), message)
        for name in _bad_label_names(rule.labels):
            self._tell(at, rule, ("labels", name), f"invalid label name: {name}")
        if "" in rule.annotations:
            self._tell(at, rule, ("annotations", ""), "invalid annotation name: ")
        parsed = self._plan(at, rule)
        labels = {**self._section.labels, **rule.labels}
        line = self._document.position(at)[0]
        if rule.alert:
            label_templates = self._templates(at, rule, "labels", labels)
            annotations = self._templates(at, rule, "annotations", rule.annotations)
        if parsed is None or len(self._problems) > told:
            return None
        if rule.record:
            return RecordingRule(rule.record, rule.expr, parsed, labels, line)
        return AlertingRule(
            name=rule.alert,
            expr=rule.expr,
            plan=parsed,
            for_ms=rule.for_,
            keep_firing_for_ms=rule.keep_firing_for,
            labels=label_templates,
            annotations=annotations,
            line=line,
        )

    def _plan(self, at: Path, rule: _Rule) -> Plan | None:
        if not rule.expr:
            self._tell(at, rule, ("expr",), "field 'expr' must be set in rule")
            return None
        try:
            return plan(rule.expr)
        except QvmonError as error:
            self._tell(at, rule, ("expr",), f"could not parse expression: {error.message}")
            return None

    def _templates(
        self, at: Path, rule: _Rule, field: str, texts: Mapping[str, str]
    ) -> dict[str, AlertTemplate]:
        templates: dict[str, AlertTemplate] = {}
        for name, text in texts.items():
            try:
                templates[name] = AlertTemplate(rule.alert, text)
            except TemplateError as error:
                message = f'{field.removesuffix("s")} "{name}": {error.message}'
                self._tell(at, rule, (field, name), message)
        return templates

    def _tell(self, at: Path, rule: _Rule, field: Path, message: str) -> None:
        name = rule.alert or rule.record
        text = f'group "{self._section.name}", rule {int(at[-1]) + 1}, "{name}": {message}'
        self._problems.append(self._document.problem((*at, *field), text))


def _rule_problems(rule: _Rule) -> Iterator[tuple[str, str]]:
    if rule.record and rule.alert:
        yield "record", "only one of 'record' and 'alert' must be set"
    if not rule.record and not rule.alert:
        yield "record", "one of 'record' or 'alert' must be set"
    if not rule.record:
        return
    if "{" in rule.record or "}" in rule.record:
        yield (
            "record",
            f"braces present in the recording rule name; should it be in expr?: {rule.record}",
        )
    for field, value in (
        ("annotations", rule.annotations),
        ("for", rule.for_),
        ("keep_firing_for", rule.keep_firing_for),
    ):
        if value:
            yield field, f"invalid field '{field}' in recording rule"
