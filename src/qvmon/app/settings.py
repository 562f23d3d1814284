"""Settings: one YAML file, what the command line lays over it, and its secrets resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from qvmon.adapters.outbound import OutboundConfig
from qvmon.adapters.peer import PeerConfig
from qvmon.adapters.pulsar import PulsarConfig
from qvmon.adapters.smtp import SmtpConfig
from qvmon.adapters.webhook import WebhookConfig
from qvmon.api.config import ApiConfig
from qvmon.app.files import read_text
from qvmon.app.secrets import resolve
from qvmon.app.targets import ALL, modules_of
from qvmon.model.errors import QvmonError, invalid
from qvmon.promql import parse_duration
from qvmon.services.alerting import AlertingConfig
from qvmon.services.collection import CollectionConfig
from qvmon.services.configuration import AccessConfig
from qvmon.services.distribution import DeliveryPolicy, DistributionConfig
from qvmon.services.incidents import IncidentsConfig
from qvmon.stores.analysis import AnalysisConfig
from qvmon.stores.ledger import LedgerConfig
from qvmon.stores.query import QueryConfig
from qvmon.stores.telemetry import TelemetryConfig
from qvmon.wire.yaml_document import DocumentError, Problem, YamlDocument

Model = TypeVar("Model", bound=BaseModel)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PeerSettings(PeerConfig):
    """Another qvmon process whose series this one reads.

    Attributes:
        token: An API token that may read telemetry, as ``env:NAME`` or ``file:PATH``.
    """

    token: SecretStr = SecretStr("")


class ReceiverSettings(_Section):
    """A name that routes point at, and the places behind it.

    Attributes:
        name: What routes call it.
        webhooks: Addresses that take Alertmanager's webhook body.
        emails: Mail servers and readers.
        policy: Retries, circuit breaking and patience.
    """

    name: str = Field(min_length=1)
    webhooks: tuple[WebhookConfig, ...] = ()
    emails: tuple[SmtpConfig, ...] = ()
    policy: DeliveryPolicy = DeliveryPolicy()

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if not self.webhooks and not self.emails:
            raise ValueError(f"receiver {self.name!r} has neither webhooks nor emails")
        return self


class EventSettings(_Section):
    """Where events are published.

    Attributes:
        pulsar: The cluster.
        incidents_topic: Takes incident events. ``alerts_topic``: takes alert events.
        source: CloudEvents source of what this installation publishes.
        policy: Retries, circuit breaking and patience.
    """

    pulsar: PulsarConfig
    incidents_topic: str = "persistent://quantivista/monitoring/incidents"
    alerts_topic: str = "persistent://quantivista/monitoring/alerts"
    source: str = "/quantivista/monitoring"
    policy: DeliveryPolicy = DeliveryPolicy()


class LocalSettings(_Section):
    """What is watched without being named in ``prometheus.yml``.

    Attributes:
        host: This machine, as job ``node``, under node_exporter's names.
        qvmon: This process, as job ``qvmon``.
    """

    host: bool = True
    qvmon: bool = True


class Settings(_Section):
    """Everything a process can be told.

    Attributes:
        instance: Names this process: its hash chain and its ``instance`` label.
        data_dir: Where everything is kept; one process owns it.
        targets: What runs here; see ``qvmon serve --help``.
        external_url: Where people reach the web client; in notifications.
        prometheus_config: A ``prometheus.yml``: what to scrape, which rules to evaluate.
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
        receivers: Whom alerts are told. ``events``: where events are published.
        outbound: Where requests may go.
        peer: Reads series from another process instead of the embedded store.
    """

    instance: str = Field(default="main", pattern=r"^[A-Za-z0-9._-]+$")
    data_dir: Path = Path("data")
    targets: tuple[str, ...] = (ALL,)
    external_url: str = ""
    prometheus_config: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    api: ApiConfig = ApiConfig()
    access: AccessConfig = AccessConfig()
    telemetry: TelemetryConfig = TelemetryConfig()
    query: QueryConfig = QueryConfig()
    analysis: AnalysisConfig = AnalysisConfig()
    ledger: LedgerConfig = LedgerConfig()
    outbound: OutboundConfig = OutboundConfig()
    local: LocalSettings = LocalSettings()
    collection: CollectionConfig = CollectionConfig()
    alerting: AlertingConfig = AlertingConfig()
    incidents: IncidentsConfig = IncidentsConfig()
    distribution: DistributionConfig = DistributionConfig()
    receivers: tuple[ReceiverSettings, ...] = ()
    events: EventSettings | None = None
    peer: PeerSettings | None = None

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [receiver.name for receiver in self.receivers]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"two receivers are called {repeated[0]!r}")
        unknown = [name for name in self.alerting.route.receivers if name not in names]
        if unknown:
            raise ValueError(f"the route names receiver {unknown[0]!r}, which is not configured")
        try:
            modules_of(self.targets)
        except QvmonError as error:
            raise ValueError(error.message) from None
        return self

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules this process runs, in the order they start."""
        return modules_of(self.targets)

    @property
    def public_url(self) -> str:
        """Where people reach this installation."""
        if self.external_url:
            return self.external_url.rstrip("/")
        scheme = "https" if self.api.tls else "http"
        return f"{scheme}://{self.api.host}:{self.api.port}"


