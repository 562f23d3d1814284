"""``qvmon check``: what is wrong with files, all of it, with places."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from qvmon.app.files import read_text
from qvmon.app.rules import read_watch
from qvmon.app.settings import Overrides, read_settings
from qvmon.model.errors import QvmonError
from qvmon.wire.rule_file import decode
from qvmon.wire.yaml_document import DocumentError, YamlDocument

PROMETHEUS_SECTIONS = frozenset({"global", "scrape_configs", "rule_files"})

Report = tuple[list[str], list[str]]
"""Warnings and problems, a line each."""


def check_configuration(file: Path) -> Report:
    """Return what is wrong with settings or with a ``prometheus.yml``, and the files they name."""

    def check() -> list[str]:
        value = YamlDocument(read_text(str(file)), str(file)).value
        is_prometheus = isinstance(value, dict) and bool(PROMETHEUS_SECTIONS & value.keys())
        watched = file if is_prometheus else read_settings(file, Overrides()).prometheus_config
        return [str(warning) for warning in read_watch(watched).warnings]

    return _reported(check)


def check_rule_files(files: Iterable[Path]) -> Report:
    """Return what is wrong with rule files."""
    problems: list[str] = []
    for file in files:

        def check(file: Path = file) -> list[str]:
            decode(read_text(str(file)), str(file))
            return []

        problems += _reported(check)[1]
    return [], problems


def _reported(check: Callable[[], list[str]]) -> Report:
    try:
        return check(), []
    except DocumentError as error:
        return [], [str(problem) for problem in error.problems]
    except QvmonError as error:
        return [], [error.message]
