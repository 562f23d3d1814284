"""One relabelling rule, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from qvmon.model.errors import invalid
from qvmon.model.labels import compile_pattern
from qvmon.relabel.template import GroupingPattern

DEFAULT_SEPARATOR = ";"
DEFAULT_REGEX = "(.*)"
DEFAULT_REPLACEMENT = "$1"


class Action(StrEnum):
    """What a rule does with the labels it looks at."""

    REPLACE = "replace"
    KEEP = "keep"
    DROP = "drop"
    KEEP_EQUAL = "keepequal"
    DROP_EQUAL = "dropequal"
    HASHMOD = "hashmod"
    LABEL_MAP = "labelmap"
    LABEL_DROP = "labeldrop"
    LABEL_KEEP = "labelkeep"
    LOWERCASE = "lowercase"
    UPPERCASE = "uppercase"


_NEED_TARGET = frozenset(
    {
        Action.REPLACE,
        Action.HASHMOD,
        Action.LOWERCASE,
        Action.UPPERCASE,
        Action.KEEP_EQUAL,
        Action.DROP_EQUAL,
    }
)
_FIXED_REPLACEMENT = frozenset(
    {Action.LOWERCASE, Action.UPPERCASE, Action.KEEP_EQUAL, Action.DROP_EQUAL}
)


@dataclass(frozen=True, slots=True)
class RelabelRule:
    """One step of relabelling, with Prometheus' defaults and checks.

    Args:
        action: What to do.
        source_labels: Labels whose values are joined by ``separator`` into the rule's input.
        separator: What stands between them.
        regex: RE2 expression that has to match the whole input (or a whole label name).
        modulus: Of ``hashmod``: how many buckets.
        target_label: Where the result goes; a template for ``replace``.
        replacement: Template of the result (of the new label name for ``labelmap``).

    Raises:
        QvmonError: INVALID, in Prometheus' words, for a rule that makes no sense.
    """

    action: Action = Action.REPLACE
    source_labels: tuple[str, ...] = ()
    separator: str = DEFAULT_SEPARATOR
    regex: str = DEFAULT_REGEX
    modulus: int = 0
    target_label: str = ""
    replacement: str = DEFAULT_REPLACEMENT
    pattern: GroupingPattern = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", cast("GroupingPattern", compile_pattern(self.regex)))
        complaint = self._about_missing() or self._about_extra()
        if complaint:
            raise invalid(complaint, action=self.action.value)

    def _about_missing(self) -> str:
        if self.action is Action.HASHMOD and self.modulus <= 0:
            return "relabel configuration for hashmod requires non-zero modulus"
        if self.action in _NEED_TARGET and not self.target_label:
            return f"relabel configuration for {self.action} action requires 'target_label' value"
        if self.action is Action.LABEL_MAP and not self.replacement:
            return "\"\" is invalid 'replacement' for labelmap action"
        return ""

    def _about_extra(self) -> str:
        if self.action in _FIXED_REPLACEMENT and self.replacement != DEFAULT_REPLACEMENT:
            return f"'replacement' can not be set for {self.action} action"
        if self.action in (Action.KEEP_EQUAL, Action.DROP_EQUAL) and (
            self.regex != DEFAULT_REGEX or self._has_arithmetic()
        ):
            return (
                f"{self.action} action requires only 'source_labels' and 'target_label', "
                "and no other fields"
            )
        if self.action in (Action.LABEL_DROP, Action.LABEL_KEEP) and (
            self.source_labels
            or self.target_label
            or self.replacement != DEFAULT_REPLACEMENT
            or self._has_arithmetic()
        ):
            return f"{self.action} action requires only 'regex', and no other fields"
        return ""

    def _has_arithmetic(self) -> bool:
        return self.modulus != 0 or self.separator != DEFAULT_SEPARATOR
