"""One ``scrape_configs`` entry of ``prometheus.yml``, with Prometheus' defaults and checks."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cached_property
from typing import Any, Self

from pydantic import Field, NonNegativeInt, model_validator

from qvmon.model.errors import QvmonError
from qvmon.model.ports import TlsOptions
from qvmon.relabel import Action, RelabelRule
from qvmon.relabel.rule import DEFAULT_REGEX, DEFAULT_REPLACEMENT, DEFAULT_SEPARATOR
from qvmon.wire.prometheus_fields import NO_SECRET, DurationMs, SecretText, Section, SizeBytes

_FILE_SD_NAME = re.compile(r"[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)")


class ScrapeProtocol(StrEnum):
    """The formats a target may be asked for."""

    PROTOBUF = "PrometheusProto"
    TEXT_0_0_4 = "PrometheusText0.0.4"
    TEXT_1_0_0 = "PrometheusText1.0.0"
    OPEN_METRICS_0_0_1 = "OpenMetricsText0.0.1"
    OPEN_METRICS_1_0_0 = "OpenMetricsText1.0.0"


DEFAULT_PROTOCOLS = (
    ScrapeProtocol.OPEN_METRICS_1_0_0,
    ScrapeProtocol.OPEN_METRICS_0_0_1,
    ScrapeProtocol.TEXT_1_0_0,
    ScrapeProtocol.TEXT_0_0_4,
)


class RelabelSection(Section):
    """One relabelling rule as it is written."""

    action: str = Action.REPLACE.value
    source_labels: tuple[str, ...] = ()
    separator: str = DEFAULT_SEPARATOR
    regex: str = DEFAULT_REGEX
    modulus: NonNegativeInt = 0
    target_label: str = ""
    replacement: str = DEFAULT_REPLACEMENT

    @model_validator(mode="before")
    @classmethod
    def _empty_regex(cls, value: Any) -> Any:
        if isinstance(value, dict) and "regex" in value and value["regex"] is None:
            return {**value, "regex": ""}
        return value

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        try:
            _ = self.rule
        except QvmonError as error:
            raise ValueError(error.message) from None
        return self

    @cached_property
    def rule(self) -> RelabelRule:
        """The rule itself."""
        if self.action.lower() not in list(Action):
            raise ValueError(f'unknown relabel action "{self.action}"')
        return RelabelRule(
            Action(self.action.lower()),
            self.source_labels,
            self.separator,
            self.regex,
            self.modulus,
            self.target_label,
            self.replacement,
        )


class StaticConfig(Section):
    """Targets that are written down."""

    targets: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)


class FileDiscovery(Section):
    """Targets that files list; the files are looked at again every ``refresh_interval``."""

    files: tuple[str, ...] = Field(min_length=1)
    refresh_interval_ms: DurationMs = Field(default=300_000, alias="refresh_interval", gt=0)

    @model_validator(mode="after")
    def _names(self) -> Self:
        for name in self.files:
            if not _FILE_SD_NAME.fullmatch(name):
                raise ValueError(f'path name "{name}" is not valid for file discovery')
        return self


class BasicAuth(Section):
    """User and password, each given or in a file."""

    username: str = ""
    username_file: str = ""
    password: SecretText = NO_SECRET
    password_file: str = ""

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if self.username and self.username_file:
            raise ValueError("at most one of username & username_file must be configured")
        if self.password and self.password_file:
            raise ValueError("at most one of password & password_file must be configured")
        return self


class Authorization(Section):
    """The ``Authorization`` header."""

    type: str = "Bearer"
    credentials: SecretText = NO_SECRET
    credentials_file: str = ""

    @model_validator(mode="after")
    def _not_basic(self) -> Self:
        if self.credentials and self.credentials_file:
            raise ValueError("at most one of credentials & credentials_file must be configured")
        if self.type.strip().lower() == "basic":
            raise ValueError(
                'authorization type cannot be set to "basic", use "basic_auth" instead'
            )
        return self


class TlsConfig(Section):
    """TLS towards targets; files are PEM."""

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    server_name: str = ""
    insecure_skip_verify: bool = False

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if bool(self.cert_file) != bool(self.key_file):
            raise ValueError("exactly one of cert_file and key_file is given: both are needed")
        return self

    def options(self) -> TlsOptions:
        """Return what the outbound client takes."""
        return TlsOptions(**self.model_dump())


class HeaderValues(Section):
    """The values of one additional request header."""

    values: tuple[str, ...] = ()
    secrets: tuple[SecretText, ...] = ()
    files: tuple[str, ...] = ()


class ScrapeLimits(Section):
    """What a scrape may bring; 0 is no limit."""

    body_size_limit_bytes: SizeBytes = Field(default=0, alias="body_size_limit")
    sample_limit: NonNegativeInt = 0
    target_limit: NonNegativeInt = 0
    label_limit: NonNegativeInt = 0
    label_name_length_limit: NonNegativeInt = 0
    label_value_length_limit: NonNegativeInt = 0
    keep_dropped_targets: NonNegativeInt = 0


class ScrapeConfig(ScrapeLimits):
    """A job: where its targets come from and how each is scraped."""

    job_name: str = Field(min_length=1)
    scrape_interval_ms: DurationMs = Field(default=60_000, alias="scrape_interval", gt=0)
    scrape_timeout_ms: DurationMs = Field(default=10_000, alias="scrape_timeout", gt=0)
    scheme: str = "http"
    metrics_path: str = "/metrics"
    params: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    honor_labels: bool = False
    honor_timestamps: bool = True
    track_timestamps_staleness: bool = False
    extra_scrape_metrics: bool = False
    enable_compression: bool = True
    scrape_protocols: tuple[ScrapeProtocol, ...] = DEFAULT_PROTOCOLS
    fallback_scrape_protocol: ScrapeProtocol | None = None
    static_configs: tuple[StaticConfig, ...] = ()
    file_sd_configs: tuple[FileDiscovery, ...] = ()
    relabel_configs: tuple[RelabelSection, ...] = ()
    metric_relabel_configs: tuple[RelabelSection, ...] = ()
    basic_auth: BasicAuth | None = None
    authorization: Authorization | None = None
    bearer_token: SecretText = NO_SECRET
    bearer_token_file: str = ""
    tls_config: TlsConfig = TlsConfig()
    follow_redirects: bool = True
    enable_http2: bool = True
    http_headers: dict[str, HeaderValues] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.scrape_timeout_ms > self.scrape_interval_ms:
            raise ValueError(
                "scrape timeout greater than scrape interval for scrape config "
                f'with job name "{self.job_name}"'
            )
        if not self.scrape_protocols:
            raise ValueError("scrape_protocols cannot be empty")
        if len(set(self.scrape_protocols)) < len(self.scrape_protocols):
            raise ValueError("duplicated protocol in scrape_protocols")
        self._check_credentials()
        self._check_static_targets()
        return self

    def _check_credentials(self) -> None:
        if self.bearer_token and self.bearer_token_file:
            raise ValueError("at most one of bearer_token & bearer_token_file must be configured")
        ways = (
            self.basic_auth is not None,
            self.authorization is not None,
            bool(self.bearer_token or self.bearer_token_file),
        )
        if sum(ways) > 1:
            raise ValueError(
                "at most one of basic_auth, authorization & bearer_token must be configured"
            )

    def _check_static_targets(self) -> None:
        if self.relabel_configs:
            return
        for group in self.static_configs:
            for target in group.targets:
                if "/" in target:
                    raise ValueError(f'"{target}" is not a valid hostname')

    @cached_property
    def target_rules(self) -> tuple[RelabelRule, ...]:
        """The rules that make targets of what was discovered."""
        return tuple(each.rule for each in self.relabel_configs)

    @cached_property
    def metric_rules(self) -> tuple[RelabelRule, ...]:
        """The rules that every scraped series passes."""
        return tuple(each.rule for each in self.metric_relabel_configs)
