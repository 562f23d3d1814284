"""Requirements on access, met on the ledger in memory."""

from __future__ import annotations

import pytest

from qvmon.model.access import Permission, Role, person
from qvmon.model.errors import ErrorKind, QvmonError
from qvmon.model.facts import body_as_json
from qvmon.model.metrics import Registry
from qvmon.services.configuration import (
    PROJECTIONS,
    AccessConfig,
    AccessService,
    Identity,
    PasswordConfig,
)
from qvmon.testing.clock import JumpingClock
from qvmon.testing.ledger import MemoryLedger

CHEAP = PasswordConfig(hash_iterations=1, hash_memory_bytes=8192, hash_lanes=1)
CONFIG = AccessConfig(password=CHEAP, sessions_per_user=3, tokens_per_user=3)
ROOT = person("root", frozenset({Role.ADMINISTRATOR}))
GOOD = "correct horse battery"
BETTER = "staple of another kind"


class House:
    """An access service on a ledger of its own, with short cuts for the stories below."""

    def __init__(self, config: AccessConfig = CONFIG) -> None:
        self.clock = JumpingClock()
        self.ledger = MemoryLedger(self.clock, PROJECTIONS)
        self.config = config
        self.access = self.restarted()

    def restarted(self) -> AccessService:
        return AccessService(self.config, self.ledger, self.clock, Registry())

    async def settled_user(self, login: str, *roles: str) -> tuple[str, Identity]:
        """Create a user who has already chosen a password of their own."""
        await self.access.create_user(ROOT, login, GOOD, roles)
        _, identity = await self.access.log_in(login, GOOD, "10.0.0.1")
        return await self.access.change_own_password(identity, GOOD, BETTER, "10.0.0.1")

    def types(self) -> list[str]:
        return [fact.type for fact in self.ledger.facts]


@pytest.fixture
def house() -> House:
    return House()


async def kind_of(awaitable) -> ErrorKind:
    with pytest.raises(QvmonError) as caught:
        await awaitable
    return caught.value.kind


async def test_first_start_makes_an_administrator_once(house: House) -> None:
    password = await house.access.ensure_administrator()
    assert password is not None
    assert await house.access.ensure_administrator() is None
    secret, identity = await house.access.log_in("admin", password, "::1")
    assert identity.must_change_password
    assert identity.principal.may(Permission.ADMINISTER)
    assert await house.restarted().authenticate_session(secret) == identity


async def test_the_one_time_password_is_replaced_and_old_sessions_end(house: House) -> None:
    password = await house.access.ensure_administrator() or ""
    old, identity = await house.access.log_in("admin", password, "::1")
    new, changed = await house.access.change_own_password(identity, password, BETTER, "::1")
    assert not changed.must_change_password
    assert await house.access.authenticate_session(old) is None
    assert await house.access.authenticate_session(new) == changed
    assert await kind_of(house.access.log_in("admin", password, "::1")) is (
        ErrorKind.UNAUTHENTICATED
    )


async def test_an_administrator_comes_back_when_the_only_one_was_lost(house: House) -> None:
    """Restoring a ledger in which nobody administers must not lock everybody out."""
    assert await house.access.ensure_administrator()
    tables = house.ledger._tables["users"].rows
    tables[("admin",)] = {**tables[("admin",)], "disabled": True}
    password = await house.access.ensure_administrator()
    assert password
    await house.access.log_in("admin", password, "::1")


async def test_secrets_are_in_no_fact_that_is_shown(house: House) -> None:
    secret, identity = await house.settled_user("ada", "viewer")
    token_secret, _ = await house.access.create_token(identity, "ci", ["viewer"])
    shown = repr([body_as_json(fact.body) for fact in house.ledger.facts])
    stored = repr(house.ledger.facts)
    for hidden in (GOOD, BETTER, secret, token_secret):
        assert hidden not in stored
    assert "argon2" in stored
    assert "argon2" not in shown


