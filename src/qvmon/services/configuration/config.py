"""Settings of access: how long things live and how hard guessing is made."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class PasswordConfig(BaseModel):
    """How passwords are judged and hashed (argon2id, RFC 9106's second recommended option).

    Attributes:
        minimum_characters: The shortest password that may be chosen.
        hash_iterations: Argon2's passes over its memory.
        hash_memory_bytes: Argon2's memory for one hash.
        hash_lanes: Argon2's degree of parallelism.
        concurrent_hashes: Hashes that are computed at once.
        waiting_hashes: Hashes that may wait for their turn; further log-ins are put off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum_characters: int = Field(default=12, ge=8, le=256)
    hash_iterations: int = Field(default=3, ge=1)
    hash_memory_bytes: int = Field(default=64 << 20, ge=8192)
    hash_lanes: int = Field(default=4, ge=1)
    concurrent_hashes: int = Field(default=2, ge=1)
    waiting_hashes: int = Field(default=32, ge=1)


class BackoffConfig(BaseModel):
    """How failed log-ins slow down the next ones.

    Attributes:
        free_failures_per_login_and_address: Failures of a name from one address without a wait.
        free_failures_per_address: Failures from one address, whatever the name, without a wait.
        free_failures_per_login: Failures of a name, wherever from, without a wait.
        longest_delay_seconds: Where the doubling of the wait ends.
        forget_after_seconds: When failures no longer count, after the last one.
        remembered_keys: Names and addresses whose failures are remembered at most.
        recorded_failures_per_minute: Failures that become facts; further ones are only counted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    free_failures_per_login_and_address: int = Field(default=5, ge=1)
    free_failures_per_address: int = Field(default=20, ge=1)
    free_failures_per_login: int = Field(default=50, ge=1)
    longest_delay_seconds: float = Field(default=300.0, gt=0)
    forget_after_seconds: float = Field(default=3600.0, gt=0)
    remembered_keys: int = Field(default=10_000, ge=1)
    recorded_failures_per_minute: int = Field(default=60, ge=1)


class AccessConfig(BaseModel):
    """Users, sessions and tokens.

    Attributes:
        session_idle_seconds: When an unused browser session ends.
        session_absolute_seconds: When a browser session ends in any case.
        sessions_per_user: Browser sessions of one user; the oldest gives way.
        token_default_lifetime_seconds: How long a token lives unless its owner says otherwise.
        token_longest_lifetime_seconds: The most an owner may say.
        tokens_per_user: Tokens of one user.
        authentication_cache_entries: Identities that are remembered.
        authentication_cache_seconds: How long they are believed, and how late at most another
            process sees that a session or token ended.
        password: How passwords are judged and hashed.
        backoff: How failed log-ins slow down the next ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    session_idle_seconds: float = Field(default=12 * 3600.0, gt=0)
    session_absolute_seconds: float = Field(default=7 * 86400.0, gt=0)
    sessions_per_user: int = Field(default=20, ge=1)
    token_default_lifetime_seconds: float = Field(default=90 * 86400.0, gt=0)
    token_longest_lifetime_seconds: float = Field(default=366 * 86400.0, gt=0)
    tokens_per_user: int = Field(default=100, ge=1)
    authentication_cache_entries: int = Field(default=4096, ge=1)
    authentication_cache_seconds: float = Field(default=5.0, ge=0)
    password: PasswordConfig = Field(default_factory=PasswordConfig)
    backoff: BackoffConfig = Field(default_factory=BackoffConfig)
