import hashlib
import os
import socket
import string
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from tests.support.admin_daemon import START, FakeClock

from offhook.admin.auth import Identity, Penalties, Refusal, Tokens, describe_user, identify_peer, parse_networks
from offhook.errors import Conflict, Invalid, NotFound, RequestRefused
from offhook.store.sql.engine import open_engine
from offhook.store.sql.tables import metadata
from offhook.store.tokens import Role, Scope, SqlTokenStore


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
    assert isinstance(identity, Identity)
    assert (identity.name, identity.origin, identity.role) == ("token ci", "10.0.0.9", Role.OPERATOR)


@pytest.mark.parametrize("text", ["", "ofh_", "ofh_" + "A" * 43, "Bearer", "ofh_" + "A" * 500, "ofh_\udce9"])
async def test_what_is_no_token_identifies_nobody(tokens: Tokens, text: str) -> None:
    await tokens.create("ci", Role.VIEWER, None)
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    assert await tokens.identify(text, "10.0.0.9") is Refusal.UNKNOWN


async def test_an_expired_token_identifies_nobody(tokens: Tokens, clock: FakeClock) -> None:
    _, text = await tokens.create("ci", Role.VIEWER, START + 60)
    assert isinstance(await tokens.identify(text.reveal(), "10.0.0.9"), Identity)
    clock.time += 60
    assert await tokens.identify(text.reveal(), "10.0.0.9") is Refusal.EXPIRED


async def test_a_revoked_token_identifies_nobody_and_is_gone_from_disk(tokens: Tokens, store: SqlTokenStore) -> None:
    _, text = await tokens.create("ci", Role.VIEWER, None)
    await tokens.revoke("CI")
    assert await tokens.identify(text.reveal(), "10.0.0.9") is Refusal.UNKNOWN
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


async def test_scopes_accounts_and_networks_are_kept(tokens: Tokens, store: SqlTokenStore) -> None:
    token, text = await tokens.create(
        "ci", Role.OPERATOR, None, scopes=[Scope.REVEAL], accounts=[9, 7, 9], networks=["10.0.0.0/8", "fd00::/8"]
    )
    assert (token.accounts, token.networks) == ((7, 9), ("10.0.0.0/8", "fd00::/8"))
    assert list(store.load()) == [token]
    identity = await tokens.identify(text.reveal(), "10.0.0.9")
    assert isinstance(identity, Identity)
    assert (identity.scopes, identity.reach) == (frozenset({Scope.REVEAL}), frozenset({7, 9}))
    assert not identity.is_local
    assert identity.may(Role.OPERATOR, Scope.REVEAL)
    assert not identity.may(Role.ADMINISTRATOR)
    _, plain = await tokens.create("plain", Role.ADMINISTRATOR, None)
    other = await tokens.identify(plain.reveal(), "10.0.0.9")
    assert isinstance(other, Identity)
    assert other.reach is None
    assert not other.may(Role.VIEWER, Scope.REVEAL)


@pytest.mark.parametrize(
    ("source", "is_taken"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("fd00::1", True),
        ("11.0.0.1", False),
        ("::ffff:11.0.0.1", False),
        ("fe80::1", False),
        ("unknown", False),
    ],
)
async def test_a_token_is_taken_from_its_networks_only(tokens: Tokens, source: str, is_taken: bool) -> None:
    _, text = await tokens.create("ci", Role.VIEWER, None, networks=["10.0.0.0/8", "fd00::/8"])
    found = await tokens.identify(text.reveal(), source)
    assert isinstance(found, Identity) if is_taken else found is Refusal.NETWORK
    [token] = tokens.all()
    assert (token.last_used_at is not None) == is_taken


def test_networks_are_written_in_one_form() -> None:
    assert parse_networks([" 10.0.0.0/255.0.0.0 ", "10.0.0.0/8", "192.0.2.7", "FD00:0::/8"]) == (
        "10.0.0.0/8",
        "192.0.2.7/32",
        "fd00::/8",
    )


@pytest.mark.parametrize("text", ["", "10.0.0.1/8", "10.0.0.0/33", "acme", "10.0.0.0/8,11.0.0.0/8"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is no network"):
        parse_networks([text])


def test_a_token_has_so_many_networks_at_most() -> None:
    with pytest.raises(Invalid, match="more than a token can have"):
        parse_networks(f"10.{octet}.0.0/16" for octet in range(33))


async def test_who_was_identified_is_so_no_more_when_the_token_ends(tokens: Tokens, clock: FakeClock) -> None:
    _, short = await tokens.create("short", Role.VIEWER, START + 60)
    _, long = await tokens.create("long", Role.VIEWER, None)
    one, other = [await tokens.identify(text.reveal(), "10.0.0.9") for text in (short, long)]
    assert isinstance(one, Identity)
    assert isinstance(other, Identity)
    assert (tokens.counts(one), tokens.counts(other)) == (True, True)
    clock.time += 60
    assert (tokens.counts(one), tokens.counts(other)) == (False, True)
    await tokens.revoke("long")
    assert not tokens.counts(other)
    assert tokens.counts(Identity("uid 0", "socket", Role.ADMINISTRATOR))


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
        penalties.note_wrong_token("10.0.0.9", Refusal.UNKNOWN)
    clock.time += 20
    with pytest.raises(RequestRefused) as refused:
        penalties.note_wrong_token("10.0.0.9", Refusal.UNKNOWN)
    assert (refused.value.status, refused.value.retry_after_seconds) == (429, 41)
    penalties.note_wrong_token("10.0.0.10", Refusal.UNKNOWN)
    clock.time += 40
    penalties.note_wrong_token("10.0.0.9", Refusal.UNKNOWN)


def test_the_table_of_penalties_is_bounded(clock: FakeClock) -> None:
    penalties = Penalties(clock, allowed=1, sources=2)
    penalties.note_wrong_token("10.0.0.1", Refusal.UNKNOWN)
    penalties.note_wrong_token("10.0.0.2", Refusal.UNKNOWN)
    penalties.note_wrong_token("10.0.0.3", Refusal.UNKNOWN)
    penalties.note_wrong_token("10.0.0.1", Refusal.UNKNOWN)
    with pytest.raises(RequestRefused):
        penalties.note_wrong_token("10.0.0.1", Refusal.UNKNOWN)


def test_the_kernel_tells_who_is_at_the_other_end_of_a_local_socket() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        identity = identify_peer(one)
    assert identity.name.startswith(f"uid {os.getuid()}")
    assert (identity.origin, identity.role) == ("socket", Role.ADMINISTRATOR)
    assert identity.is_local
    assert identity.may(Role.ADMINISTRATOR, Scope.REVEAL)
    assert identity.reach is None


def test_a_uid_without_a_name_is_a_number() -> None:
    assert describe_user(0) == "uid 0 (root)"
    assert describe_user(4_000_000_000) == "uid 4000000000"