async def test_every_way_of_failing_to_log_in_looks_the_same(house: House) -> None:
    await house.settled_user("ada", "viewer")
    await house.settled_user("bob", "viewer")
    await house.access.change_user(ROOT, "bob", disabled=True)
    messages = set()
    for login, password in (("ada", "wrong"), ("nobody", "wrong"), ("bob", BETTER)):
        with pytest.raises(QvmonError) as caught:
            await house.access.log_in(login, password, "10.0.0.9")
        messages.add((caught.value.kind, caught.value.message, tuple(caught.value.context)))
    assert len(messages) == 1
    failures = [f.body for f in house.ledger.facts if f.type == "login.failed"]
    assert [each.reason for each in failures] == ["wrong_password", "unknown_user", "disabled"]


async def test_guessing_slows_down_even_with_the_right_password_at_last(house: House) -> None:
    await house.settled_user("ada", "viewer")
    for _ in range(5):
        await kind_of(house.access.log_in("ada", "guess", "10.0.0.9"))
    assert await kind_of(house.access.log_in("ada", BETTER, "10.0.0.9")) is ErrorKind.EXHAUSTED
    await house.access.log_in("ada", BETTER, "10.0.0.1")
    await house.clock.advance(1.0)
    await house.access.log_in("ada", BETTER, "10.0.0.9")


async def test_a_flood_of_failures_writes_so_many_facts_and_counts_the_rest(house: House) -> None:
    recorded = house.config.backoff.recorded_failures_per_minute
    for attempt in range(recorded + 5):
        await kind_of(house.access.log_in(f"user{attempt}", "guess", f"10.0.1.{attempt}"))
    assert house.types().count("login.failed") == recorded
    await house.clock.advance(60)
    await kind_of(house.access.log_in("late", "guess", "10.0.2.1"))
    assert house.ledger.facts[-1].body.unrecorded == 5


async def test_sessions_slide_with_use_and_end_absolutely(house: House) -> None:
    secret, _ = await house.settled_user("ada", "viewer")
    for _ in range(13):
        await house.clock.advance(house.config.session_idle_seconds * 0.99)
        alive = await house.access.authenticate_session(secret)
        assert alive is not None
    await house.clock.advance(house.config.session_idle_seconds * 0.99)
    await house.clock.advance(house.config.session_idle_seconds * 0.2)
    assert await house.access.authenticate_session(secret) is None


async def test_sessions_end_when_unused(house: House) -> None:
    secret, _ = await house.settled_user("ada", "viewer")
    await house.clock.advance(house.config.session_idle_seconds + 1)
    assert await house.access.authenticate_session(secret) is None


async def test_using_a_session_is_recorded_now_and_then_only(house: House) -> None:
    secret, _ = await house.settled_user("ada", "viewer")
    for _ in range(600):
        await house.clock.advance(6.0)
        await house.access.authenticate_session(secret)
    assert 0 <= house.types().count("session.renewed") <= 1


async def test_a_user_has_so_many_sessions_and_the_oldest_gives_way(house: House) -> None:
    secrets = [(await house.settled_user("ada", "viewer"))[0]]
    for _ in range(3):
        await house.clock.advance(1.0)
        secrets.append((await house.access.log_in("ada", BETTER, "::1"))[0])
    alive = [await house.access.authenticate_session(s) is not None for s in secrets]
    assert alive == [False, True, True, True]


@pytest.mark.parametrize(
    "change", [{"role_names": ["responder"]}, {"disabled": True}, {"password": GOOD}]
)
async def test_a_change_of_the_user_ends_their_sessions(house: House, change: dict) -> None:
    secret, _ = await house.settled_user("ada", "viewer")
    assert await house.access.authenticate_session(secret)
    await house.access.change_user(ROOT, "ada", **change)
    assert await house.access.authenticate_session(secret) is None


