import re

from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.admin.routes import ROOT
from offhook.store.tokens import Role


async def test_an_account_has_its_token_and_url(ask: Ask) -> None:
    status, account = await ask("GET", "/accounts/ACME")
    assert status == 200
    assert re.fullmatch("[a-z2-7]{26}", account["provisioning_token"])
    assert account["provisioning_url"] == f"http://10.0.0.5:8080/p/{account['provisioning_token']}/"
    assert (account["name"], account["sip_domain"], account["gateway"]) == ("acme", "acme.test", "sip:pbx.acme.test")
    assert [account[kind] for kind in ("locations", "users", "numbers", "devices")] == [1, 2, 0, 3]


async def test_the_token_is_for_operators(daemon: AdminDaemon) -> None:
    seen = {}
    for role in Role:
        async with await daemon.remote(role) as client, client.get(f"{ROOT}/accounts/acme") as response:
            account = await response.json()
            seen[role] = (account["provisioning_token"] is not None, account["provisioning_url"] is not None)
    assert seen == {Role.VIEWER: (False, False), Role.OPERATOR: (True, True), Role.ADMINISTRATOR: (True, True)}


async def test_the_list_has_no_tokens(ask: Ask) -> None:
    _, page = await ask("GET", "/accounts")
    assert [account["name"] for account in page["items"]] == ["acme", "globex"]
    assert [account["provisioning_token"] for account in page["items"]] == [None, None]
    _, page = await ask("GET", "/accounts?q=glob")
    assert [account["name"] for account in page["items"]] == ["globex"]


async def test_an_unknown_account_is_told_with_the_one_meant(ask: Ask) -> None:
    status, problem = await ask("GET", "/accounts/akme")
    assert (status, problem["remedy"]) == (404, "did you mean acme?")