AS_PROMETHEUS = Settings(
    local=LocalSettings(host=False, qvmon=False),
    alerting=AlertingConfig(unknown_hold_seconds=0),
)
"""What holds without settings: what ``prometheus.yml`` names, as Prometheus does it."""


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line says; None and empty leave the file's word."""

    prometheus_config: Path | None = None
    data_dir: Path | None = None
    listen: str | None = None
    targets: tuple[str, ...] = ()
    no_auth: bool = False
    out_of_order_window: str | None = None
    log_level: str | None = None


def read_settings(file: Path | None, overrides: Overrides) -> Settings:
    """Return the settings of ``file`` with ``overrides`` laid over them, secrets resolved.

    Relative paths in the file are taken from its directory.

    Raises:
        DocumentError: What is wrong in the file or with a secret of it, with line and column.
        QvmonError: INVALID, for what is wrong on the command line.
    """
    if file is None:
        return _overridden(AS_PROMETHEUS, overrides)
    document = YamlDocument(read_text(str(file)), str(file))
    settings = _overridden(_from_file(document, file), overrides)
    refused: list[Problem] = []
    settings = _with_secrets(settings, (), document, refused)
    if refused:
        raise DocumentError(refused)
    return settings


def _from_file(document: YamlDocument, file: Path) -> Settings:
    if not isinstance(document.value, dict | None):
        raise DocumentError([document.problem((), "settings are a mapping of names to values")])
    settings = document.validated(Settings)
    here = file.parent
    paths: dict[str, Any] = {"data_dir": here / settings.data_dir}
    if settings.prometheus_config is not None:
        paths["prometheus_config"] = here / settings.prometheus_config
    return settings.model_copy(update=paths)


def _overridden(settings: Settings, overrides: Overrides) -> Settings:
    said: dict[str, Any] = {
        name: value
        for name in ("prometheus_config", "data_dir", "targets", "log_level")
        if (value := getattr(overrides, name))
    }
    api: dict[str, Any] = {"no_auth": True} if overrides.no_auth else {}
    if overrides.listen is not None:
        api["host"], api["port"] = _host_and_port(overrides.listen)
    if api:
        said["api"] = {**settings.api.model_dump(), **api}
    if overrides.out_of_order_window is not None:
        window = parse_duration(overrides.out_of_order_window) / 1000
        said["telemetry"] = {
            **settings.telemetry.model_dump(),
            "out_of_order_window_seconds": window,
        }
    return _revalidated(settings, said)


def _revalidated(settings: Settings, said: dict[str, Any]) -> Settings:
    if not said:
        return settings
    kept = {name: getattr(settings, name) for name in Settings.model_fields}
    try:
        return Settings.model_validate({**kept, **said})
    except ValidationError as error:
        raise invalid("; ".join(_reason(each) for each in error.errors())) from None


def _reason(error: Mapping[str, Any]) -> str:
    place = ".".join(map(str, error["loc"]))
    message = error["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _host_and_port(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit():
        raise invalid(f"--listen takes HOST:PORT, such as 127.0.0.1:9090, not {listen!r}")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - as ":9090" means everywhere


def _with_secrets(
    model: Model, path: tuple[str | int, ...], document: YamlDocument, refused: list[Problem]
) -> Model:
    """Return ``model`` with every secret reference in it replaced by the secret."""
    resolved = {
        name: _resolved(getattr(model, name), (*path, name), document, refused)
        for name in type(model).model_fields
    }
    changed = {k: v for k, v in resolved.items() if v is not getattr(model, k)}
    return model.model_copy(update=changed) if changed else model


def _resolved(
    value: Any, path: tuple[str | int, ...], document: YamlDocument, refused: list[Problem]
) -> Any:
    if isinstance(value, SecretStr):
        try:
            return SecretStr(resolve(value.get_secret_value(), ".".join(map(str, path))))
        except QvmonError as error:
            refused.append(document.problem(path, error.message))
    if isinstance(value, BaseModel):
        return _with_secrets(value, path, document, refused)
    if isinstance(value, tuple) and any(isinstance(each, BaseModel) for each in value):
        parts = enumerate(value)
        return tuple(_resolved(each, (*path, at), document, refused) for at, each in parts)
    return value
