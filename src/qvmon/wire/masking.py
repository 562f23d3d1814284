"""Configuration as it may be shown: secrets replaced, every other character kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from qvmon.wire.yaml_document import YamlDocument

_ANCHOR = re.compile(r"&\S+\s+")
SECRET_KEYS = frozenset(
    {"password", "credentials", "bearer_token", "secrets", "client_secret", "secret_key", "token"}
)
SHOWN = "'***'"


def without_secrets(document: YamlDocument) -> str:
    """Return the text of a document with the values of secret keys replaced by ``'***'``."""
    text, shown, done = document.text, [], 0
    for start, end in sorted(set(_secrets(document.root))):
        shown += [text[done:start], SHOWN]
        done = end
    return "".join([*shown, text[done:]])


def _secrets(node: Node | None, *, hidden: bool = False) -> Iterator[tuple[int, int]]:
    """Yield where the scalars of secret values begin and end."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield from _secrets(value, hidden=hidden or key.value in SECRET_KEYS)
    elif isinstance(node, SequenceNode):
        for value in node.value:
            yield from _secrets(value, hidden=hidden)
    elif isinstance(node, ScalarNode) and hidden and node.value:
        yield _span(node)


def _span(node: ScalarNode) -> tuple[int, int]:
    """Return where a scalar stands, without its anchor and without the lines behind a block."""
    start, end = node.start_mark.index, node.end_mark.index
    written = node.start_mark.buffer[start:end]
    anchor = _ANCHOR.match(written)
    return start + (anchor.end() if anchor else 0), start + len(written.rstrip())
