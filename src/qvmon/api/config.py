"""Settings of the API: where it listens and what it takes."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from qvmon.model.errors import QvmonError
from qvmon.model.labels import compile_pattern


class TlsConfig(BaseModel):
    """The server's certificate chain and key.

    Attributes:
        certificate_file: PEM file of the certificate, with intermediate ones after it.
        key_file: PEM file of its private key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    certificate_file: Path
    key_file: Path


class ApiConfig(BaseModel):
    """The HTTP API.

    Attributes:
        host: Address to listen on. ``port``: 0 for any free one.
        tls: Serve HTTPS.
        behind_tls: A proxy in front serves HTTPS: cookies travel over that only.
        no_auth: Every request acts as an administrator; for a machine of one's own only.
        cors_origin: Regular expression of the web origins whose pages may read the Prometheus API;
            the whole origin must match, ``.*`` is every page, empty none.
        anonymous_ingest: ``/api/v1/write`` takes samples from anybody.
        anonymous_metrics: ``/metrics`` answers anybody.
        request_body_bytes: Largest body of a request but for ingest.
        ingest_body_bytes: Largest remote-write body as sent.
        ingest_decoded_bytes: Largest remote-write body once decompressed.
        concurrent_requests: Connections and requests at once; further ones get 503.
        header_bytes: Largest request line with headers.
        keep_alive_seconds: How long an idle connection is kept.
        shutdown_seconds: How long running requests may take when the server stops.
        event_queue_length: Facts that wait for a slow client before it is told it missed some.
        event_poll_seconds: How often the ledger is asked for new facts while anybody listens.
        event_heartbeat_seconds: Between comments that keep an event stream alive.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=9090, ge=0, le=65535)
    tls: TlsConfig | None = None
    behind_tls: bool = False
    no_auth: bool = False
    cors_origin: str = ""
    anonymous_ingest: bool = False
    anonymous_metrics: bool = False
    request_body_bytes: int = Field(default=1 << 20, ge=1024)
    ingest_body_bytes: int = Field(default=32 << 20, ge=1024)
    ingest_decoded_bytes: int = Field(default=256 << 20, ge=1024)
    concurrent_requests: int = Field(default=2000, ge=1)
    header_bytes: int = Field(default=64 << 10, ge=1024)
    keep_alive_seconds: int = Field(default=75, ge=1)
    shutdown_seconds: int = Field(default=5, ge=0)
    event_queue_length: int = Field(default=1000, ge=1)
    event_poll_seconds: float = Field(default=0.25, gt=0)
    event_heartbeat_seconds: float = Field(default=15.0, gt=0)

    @property
    def reached_by_https(self) -> bool:
        """Whether browsers reach it over HTTPS."""
        return self.tls is not None or self.behind_tls

    @field_validator("cors_origin")
    @classmethod
    def _is_an_expression(cls, expression: str) -> str:
        try:
            compile_pattern(expression)
        except QvmonError as error:
            raise ValueError(error.message) from None
        return expression

    @model_validator(mode="after")
    def _loopback_when_open(self) -> ApiConfig:
        if self.no_auth and self.host not in LOOPBACK_HOSTS:
            raise ValueError(f"no_auth is refused on {self.host}: listen on 127.0.0.1 or ::1")
        return self


LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
"""The addresses that only this machine reaches."""
