import hashlib
import os
import socket
import string
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from tests.support.admin_daemon import START, FakeClock

from offhook.admin.auth import Penalties, Tokens, describe_user, identify_peer
from offhook.errors import Conflict, Invalid, NotFound, RequestRefused
from offhook.store.sql.engine import open_engine
from offhook.store.sql.tables import metadata
from offhook.store.tokens import Role, SqlTokenStore


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(tmp_path: Path) -> SqlTokenStore:
    engine = open_engine(tmp_path / "inventory.db")
    metadata.create_all(engine)
    return SqlTokenStore(engine)


@pytest.fixture
def tokens(store: SqlTokenStore, clock: FakeClock) -> Tokens:
    return Tokens(store, clock, ThreadPoolExecutor(1), count(1).__next__)


async def test_a_token_has_256_random_bits_and_only_its_digest_is_kept(tokens: Tokens, store: SqlTokenStore) -> None:
    token, text = await tokens.create("ci", Role.OPERATOR, None)
    plain = text.reveal()
    assert plain.startswith("ofh_")
    assert len(plain) == 4 + 43
    assert set(plain[4:]) <= set(string.ascii_letters + string.digits + "-_")
    [stored] = store.load()
    assert stored == token
    assert stored.digest == hashlib.sha256(plain.encode()).digest()


async def test_a_token_is_known_after_a_restart(tokens: Tokens, store: SqlTokenStore, clock: FakeClock) -> None:
    _, text = await tokens.create("ci", Role.OPERATOR, None)
    again = Tokens(store, clock, ThreadPoolExecutor(1), count(1).__next__)
    await again.load()
    identity = await again.identify(text.reveal(), "10.0.0.9")
    assert identity is not None
    assert (identity.name, identity.origin, identity.role) == ("token ci", "10.0.0.9", Role.OPERATOR)


@pytest.mark.parametrize("text", ["", "ofh_", "ofh_" + "A" * 43, "Bearer", "ofh_" + "A" * 500, "ofh_\udce9"])
async def test_what_is_no_token_identifies_nobody(tokens: Tokens, text: str) -> None:
    await tokens.create("ci", Role.VIEWER, None)
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    assert await tokens.identify(text, "10.0.0.9") is None


async def test_an_expired_token_identifies_nobody(tokens: Tokens, clock: FakeClock) -> None:
    _, text = await tokens.create("ci", Role.VIEWER, START + 60)
    assert await tokens.identify(text.reveal(), "10.0.0.9") is not None
    clock.time += 60
    assert await tokens.identify(text.reveal(), "10.0.0.9") is None


async def test_a_revoked_token_identifies_nobody_and_is_gone_from_disk(tokens: Tokens, store: SqlTokenStore) -> None:
    _, text = await tokens.create("ci", Role.VIEWER, None)
    await tokens.revoke("CI")
    assert await tokens.identify(text.reveal(), "10.0.0.9") is None
    assert list(store.load()) == []


async def test_the_last_use_is_noted_now_and_then(tokens: Tokens, store: SqlTokenStore, clock: FakeClock) -> None:
    _, text = await tokens.create("ci", Role.VIEWER, None)
    await tokens.identify(text.reveal(), "10.0.0.9")
    clock.time += 10
    await tokens.identify(text.reveal(), "10.0.0.9")
    assert [token.last_used_at for token in store.load()] == [START]
    clock.time += 300
    await tokens.identify(text.reveal(), "10.0.0.9")
    assert [token.last_used_at for token in store.load()] == [START + 310]


async def test_names_are_unique_and_expiry_lies_ahead(tokens: Tokens) -> None:
    await tokens.create("ci", Role.VIEWER, None)
    with pytest.raises(Conflict, match="there is a token CI already"):
        await tokens.create("CI", Role.VIEWER, None)
    with pytest.raises(Invalid, match="expired already"):
        await tokens.create("other", Role.VIEWER, START)
    with pytest.raises(NotFound, match="no token nobody"):
        await tokens.revoke("nobody")


def test_each_role_may_what_the_ones_before_it_may() -> None:
    allowed = {(role, needed) for role in Role for needed in Role if role.allows(needed)}
    assert allowed == {
        (Role.VIEWER, Role.VIEWER),
        (Role.OPERATOR, Role.VIEWER),
        (Role.OPERATOR, Role.OPERATOR),
        (Role.ADMINISTRATOR, Role.VIEWER),
        (Role.ADMINISTRATOR, Role.OPERATOR),
        (Role.ADMINISTRATOR, Role.ADMINISTRATOR),
    }


def test_wrong_tokens_are_counted_per_source_and_minute(clock: FakeClock) -> None:
    penalties = Penalties(clock, allowed=3)
    for _ in range(3):
        penalties.note_wrong_token("10.0.0.9")
    clock.time += 20
    with pytest.raises(RequestRefused) as refused:
        penalties.note_wrong_token("10.0.0.9")
    assert (refused.value.status, refused.value.retry_after_seconds) == (429, 41)
    penalties.note_wrong_token("10.0.0.10")
    clock.time += 40
    penalties.note_wrong_token("10.0.0.9")


def test_the_table_of_penalties_is_bounded(clock: FakeClock) -> None:
    penalties = Penalties(clock, allowed=1, sources=2)
    penalties.note_wrong_token("10.0.0.1")
    penalties.note_wrong_token("10.0.0.2")
    penalties.note_wrong_token("10.0.0.3")
    penalties.note_wrong_token("10.0.0.1")
    with pytest.raises(RequestRefused):
        penalties.note_wrong_token("10.0.0.1")


def test_the_kernel_tells_who_is_at_the_other_end_of_a_local_socket() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        identity = identify_peer(one)
    assert identity.name.startswith(f"uid {os.getuid()}")
    assert (identity.origin, identity.role) == ("socket", Role.ADMINISTRATOR)


def test_a_uid_without_a_name_is_a_number() -> None:
    assert describe_user(0) == "uid 0 (root)"
    assert describe_user(4_000_000_000) == "uid 4000000000"
