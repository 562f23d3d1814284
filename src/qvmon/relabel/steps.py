"""What each action does to a label set."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

from qvmon.model.labels import Labels
from qvmon.relabel.rule import Action, RelabelRule
from qvmon.relabel.template import expand

Draft = dict[str, str]
Step = Callable[[RelabelRule, str, Draft], bool]


def relabel(labels: Mapping[str, str], rules: Iterable[RelabelRule]) -> Labels | None:
    """Return ``labels`` after every rule in order, or nothing when a rule dropped the set.

    Source: Prometheus, model/relabel.
    """
    draft = dict(labels.pairs() if isinstance(labels, Labels) else labels)
    for rule in rules:
        joined = rule.separator.join([draft.get(name, "") for name in rule.source_labels])
        if not _STEPS[rule.action](rule, joined, draft):
            return None
    return Labels(draft)


def _replace(rule: RelabelRule, value: str, draft: Draft) -> bool:
    match = rule.pattern.fullmatch(value)
    if match is not None:
        target = expand(rule.target_label, match)
        if target:
            _put(draft, target, expand(rule.replacement, match))
    return True


def _keep(rule: RelabelRule, value: str, _: Draft) -> bool:
    return rule.pattern.fullmatch(value) is not None


def _drop(rule: RelabelRule, value: str, _: Draft) -> bool:
    return rule.pattern.fullmatch(value) is None


def _keep_equal(rule: RelabelRule, value: str, draft: Draft) -> bool:
    return draft.get(rule.target_label, "") == value


def _drop_equal(rule: RelabelRule, value: str, draft: Draft) -> bool:
    return draft.get(rule.target_label, "") != value


def _hashmod(rule: RelabelRule, value: str, draft: Draft) -> bool:
    digest = hashlib.md5(value.encode(), usedforsecurity=False).digest()
    draft[rule.target_label] = str(int.from_bytes(digest[8:], "big") % rule.modulus)
    return True


def _label_map(rule: RelabelRule, _: str, draft: Draft) -> bool:
    for name, value in sorted(draft.items()):
        match = rule.pattern.fullmatch(name)
        if match is not None:
            _put(draft, expand(rule.replacement, match), value)
    return True


def _label_drop(rule: RelabelRule, _: str, draft: Draft) -> bool:
    for name in [name for name in draft if rule.pattern.fullmatch(name) is not None]:
        del draft[name]
    return True


def _label_keep(rule: RelabelRule, _: str, draft: Draft) -> bool:
    for name in [name for name in draft if rule.pattern.fullmatch(name) is None]:
        del draft[name]
    return True


def _lowercase(rule: RelabelRule, value: str, draft: Draft) -> bool:
    _put(draft, rule.target_label, "".join([char.lower()[0] for char in value]))
    return True


def _uppercase(rule: RelabelRule, value: str, draft: Draft) -> bool:
    _put(draft, rule.target_label, "".join([_upper(char) for char in value]))
    return True


def _upper(char: str) -> str:
    """Return the upper case of one character as Go has it: never more than one character."""
    upper = char.upper()
    return upper if len(upper) == 1 else char


def _put(draft: Draft, name: str, value: str) -> None:
    if value:
        draft[name] = value
    else:
        draft.pop(name, None)


_STEPS: dict[Action, Step] = {
    Action.REPLACE: _replace,
    Action.KEEP: _keep,
    Action.DROP: _drop,
    Action.KEEP_EQUAL: _keep_equal,
    Action.DROP_EQUAL: _drop_equal,
    Action.HASHMOD: _hashmod,
    Action.LABEL_MAP: _label_map,
    Action.LABEL_DROP: _label_drop,
    Action.LABEL_KEEP: _label_keep,
    Action.LOWERCASE: _lowercase,
    Action.UPPERCASE: _uppercase,
}
