"""Configuration, so far: who may use qvmon (users, roles, browser sessions, API tokens)."""

from typing import TYPE_CHECKING

from qvmon.model.front_door import opens_when_used
from qvmon.services.configuration.config import AccessConfig, BackoffConfig, PasswordConfig

if TYPE_CHECKING:
    from qvmon.services.configuration.identity import Identity
    from qvmon.services.configuration.projections import PROJECTIONS
    from qvmon.services.configuration.service import AccessService
    from qvmon.services.configuration.sessions import Session
    from qvmon.services.configuration.tokens import SECRET_PREFIX, Token
    from qvmon.services.configuration.users import User
else:
    __getattr__ = opens_when_used(
        __name__,
        identity=("Identity",),
        projections=("PROJECTIONS",),
        service=("AccessService",),
        sessions=("Session",),
        tokens=("SECRET_PREFIX", "Token"),
        users=("User",),
    )

__all__ = [
    "PROJECTIONS",
    "SECRET_PREFIX",
    "AccessConfig",
    "AccessService",
    "BackoffConfig",
    "Identity",
    "PasswordConfig",
    "Session",
    "Token",
    "User",
]
