"""Configuration as it may be shown: secrets replaced, comments and order kept."""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML

SECRET_KEYS = frozenset(
    {"password", "credentials", "bearer_token", "secrets", "client_secret", "secret_key", "token"}
)
SHOWN = "***"


def without_secrets(text: str) -> str:
    """Return a YAML document with the values of secret keys replaced by ``***``.

    Args:
        text: A document that has been decoded before, so that it is known to be YAML.
    """
    yaml = YAML()
    yaml.width = 4096
    value = yaml.load(text)
    if value is None:
        return text
    _mask(value)
    out = StringIO()
    yaml.dump(value, out)
    return out.getvalue()


def _mask(value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in SECRET_KEYS:
                _mask(inner)
            elif isinstance(inner, list):
                inner[:] = [SHOWN] * len(inner)
            else:
                value[key] = SHOWN
    elif isinstance(value, list):
        for inner in value:
            _mask(inner)
