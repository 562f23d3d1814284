"""What can be set about a webhook."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class WebhookConfig(BaseModel):
    """One address that takes messages by HTTP POST.

    Attributes:
        url: Where to.
        headers: Sent with every request.
        bearer_token: Sent as ``Authorization: Bearer``; given as ``file:`` or ``env:`` reference
            in the settings and resolved before it comes here.
        username: Sent with ``password`` as Basic authentication.
        password: As ``bearer_token``.
        ca_file: PEM file of authorities to trust instead of the system's.
        certificate_file: PEM client certificate. ``private_key_file``: its key.
        timeout_seconds: One attempt takes no longer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    bearer_token: SecretStr = SecretStr("")
    username: str = ""
    password: SecretStr = SecretStr("")
    ca_file: str = ""
    certificate_file: str = ""
    private_key_file: str = ""
    timeout_seconds: float = Field(default=10.0, gt=0)
