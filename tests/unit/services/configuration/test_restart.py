"""Access on a real ledger on disk: what was decided holds after a restart."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path

from qvmon.model.access import Role, person
from qvmon.model.clock import SystemClock
from qvmon.model.metrics import Registry
from qvmon.services.configuration import PROJECTIONS, AccessConfig, AccessService, PasswordConfig
from qvmon.stores.ledger import LedgerConfig, LedgerStore

CONFIG = AccessConfig(
    password=PasswordConfig(hash_iterations=1, hash_memory_bytes=8192, hash_lanes=1)
)
ROOT = person("root", frozenset({Role.ADMINISTRATOR}))
PASSWORD = "correct horse battery"
OWN_PASSWORD = "staple of another kind"


@asynccontextmanager
async def access_in(folder: Path):
    clock = SystemClock()
    ledger = LedgerStore(
        folder,
        LedgerConfig(),
        chain="test",
        holder="test",
        projections=PROJECTIONS,
        clock=clock,
        registry=Registry(),
    )
    await ledger.start()
    try:
        yield AccessService(CONFIG, ledger, clock, Registry())
    finally:
        await ledger.stop()


async def test_users_sessions_and_tokens_outlive_the_process(tmp_path: Path) -> None:
    async with access_in(tmp_path) as access:
        assert await access.ensure_administrator()
        await access.create_user(ROOT, "ada", PASSWORD, ["viewer", "responder"])
        _, identity = await access.log_in("ada", PASSWORD, "::1")
        cookie, identity = await access.change_own_password(identity, PASSWORD, OWN_PASSWORD, "::1")
        secret, token = await access.create_token(identity, "ci", ["viewer"])
        ended, _ = await access.log_in("ada", OWN_PASSWORD, "::1")
        await access.log_out(await access.authenticate_session(ended))
    async with access_in(tmp_path) as access:
        assert await access.ensure_administrator() is None
        assert await access.authenticate_session(cookie) == identity
        assert await access.authenticate_session(ended) is None
        program = await access.authenticate_token(secret)
        assert program.principal.name == "ada/ci"
        assert await access.list_tokens(identity) == [token]
        await access.change_user(ROOT, "ada", disabled=True)
    async with access_in(tmp_path) as access:
        assert await access.authenticate_session(cookie) is None
        assert await access.authenticate_token(secret) is None
        (ada, _) = await access.list_users(ROOT)
        assert ada.disabled
        assert ada.roles == {Role.VIEWER, Role.RESPONDER}
