"""What can be set about e-mail."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class SmtpConfig(BaseModel):
    """One mail server and the readers of one receiver.

    Attributes:
        host: The server's name. ``port``: its port.
        security: ``starttls`` (required, never silently skipped), ``tls`` from the first byte, or
            ``none``.
        ca_file: PEM file of authorities to trust instead of the system's.
        username: With ``password``, logs in.
        password: Given as ``file:`` or ``env:`` reference in the settings and resolved before it
            comes here.
        sender: Address the mail comes from.
        recipients: Addresses it goes to.
        timeout_seconds: No step of the conversation takes longer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str = ""
    username: str = ""
    password: SecretStr = SecretStr("")
    sender: str
    recipients: tuple[str, ...] = Field(min_length=1)
    timeout_seconds: float = Field(default=20.0, gt=0)

    @model_validator(mode="after")
    def _credentials_are_never_sent_in_the_clear(self) -> Self:
        local = self.host in {"localhost", "127.0.0.1", "::1"}
        if self.username and self.security == "none" and not local:
            raise ValueError("a password needs security: starttls or tls")
        return self
