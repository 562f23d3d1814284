"""What a process watches, read from ``prometheus.yml`` and the rule files it names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qvmon.adapters.host import matching
from qvmon.app.files import read_text
from qvmon.model.errors import QvmonError
from qvmon.model.labels import Labels
from qvmon.wire.prometheus_config import GlobalConfig, PrometheusConfig, decode_prometheus_config
from qvmon.wire.rule_file import RuleGroup, decode
from qvmon.wire.yaml_document import DocumentError, Problem

NOTHING = PrometheusConfig(GlobalConfig(), Labels(), (), (), (), "")
"""What stands for ``prometheus.yml`` where none is given."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is to be scraped and evaluated.

    Attributes:
        prometheus: The decoded ``prometheus.yml``.
        groups: Every rule group of every rule file.
        warnings: What is in the files and will not be done.
    """

    prometheus: PrometheusConfig
    groups: tuple[RuleGroup, ...]
    warnings: tuple[Problem, ...]


def read_watch(prometheus_config: Path | None) -> Watch:
    """Read ``prometheus.yml`` and its rule files.

    Raises:
        QvmonError: The first file that cannot be read.
        DocumentError: Everything wrong in all files, each with file, line and column.
    """
    prometheus = NOTHING
    if prometheus_config is not None:
        text = read_text(str(prometheus_config))
        prometheus = decode_prometheus_config(text, str(prometheus_config), os.environ)
    problems: list[Problem] = []
    groups = tuple(_groups(_rule_files(prometheus.rule_files), problems))
    if problems:
        raise DocumentError(problems)
    return Watch(prometheus, groups, prometheus.warnings)


def _rule_files(patterns: Iterable[str]) -> list[str]:
    return sorted({path for pattern in patterns for path in matching(pattern)})


def _groups(paths: Iterable[str], problems: list[Problem]) -> Iterator[RuleGroup]:
    for path in paths:
        try:
            yield from decode(read_text(path), path)
        except DocumentError as error:
            problems += error.problems
        except QvmonError as error:
            problems.append(Problem(path, 1, 1, error.message))
