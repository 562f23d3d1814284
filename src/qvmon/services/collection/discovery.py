"""Groups of targets: written in the configuration, or listed in files that are polled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field, TypeAdapter, ValidationError

from qvmon.model.errors import QvmonError, invalid
from qvmon.services.collection.ports import FileStore
from qvmon.wire.prometheus_fields import Section
from qvmon.wire.prometheus_scrape import FileDiscovery, ScrapeConfig
from qvmon.wire.yaml_document import YamlDocument

FILEPATH = "__meta_filepath"


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Addresses that share labels."""

    addresses: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)

    def label_sets(self) -> list[dict[str, str]]:
        """Return each target's own labels."""
        return [{"__address__": address} for address in self.addresses]


class _ListedGroup(Section):
    targets: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)


_LIST = TypeAdapter(tuple[_ListedGroup, ...])


def static_groups(job: ScrapeConfig) -> tuple[TargetGroup, ...]:
    """Return the groups written in a job."""
    return tuple(TargetGroup(each.targets, each.labels) for each in job.static_configs)


def listed_groups(content: bytes, path: str) -> tuple[TargetGroup, ...]:
    """Return the groups that a target list (JSON or YAML, by its name's end) holds.

    Raises:
        QvmonError: INVALID, with the path, for anything but a list of groups.
    """
    try:
        groups = _LIST.validate_python(_plain(content, path))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise invalid(f"{path}: {place}: {first['msg']}", file=path) from None
    return tuple(TargetGroup(group.targets, {**group.labels, FILEPATH: path}) for group in groups)


def _plain(content: bytes, path: str) -> Any:
    try:
        if path.lower().endswith(".json"):
            return json.loads(content, parse_int=str, parse_float=str)
        return YamlDocument(content.decode(), path, scalars_as_written=True).value or []
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise invalid(f"{path}: {error}", file=path) from None


@dataclass(frozen=True, slots=True)
class _List:
    content: bytes
    groups: tuple[TargetGroup, ...]


class FileTargets:
    """The groups of one ``file_sd_configs`` entry; a list that cannot be used keeps its last word.

    A file that is gone takes its targets with it; one that cannot be read or makes no sense
    leaves them as they were, as in Prometheus.
    """

    def __init__(self, discovery: FileDiscovery, files: FileStore) -> None:
        self._discovery = discovery
        self._files = files
        self._lists: dict[str, _List] = {}
        self.problems: dict[str, str] = {}

    def groups(self) -> tuple[TargetGroup, ...]:
        """Return the groups known now."""
        return tuple(group for path in sorted(self._lists) for group in self._lists[path].groups)

    async def refresh(self) -> bool:
        """Look at the files again; return whether the groups changed."""
        before, paths = self.groups(), await self._paths()
        self.problems = {}
        self._lists = {path: known for path, known in self._lists.items() if path in paths}
        for path in paths:
            try:
                await self._read(path)
            except QvmonError as error:
                self.problems[path] = error.message
        return self.groups() != before

    async def _paths(self) -> Sequence[str]:
        found = [await self._files.matching(name) for name in self._discovery.files]
        return sorted({path for paths in found for path in paths})

    async def _read(self, path: str) -> None:
        content = await self._files.read(path)
        known = self._lists.get(path)
        if known is None or known.content != content:
            self._lists[path] = _List(content, listed_groups(content, path))