@pytest.mark.parametrize("change", [{"disabled": True}, {"password": BETTER}])
async def test_no_session_comes_of_a_password_that_is_replaced_while_it_is_checked(
    house: House, monkeypatch: pytest.MonkeyPatch, change: dict
) -> None:
    """Else somebody who knew the old one would stay inside."""
    await house.access.create_user(ROOT, "ada", GOOD, ["viewer"])
    prove = house.access._login.prove

    async def prove_while_the_administrator_acts(*asked: str):
        proven = await prove(*asked)
        await house.access.change_user(ROOT, "ada", **change)
        return proven

    monkeypatch.setattr(house.access._login, "prove", prove_while_the_administrator_acts)
    assert await kind_of(house.access.log_in("ada", GOOD, "::1")) is ErrorKind.UNAUTHENTICATED
    assert "session.opened" not in house.types()


async def test_log_out_ends_the_session(house: House) -> None:
    secret, identity = await house.settled_user("ada", "viewer")
    await house.access.log_out(identity)
    assert await house.access.authenticate_session(secret) is None


async def test_the_last_administrator_cannot_be_lost(house: House) -> None:
    await house.settled_user("ada", "administrator")
    access = house.access
    assert await kind_of(access.change_user(ROOT, "ada", disabled=True)) is ErrorKind.CONFLICT
    demoted = access.change_user(ROOT, "ada", role_names=["viewer"])
    assert await kind_of(demoted) is ErrorKind.CONFLICT
    await house.settled_user("bob", "administrator")
    assert (await access.change_user(ROOT, "ada", role_names=["viewer"])).roles == {Role.VIEWER}


async def test_only_administrators_change_users(house: House) -> None:
    _, ada = await house.settled_user("ada", "operator")
    for act in (
        house.access.list_users(ada.principal),
        house.access.create_user(ada.principal, "eve", GOOD, ["viewer"]),
        house.access.change_user(ada.principal, "ada", role_names=["administrator"]),
    ):
        assert await kind_of(act) is ErrorKind.FORBIDDEN


@pytest.mark.parametrize(
    ("login", "password", "roles"),
    [
        ("Ada Lovelace", GOOD, ["viewer"]),
        ("", GOOD, ["viewer"]),
        ("ada", "short", ["viewer"]),
        ("ada", "x" * 40, ["viewer"]),
        ("ada", "i am ada and proud", ["viewer"]),
        ("ada", GOOD, []),
        ("ada", GOOD, ["king"]),
    ],
)
async def test_bad_users_are_refused_with_the_field(
    house: House, login: str, password: str, roles: list[str]
) -> None:
    with pytest.raises(QvmonError) as caught:
        await house.access.create_user(ROOT, login, password, roles)
    assert caught.value.kind is ErrorKind.INVALID
    assert caught.value.context["field"] in {"login", "password", "roles"}
    assert house.types() == []


async def test_a_token_acts_for_its_owner_with_no_more_than_both_may(house: House) -> None:
    _, ada = await house.settled_user("ada", "operator")
    secret, token = await house.access.create_token(ada, "ci", ["operator"])
    identity = await house.access.authenticate_token(secret)
    assert identity is not None
    assert identity.principal.actor == "token:ada/ci"
    assert identity.principal.may(Permission.OPERATE)
    await house.access.change_user(ROOT, "ada", role_names=["viewer"])
    identity = await house.access.authenticate_token(secret)
    assert identity is not None
    assert not identity.principal.may(Permission.OPERATE)
    assert identity.principal.may(Permission.READ_TELEMETRY)
    assert token.digest not in secret


async def test_a_token_may_be_narrower_than_a_role_of_its_owner(house: House) -> None:
    _, ada = await house.settled_user("ada", "operator")
    secret, _ = await house.access.create_token(ada, "agent", ["ingest"])
    identity = await house.access.authenticate_token(secret)
    assert identity is not None
    assert identity.principal.permissions == {Permission.WRITE_TELEMETRY}


async def test_a_token_cannot_exceed_its_owner(house: House) -> None:
    _, ada = await house.settled_user("ada", "viewer")
    for role in ("administrator", "ingest"):
        assert await kind_of(house.access.create_token(ada, "x", [role])) is ErrorKind.FORBIDDEN


