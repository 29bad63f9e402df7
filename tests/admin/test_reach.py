"""A token that is limited to accounts: whatever it asks for, other accounts look like what does not exist."""

import re
from collections.abc import AsyncIterator
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio
from tests.support.admin_daemon import AdminDaemon, routes_of

from offhook.admin.reach import limit_services
from offhook.admin.routes import ROOT
from offhook.inventory.models import Account
from offhook.store.tokens import Role, Scope

#: Whatever tells of the account globex.
THEIRS: Final = re.compile("globex|lobby|00:15:65:12:34:9[89]|00156512349[89]|hank", re.IGNORECASE)
#: Of an existing thing of globex: what it is called, and what nothing is called.
ALIKE: Final = (
    ("accounts", "globex", "initec"),
    ("users", "hank", "hink"),
    ("devices", "00:15:65:12:34:99", "00:15:65:12:34:97"),
    ("devices", "Lobby", "Lubby"),
    ("locations", "Springfield", "Sprongfield"),
)


@pytest_asyncio.fixture
async def limited(daemon: AdminDaemon) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody who may do everything, in the account acme."""
    service = daemon.services.inventory
    await daemon.apply(
        "accounts: [{name: globex, locations: [{name: Springfield}], users: [{username: hank, extension: '3001'}]}]"
    )
    assert service.inventory.find_user("hank") is not None
    for name, account in (("Reception", "acme"), ("Lobby", "globex")):
        daemon.bind(daemon.device(name, account))
        daemon.reloads.start(daemon.device(name, account), "test")
    async with await daemon.remote(Role.ADMINISTRATOR, scopes=[Scope.REVEAL], accounts=["acme"]) as client:
        yield client


async def ask(client: aiohttp.ClientSession, method: str, path: str, **more: Any) -> tuple[int, str]:
    async with client.request(method, ROOT + path, **more) as response:
        return response.status, await response.text()


async def test_nothing_that_can_be_read_tells_of_others(daemon: AdminDaemon, limited: aiohttp.ClientSession) -> None:
    read = 0
    for route in routes_of(daemon):
        if route.method != "GET" or "{" in route.path or route.path == "/events":
            continue
        status, text = await ask(limited, "GET", route.path)
        assert status in ((403,) if route.daemon_wide else (200, 422)), (route.path, text)
        assert not THEIRS.search(text), route.path
        read += status == 200 and "acme" in text
    assert read >= 8


@pytest.mark.parametrize(("kind", "theirs", "nobodys"), ALIKE)
async def test_what_is_of_others_and_what_is_not_there_are_answered_alike(
    daemon: AdminDaemon, limited: aiohttp.ClientSession, kind: str, theirs: str, nobodys: str
) -> None:
    compared = 0
    for route in routes_of(daemon):
        if not re.match(rf"/{kind}/{{\w+}}", route.path) or route.daemon_wide:
            continue
        answers = []
        for name in (theirs, nobodys):
            path = re.sub(r"{\w+}", name, route.path, count=1).replace("{index}", "1")
            status, text = await ask(limited, route.method, path, json={})
            text = re.sub('"request_id": "[0-9a-f]+"', "", text)
            answers.append((status, text.replace(name, "NAME")))
        assert answers[0] == answers[1], route.path
        assert answers[0][0] in (404, 422), route.path
        compared += 1
    assert compared >= 3


async def test_lists_cannot_be_asked_for_others(limited: aiohttp.ClientSession) -> None:
    for path in ("/users?account=globex", "/lines?account=globex", "/lines?device=Lobby", "/bindings?device=Lobby"):
        assert (await ask(limited, "GET", path))[0] == 404, path
    status, text = await ask(limited, "GET", "/inventory/export?account=globex")
    assert status == 404
    assert "'globex'" in text


async def test_changes_stay_within_the_account(daemon: AdminDaemon, limited: aiohttp.ClientSession) -> None:
    status, text = await ask(limited, "PATCH", "/users/jsmith", json={"first_name": "Joan"})
    assert status == 200, text
    before = daemon.inventory
    refused = [
        ("POST", "/users", {"account": "globex", "username": "kim"}, 404),
        ("POST", "/users", {"account": "acme", "username": "hank"}, 409),
        ("POST", "/accounts", {"name": "initech", "sip_domain": "initech.test"}, 403),
        ("DELETE", "/accounts/acme?yes=true", None, 403),
        ("POST", "/reloads", {"device": "Lobby"}, 404),
        ("POST", "/tokens", {"name": "more", "role": "administrator"}, 403),
    ]
    for method, path, body, expected in refused:
        status, text = await ask(limited, method, path, json=body)
        assert status == expected, (path, text)
        assert "by user hank" not in text
    for name in ("globex", "initech"):
        document = f"accounts: [{{name: {name}, sip_domain: initech.test, users: [{{username: kim}}]}}]"
        headers = {"Content-Type": "application/yaml"}
        status, text = await ask(limited, "POST", "/inventory/apply", data=document, headers=headers)
        assert status == 403, text
    assert daemon.inventory is before


async def test_the_audit_tells_of_what_concerns_the_account(
    daemon: AdminDaemon, limited: aiohttp.ClientSession
) -> None:
    await ask(limited, "PATCH", "/users/jsmith", json={"first_name": "Joan"})
    await ask(limited, "GET", "/lines?reveal=true&reason=test")
    async with limited.get(f"{ROOT}/audit") as response:
        records = (await response.json())["items"]
    assert [(record["action"], record["key"]) for record in records[:2]] == [
        ("reveal", "lines of all accounts"),
        ("update", "user jsmith"),
    ]
    assert not [record for record in records if THEIRS.search(str(record))]
    assert len(records) < len(daemon.services.audit.read(1000))


async def test_a_token_stays_with_its_account_when_that_is_renamed(
    daemon: AdminDaemon, limited: aiohttp.ClientSession
) -> None:
    await daemon.apply("accounts: [{name: acme2, rename_from: acme}]")
    await daemon.apply("accounts: [{name: acme, sip_domain: other.test}]")
    async with limited.get(f"{ROOT}/accounts") as response:
        assert [account["name"] for account in (await response.json())["items"]] == ["acme2"]


async def test_a_token_whose_account_is_gone_reaches_nothing(
    daemon: AdminDaemon, limited: aiohttp.ClientSession
) -> None:
    async with daemon.local() as client:
        assert (await ask(client, "DELETE", "/accounts/acme?yes=true"))[0] == 200
    async with limited.get(f"{ROOT}/users") as response:
        assert (response.status, (await response.json())["items"]) == (200, [])


async def test_what_is_left_of_the_services_is_never_out_of_date(daemon: AdminDaemon) -> None:
    account = daemon.inventory.find_account("acme")
    assert account is not None
    limited = limit_services(daemon.services, frozenset({account.id}))
    await daemon.apply("accounts: [{name: acme, users: [{username: kim}]}]")
    assert limited.inventory.inventory.find_user("kim") is not None
    assert [it.name for it in limited.inventory.inventory.all(Account)] == ["acme"]
