"""``prometheus.yml`` as it is: everything wrong, and everything not supported, with its place.

Pure: reading the file, its globs and the environment is the caller's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from qvmon.model.errors import QvmonError
from qvmon.model.labels import Labels
from qvmon.promql.durations import parse_duration
from qvmon.wire import prometheus_gaps as gaps
from qvmon.wire.masking import without_secrets
from qvmon.wire.prometheus_fields import DurationMs, Section
from qvmon.wire.prometheus_scrape import ScrapeConfig, ScrapeLimits, ScrapeProtocol
from qvmon.wire.yaml_document import DocumentError, Path, Problem, YamlDocument

_RULE_PATH = re.compile(r"[^*]*(\*[^/]*)?")
_VARIABLE = re.compile(r"\$(?:\{([^}]*)\}|(\w+)|(\$))")

_SECTIONS = frozenset({"global", "rule_files", "scrape_configs"})
_UNSAID = (None, "0", "0s")
_DEFAULT_TIMEOUT_MS = 10_000
_MINUTE_MS = 60_000

_Model = TypeVar("_Model", bound=Section)
_OrMinute = Annotated[DurationMs, AfterValidator(lambda ms: ms or _MINUTE_MS)]


class GlobalConfig(ScrapeLimits):
    """What holds for every job that does not say otherwise."""

    scrape_interval_ms: _OrMinute = Field(default=_MINUTE_MS, alias="scrape_interval")
    scrape_timeout_ms: DurationMs = Field(default=0, alias="scrape_timeout")
    evaluation_interval_ms: _OrMinute = Field(default=_MINUTE_MS, alias="evaluation_interval")
    external_labels: dict[str, str] = Field(default_factory=dict)
    extra_scrape_metrics: bool = False
    scrape_protocols: tuple[ScrapeProtocol, ...] | None = None

    @model_validator(mode="after")
    def _timeout_fits(self) -> Self:
        if self.scrape_timeout_ms > self.scrape_interval_ms:
            raise ValueError("global scrape timeout greater than scrape interval")
        return self


_INHERITED = frozenset(
    {*ScrapeLimits.model_fields, "scrape_interval_ms", "extra_scrape_metrics", "scrape_protocols"}
)


class _TopLevel(Section):
    """The outermost mapping; its sections are validated one by one, so that all is heard."""

    global_: Any = Field(default=None, alias="global")
    rule_files: tuple[str, ...] = ()
    scrape_configs: list[Any] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PrometheusConfig:
    """A whole ``prometheus.yml``.

    Attributes:
        defaults: The ``global`` section.
        external_labels: Its external labels, environment variables put in.
        rule_files: Patterns, relative ones joined to the file's directory.
        scrape_configs: The jobs, with everything inherited from ``global`` filled in.
        warnings: What Prometheus would have done and qvmon will not.
        shown: The file as it may be shown, without secrets.
    """

    defaults: GlobalConfig
    external_labels: Labels
    rule_files: tuple[str, ...]
    scrape_configs: tuple[ScrapeConfig, ...]
    warnings: tuple[Problem, ...]
    shown: str


def decode_prometheus_config(
    text: str, file: str, environment: Mapping[str, str]
) -> PrometheusConfig:
    """Return the configuration in ``text``.

    Args:
        text: The file's text.
        file: Its path; relative paths inside are taken from its directory.
        environment: What ``${NAME}`` in external labels may stand for.

    Raises:
        DocumentError: All that Prometheus would refuse, each with line and column.
    """
    return _Decoder(YamlDocument(text, file, scalars_as_written=True), environment).decoded()


class _Decoder:
    """One decoding: the document, and what has been found wrong or missing so far."""

    def __init__(self, document: YamlDocument, environment: Mapping[str, str]) -> None:
        self._document = document
        self._environment = environment
        self._directory = PurePath(document.file).parent
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []

    def decoded(self) -> PrometheusConfig:
        self._set_aside((), gaps.TOP_LEVEL)
        self._set_aside(("global",), gaps.GLOBAL)
        self._refuse_unknown_sections()
        top = self._validated(_TopLevel, ()) or _TopLevel()
        defaults = (top.global_ and self._validated(GlobalConfig, ("global",))) or GlobalConfig()
        jobs = [self._job(index, defaults) for index in range(len(top.scrape_configs))]
        self._refuse_repeated_names(jobs)
        rule_files = tuple(self._rule_files(top))
        if self._problems:
            raise DocumentError(sorted(self._problems, key=_place))
        return PrometheusConfig(
            defaults,
            Labels({k: self._expanded(v) for k, v in defaults.external_labels.items()}),
            rule_files,
            tuple(job for job in jobs if job is not None),
            tuple(sorted(self._warnings, key=_place)),
            without_secrets(self._document),
        )

    def _refuse_unknown_sections(self) -> None:
        """Complain about unknown sections apart, so that the known ones are still looked at."""
        value = self._document.value
        if isinstance(value, dict):
            for name in value.keys() - _SECTIONS:
                del value[name]
                self._refuse((name,), f"{name}: unknown field")

    def _job(self, index: int, defaults: GlobalConfig) -> ScrapeConfig | None:
        path: Path = ("scrape_configs", index)
        self._set_aside(path, gaps.SCRAPE)
        self._set_aside((*path, "tls_config"), gaps.TLS)
        raw = self._at(path)
        if isinstance(raw, dict):
            _join_files(raw, self._directory)
            _inherit(raw, defaults)
        job = self._validated(ScrapeConfig, path)
        if job is not None and ScrapeProtocol.PROTOBUF in job.scrape_protocols:
            self._warn((*path, "scrape_protocols"), ScrapeProtocol.PROTOBUF.value)
        return job

    def _refuse_repeated_names(self, jobs: list[ScrapeConfig | None]) -> None:
        seen: set[str] = set()
        for index, job in enumerate(jobs):
            if job is not None and job.job_name in seen:
                self._refuse(
                    ("scrape_configs", index, "job_name"),
                    f'found multiple scrape configs with job name "{job.job_name}"',
                )
            seen.update([] if job is None else [job.job_name])

    def _rule_files(self, top: _TopLevel) -> Iterator[str]:
        for index, pattern in enumerate(top.rule_files):
            if not _RULE_PATH.fullmatch(pattern):
                self._refuse(("rule_files", index), f'invalid rule file path "{pattern}"')
            yield str(self._directory / pattern)

    def _expanded(self, value: str) -> str:
        def variable(match: re.Match[str]) -> str:
            return "$" if match[3] else self._environment.get(match[1] or match[2] or "", "")

        return _VARIABLE.sub(variable, value)

    def _set_aside(self, path: Path, names: frozenset[str]) -> None:
        section = self._at(path)
        if isinstance(section, dict):
            for name in names & section.keys():
                del section[name]
                self._warn((*path, name), name)

    def _validated(self, model: type[_Model], path: Path) -> _Model | None:
        try:
            return self._document.validated(model, path)
        except DocumentError as error:
            self._problems += error.problems
            return None

    def _at(self, path: Path) -> Any:
        value = self._document.value
        for step in path:
            if isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and isinstance(step, int):
                value = value[step]
            else:
                return None
        return value

    def _warn(self, path: Path, name: str) -> None:
        self._warnings.append(
            self._document.problem(path, f"{name} is not supported yet and has no effect")
        )

    def _refuse(self, path: Path, message: str) -> None:
        self._problems.append(self._document.problem(path, message))


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column


def _join_files(section: dict[Any, Any], directory: PurePath) -> None:
    """Take relative file names in a job from the configuration file's directory."""
    for key, value in section.items():
        if isinstance(value, str) and value and str(key).endswith("_file"):
            section[key] = str(directory / value)
        elif key == "files" and isinstance(value, list):
            section[key] = [str(directory / str(each)) for each in value]
        elif key not in ("labels", "params"):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    _join_files(each, directory)


def _inherit(job: dict[Any, Any], defaults: GlobalConfig) -> None:
    """Fill in what a job leaves to ``global``; a zero leaves it too, as in Prometheus."""
    inherited = defaults.model_dump(by_alias=True, include=set(_INHERITED), exclude_none=True)
    for name, value in inherited.items():
        if job.get(name) in _UNSAID:
            job[name] = value
    if job.get("scrape_timeout") in _UNSAID:
        longest = defaults.scrape_timeout_ms or _DEFAULT_TIMEOUT_MS
        job["scrape_timeout"] = min(longest, _milliseconds(job["scrape_interval"]))


def _milliseconds(interval: str | int) -> int:
    """Return a raw interval; one that is wrong is complained about where it is validated."""
    try:
        return parse_duration(interval) if isinstance(interval, str) else interval
    except QvmonError:
        return _DEFAULT_TIMEOUT_MS
