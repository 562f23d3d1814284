"""What access says about itself."""

from __future__ import annotations

from qvmon.model.metrics import counter, histogram

LOGINS = counter(
    "qvmon_configuration_logins_total",
    "Attempts to log in with a password, by outcome.",
    "outcome",
)
TOKEN_REFUSALS = counter(
    "qvmon_configuration_token_refusals_total",
    "Requests whose API token was not accepted.",
)
CACHE_LOOKUPS = counter(
    "qvmon_configuration_authentication_cache_lookups_total",
    "Look-ups in the authentication cache, by outcome.",
    "outcome",
)
HASH_SECONDS = histogram(
    "qvmon_configuration_password_hash_seconds",
    "Time to hash or verify one password, waiting included.",
    (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
)
