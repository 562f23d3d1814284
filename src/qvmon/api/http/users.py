"""``/users``: who may log in, and what they may do."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from qvmon.api.http.access import Administrator, rest_router
from qvmon.api.http.times import Time, rfc3339, rfc3339_or_none
from qvmon.services.configuration import AccessService, User


class UserModel(BaseModel):
    """A local user."""

    login: str
    roles: list[str]
    disabled: bool
    must_change_password: bool
    created_at: Time
    changed_at: Time
    last_login_at: Time | None


class UserList(BaseModel):
    """All users, by login name."""

    users: list[UserModel]


class NewUser(BaseModel):
    """A user to create, with a one-time password."""

    model_config = ConfigDict(extra="forbid")

    login: str
    password: str
    roles: list[str]


class UserChange(BaseModel):
    """What to change; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    roles: list[str] | None = None
    disabled: bool | None = None
    password: str | None = None


def user_routes(access: AccessService) -> APIRouter:
    """Return the routes that administer users."""
    router = rest_router("users")

    @router.get("/users", operation_id="listUsers")
    async def list_users(who: Administrator) -> UserList:
        """List every user."""
        return UserList(users=[_model(user) for user in await access.list_users(who.principal)])

    @router.post("/users", operation_id="createUser", status_code=201)
    async def create_user(who: Administrator, new: NewUser) -> UserModel:
        """Create a user; they must change the password at their first login."""
        return _model(await access.create_user(who.principal, new.login, new.password, new.roles))

    @router.patch("/users/{login}", operation_id="changeUser")
    async def change_user(who: Administrator, login: str, change: UserChange) -> UserModel:
        """Change roles, disable or enable, or set a one-time password; ends their sessions."""
        return _model(
            await access.change_user(
                who.principal,
                login,
                role_names=change.roles,
                disabled=change.disabled,
                password=change.password,
            )
        )

    return router


def _model(user: User) -> UserModel:
    return UserModel(
        login=user.login,
        roles=sorted(user.roles),
        disabled=user.disabled,
        must_change_password=user.must_change_password,
        created_at=rfc3339(user.created_at_us),
        changed_at=rfc3339(user.changed_at_us),
        last_login_at=rfc3339_or_none(user.last_login_us),
    )
