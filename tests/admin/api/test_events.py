import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.admin.announcements import EventType, Wanted
from offhook.admin.api import events
from offhook.admin.routes import ROOT
from offhook.store.tokens import Role

KIM = "accounts: [{name: acme, users: [{username: kim}]}]"


class Stream:
    """Events as they come in."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def block(self) -> dict[str, str]:
        """The fields up to the next blank line; a comment is one without a name. Nothing at the end."""
        found: dict[str, str] = {}
        while line := (await asyncio.wait_for(self._response.content.readline(), 20)).decode():
            if line == "\n":
                return found
            name, _, value = line.rstrip("\n").partition(": ")
            found[name.rstrip(":")] = value
        return found


@asynccontextmanager
async def following(
    client: aiohttp.ClientSession, query: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[Stream]:
    async with client.get(f"{ROOT}/events{query}", headers=headers) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Request-ID"]
        stream = Stream(response)
        first = await stream.block()
        assert first.keys() == {"retry", "id"}
        yield stream


async def test_what_happens_is_told_as_it_happens(daemon: AdminDaemon) -> None:
    async with daemon.local() as client, following(client) as stream:
        await daemon.apply(KIM)
        told = await stream.block()
        assert told["event"] == "change"
        assert '"user kim"' in told["data"]
        assert told["id"]


async def test_who_comes_back_misses_nothing(daemon: AdminDaemon) -> None:
    async with daemon.local() as client:
        async with following(client) as stream:
            await daemon.apply(KIM)
            last = (await stream.block())["id"]
        await daemon.apply("accounts: [{name: acme, users: [{username: lee}]}]")
        async with following(client, headers={"Last-Event-ID": last}) as stream:
            assert "user lee" in (await stream.block())["data"]
        async with following(client, headers={"Last-Event-ID": "another-1"}) as stream:
            told = await stream.block()
            assert (told["event"], told["data"]) == ("reset", '{"missed": null}')


async def test_who_is_overtaken_is_told_to_read_anew(daemon: AdminDaemon) -> None:
    with daemon.announcements.listen(Wanted(frozenset(EventType))) as listener:
        last = listener.id
    for number in range(25):
        await daemon.apply(f"accounts: [{{name: acme, users: [{{username: user{number}}}]}}]")
    async with daemon.local() as client, following(client, headers={"Last-Event-ID": last}) as stream:
        told = await stream.block()
        assert (told["event"], told["data"]) == ("reset", '{"missed": 5}')


async def test_types_and_accounts_can_be_chosen(daemon: AdminDaemon) -> None:
    async with daemon.local() as client, following(client, "?types=change&account=globex") as stream:
        await daemon.apply("accounts: [{name: acme, users: [{username: kim}]}]")
        await daemon.apply("accounts: [{name: globex, users: [{username: hank}]}]")
        told: dict[str, str] = {}
        while "event" not in told:
            told = await stream.block()
        assert "user hank" in told["data"]


async def test_who_is_limited_to_accounts_is_told_of_no_others(daemon: AdminDaemon) -> None:
    async with await daemon.remote(Role.VIEWER, accounts=["globex"]) as client:
        async with following(client) as stream:
            await daemon.apply("accounts: [{name: acme, users: [{username: kim}]}]")
            await daemon.apply("accounts: [{name: globex, users: [{username: hank}]}]")
            told: dict[str, str] = {}
            while "event" not in told:
                told = await stream.block()
            assert "user hank" in told["data"]
        async with client.get(f"{ROOT}/events?account=acme") as response:
            assert response.status == 404


async def test_where_nothing_happens_a_comment_keeps_the_stream_alive(
    daemon: AdminDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_KEEP_ALIVE_SECONDS", 0.001)
    async with daemon.local() as client, following(client) as stream:
        assert (await stream.block()).keys() == {"", "id"}


async def test_a_token_that_is_revoked_is_cut_off(daemon: AdminDaemon) -> None:
    async with await daemon.remote(Role.VIEWER) as client, following(client) as stream:
        await daemon.services.tokens.revoke("viewer of a test")
        await daemon.apply(KIM)
        assert await stream.block() == {}


async def test_a_token_that_expires_is_cut_off(daemon: AdminDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_KEEP_ALIVE_SECONDS", 0.001)
    _, text = await daemon.services.tokens.create("short", Role.VIEWER, daemon.clock.time + 60)
    headers = {"Authorization": f"Bearer {text.reveal()}"}
    async with aiohttp.ClientSession(daemon.url, headers=headers) as client, following(client) as stream:
        daemon.clock.time += 60
        told: Any = {"": ""}
        while told:
            told = await stream.block()


async def test_in_the_end_the_stream_ends(daemon: AdminDaemon) -> None:
    async with daemon.local() as client, following(client) as stream:
        daemon.announcements.close()
        assert await stream.block() == {}
        async with client.get(f"{ROOT}/events") as response:
            assert response.status == 503


async def test_the_next_listener_beyond_the_bound_is_503(daemon: AdminDaemon) -> None:
    async with daemon.local() as client:
        wanted = Wanted(frozenset(EventType))
        listening = [daemon.announcements.listen(wanted) for _ in range(5)]
        for one in listening:
            one.__enter__()
        async with client.get(f"{ROOT}/events") as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "30"
        for one in listening:
            one.__exit__(None, None, None)
        async with following(client):
            pass


async def test_what_cannot_be_followed_is_refused(ask: Ask) -> None:
    for query, expected in (("types=weather", 422), ("account=nobody", 404), ("since=1", 422)):
        assert (await ask("GET", f"/events?{query}"))[0] == expected


async def test_head_ends_at_once(daemon: AdminDaemon) -> None:
    async with daemon.local() as client, client.head(f"{ROOT}/events") as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")


async def test_a_wrong_token_is_refused_and_costs(daemon: AdminDaemon) -> None:
    async with aiohttp.ClientSession(daemon.url, headers={"Authorization": "Bearer ofh_wrong"}) as client:
        for path, expected in [("events", 401)] * 5 + [("openapi.json", 401)] * 5 + [("events", 429)]:
            async with client.get(f"{ROOT}/{path}") as response:
                assert response.status == expected
