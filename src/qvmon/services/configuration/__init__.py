"""Configuration, so far: who may use qvmon (users, roles, browser sessions, API tokens)."""

from qvmon.services.configuration.config import AccessConfig, BackoffConfig, PasswordConfig
from qvmon.services.configuration.identity import Identity
from qvmon.services.configuration.projections import PROJECTIONS
from qvmon.services.configuration.service import AccessService
from qvmon.services.configuration.sessions import Session
from qvmon.services.configuration.tokens import SECRET_PREFIX, Token
from qvmon.services.configuration.users import User

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