async def test_tokens_end_by_time_revocation_and_their_owners_end(house: House) -> None:
    _, ada = await house.settled_user("ada", "viewer")
    short, _ = await house.access.create_token(ada, "short", ["viewer"], 60.0)
    revoked, token = await house.access.create_token(ada, "revoked", ["viewer"])
    orphan, _ = await house.access.create_token(ada, "orphan", ["viewer"])
    for secret in (short, revoked, orphan):
        assert await house.access.authenticate_token(secret)
    await house.clock.advance(61)
    assert await house.access.authenticate_token(short) is None
    await house.access.revoke_token(ada, token.token_id)
    assert await house.access.authenticate_token(revoked) is None
    await house.access.change_user(ROOT, "ada", disabled=True)
    assert await house.access.authenticate_token(orphan) is None
    assert await house.access.authenticate_token("qvm_made_up") is None


async def test_tokens_are_bounded_named_once_and_live_a_limited_time(house: House) -> None:
    _, ada = await house.settled_user("ada", "viewer")
    create = house.access.create_token
    await create(ada, "a", ["viewer"])
    assert await kind_of(create(ada, "a", ["viewer"])) is ErrorKind.CONFLICT
    for bad in ({"name": " "}, {"name": "x\n"}, {"lifetime_seconds": 0.0}):
        arguments = {"name": "b", "role_names": ["viewer"], **bad}
        assert await kind_of(create(ada, **arguments)) is ErrorKind.INVALID
    await create(ada, "b", ["viewer"])
    await create(ada, "c", ["viewer"])
    assert await kind_of(create(ada, "d", ["viewer"])) is ErrorKind.EXHAUSTED
    assert [token.name for token in await house.access.list_tokens(ada)] == ["a", "b", "c"]


async def test_others_tokens_are_not_there_except_for_administrators(house: House) -> None:
    _, ada = await house.settled_user("ada", "viewer")
    _, bob = await house.settled_user("bob", "viewer")
    _, root = await house.settled_user("root", "administrator")
    _, token = await house.access.create_token(ada, "ci", ["viewer"])
    assert await kind_of(house.access.revoke_token(bob, token.token_id)) is ErrorKind.NOT_FOUND
    await house.access.revoke_token(root, token.token_id)
    assert await house.access.list_tokens(ada) == []


async def test_a_token_cannot_make_tokens(house: House) -> None:
    _, ada = await house.settled_user("ada", "viewer")
    secret, _ = await house.access.create_token(ada, "ci", ["viewer"])
    program = await house.access.authenticate_token(secret)
    assert program is not None
    made = house.access.create_token(program, "more", ["viewer"])
    assert await kind_of(made) is ErrorKind.FORBIDDEN


async def test_projections_rebuild_to_the_same_rows(house: House) -> None:
    _, ada = await house.settled_user("ada", "operator")
    await house.access.create_token(ada, "ci", ["viewer"])
    await house.access.change_user(ROOT, "ada", role_names=["viewer"], disabled=True)
    await house.access.change_user(ROOT, "ada", disabled=False)
    before = {p.name: await house.ledger.rows(p.name) for p in PROJECTIONS}
    house.ledger.rebuild()
    assert {p.name: await house.ledger.rows(p.name) for p in PROJECTIONS} == before


async def test_an_identity_looked_up_before_a_change_is_not_remembered_after_it(
    house: House,
) -> None:
    """A slow read of the directory must not bring a closed session back into the cache."""
    secret, _ = await house.settled_user("ada", "viewer")
    access = house.restarted()
    rows = house.ledger.rows

    async def slow_rows(name, *arguments, **named):
        found = await rows(name, *arguments, **named)
        if name == "users":
            house.ledger.rows = rows
            await access.change_user(ROOT, "ada", disabled=True)
        return found

    house.ledger.rows = slow_rows
    await access.authenticate_session(secret)
    assert await access.authenticate_session(secret) is None
