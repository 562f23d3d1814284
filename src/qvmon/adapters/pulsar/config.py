"""What can be set about Apache Pulsar."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

_SCHEMES = ("pulsar://", "pulsar+ssl://")


class PulsarConfig(BaseModel):
    """One cluster.

    Attributes:
        service_url: ``pulsar://host:port`` or ``pulsar+ssl://host:port``, several hosts by comma.
        token: JSON web token; given as ``file:`` or ``env:`` reference in the settings and resolved
            before it comes here.
        ca_file: PEM file of authorities to trust.
        certificate_file: PEM client certificate for mutual TLS. ``private_key_file``: its key.
        validates_hostname: Whether the broker's certificate must name the broker.
        operation_timeout_seconds: Looking up a topic and opening a producer take no longer; kept
            small, because the client shows a refused token as a timeout.
        connection_timeout_seconds: Opening a connection takes no longer.
        send_timeout_seconds: A message not acknowledged by then has failed. Short timeouts make
            repeats: the client itself sends again, under the same sequence id, while a broker
            restarts.
        batching_delay_seconds: Messages wait this long for company; 0 sends each at once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service_url: str = "pulsar://127.0.0.1:6650"
    token: SecretStr = SecretStr("")
    ca_file: str = ""
    certificate_file: str = ""
    private_key_file: str = ""
    validates_hostname: bool = True
    operation_timeout_seconds: int = Field(default=5, ge=1)
    connection_timeout_seconds: float = Field(default=5.0, gt=0)
    send_timeout_seconds: float = Field(default=120.0, gt=0)
    batching_delay_seconds: float = Field(default=0.001, ge=0)

    @model_validator(mode="after")
    def _url_is_a_brokers(self) -> Self:
        if not self.service_url.startswith(_SCHEMES):
            raise ValueError(f"service_url must begin with one of {', '.join(_SCHEMES)}")
        return self
