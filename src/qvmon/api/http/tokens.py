"""``/tokens``: one's own API tokens, for programs."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from qvmon.api.http.access import AnyIdentity, rest_router
from qvmon.api.http.times import Time, rfc3339
from qvmon.services.configuration import AccessService, Token


class TokenModel(BaseModel):
    """A token; its secret is told only when it is created."""

    token_id: str
    name: str
    roles: list[str]
    created_at: Time
    expires_at: Time


class TokenList(BaseModel):
    """One's own tokens, oldest first."""

    tokens: list[TokenModel]


class NewToken(BaseModel):
    """A token to create."""

    model_config = ConfigDict(extra="forbid")

    name: str
    roles: list[str]
    lifetime_seconds: float | None = Field(default=None, allow_inf_nan=False)


class CreatedToken(TokenModel):
    """A token and its secret, which is shown this once."""

    secret: str


def token_routes(access: AccessService) -> APIRouter:
    """Return the routes for one's own tokens."""
    router = rest_router("tokens")

    @router.get("/tokens", operation_id="listTokens")
    async def list_tokens(identity: AnyIdentity) -> TokenList:
        """List one's own tokens."""
        return TokenList(tokens=[_model(t) for t in await access.list_tokens(identity)])

    @router.post("/tokens", operation_id="createToken", status_code=201)
    async def create_token(identity: AnyIdentity, new: NewToken) -> CreatedToken:
        """Create a token for a program; sent as Bearer, or as the password of Basic."""
        secret, token = await access.create_token(
            identity, new.name, new.roles, new.lifetime_seconds
        )
        return CreatedToken(**_model(token).model_dump(), secret=secret)

    @router.delete("/tokens/{token_id}", operation_id="revokeToken", status_code=204)
    async def revoke_token(identity: AnyIdentity, token_id: str) -> None:
        """Revoke a token at once."""
        await access.revoke_token(identity, token_id)

    return router


def _model(token: Token) -> TokenModel:
    return TokenModel(
        token_id=token.token_id,
        name=token.name,
        roles=sorted(token.roles),
        created_at=rfc3339(token.created_at_us),
        expires_at=rfc3339(token.expires_us),
    )
