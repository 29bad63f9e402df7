import re

from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.admin.routes import ROOT
from offhook.store.tokens import Role, Scope


async def test_an_account_has_its_token_and_url(ask: Ask) -> None:
    status, account = await ask("GET", "/accounts/ACME")
    assert status == 200
    assert re.fullmatch("[a-z2-7]{26}", account["provisioning_token"])
    assert account["provisioning_url"] == f"http://10.0.0.5:8080/p/{account['provisioning_token']}/"
    assert (account["name"], account["sip_domain"], account["gateway"]) == ("acme", "acme.test", "sip:pbx.acme.test")
    assert [account[kind] for kind in ("locations", "users", "numbers", "devices")] == [1, 2, 0, 3]


async def test_the_token_is_for_operators_who_may_reveal_secrets(daemon: AdminDaemon) -> None:
    for role in Role:
        for scopes in ((), (Scope.REVEAL,)):
            async with (
                await daemon.remote(role, scopes=scopes) as client,
                client.get(f"{ROOT}/accounts/acme") as response,
            ):
                account = await response.json()
            shown = {account["provisioning_token"] is not None, account["provisioning_url"] is not None}
            assert shown == {role is not Role.VIEWER and bool(scopes)}
            await daemon.services.tokens.revoke(f"{role.value} of a test")


async def test_the_list_has_no_tokens(ask: Ask) -> None:
    _, page = await ask("GET", "/accounts")
    assert [account["name"] for account in page["items"]] == ["acme", "globex"]
    assert [account["provisioning_token"] for account in page["items"]] == [None, None]
    _, page = await ask("GET", "/accounts?q=glob")
    assert [account["name"] for account in page["items"]] == ["globex"]


async def test_an_unknown_account_is_told_with_the_one_meant(ask: Ask) -> None:
    status, problem = await ask("GET", "/accounts/akme")
    assert (status, problem["remedy"]) == (404, "did you mean acme?")


async def test_an_account_is_made_changed_and_deleted(ask: Ask) -> None:
    status, made = await ask("POST", "/accounts", json={"name": "initech", "sip_domain": "Initech.test"})
    assert (status, made["item"]["sip_domain"], made["item"]["access"]) == (201, "initech.test", "token")
    assert made["item"]["provisioning_url"].startswith("http://10.0.0.5:8080/p/")
    status, changed = await ask("PATCH", "/accounts/initech", json={"gateway": "sip:pbx.initech.test", "tones": "DE"})
    assert (status, changed["item"]["gateway"], changed["item"]["tones"]) == (200, "sip:pbx.initech.test", "de")
    status, renamed = await ask("PATCH", "/accounts/initech", json={"name": "Initech Inc."})
    assert (status, renamed["item"]["id"]) == (200, made["item"]["id"])
    status, gone = await ask("DELETE", "/accounts/Initech Inc.")
    assert (status, gone["item"]) == (200, None)
    assert (await ask("GET", "/accounts/Initech Inc."))[0] == 404


async def test_an_account_that_holds_something_goes_only_when_that_is_confirmed(ask: Ask) -> None:
    status, problem = await ask("DELETE", "/accounts/acme")
    assert (status, problem["field"]) == (409, "yes")
    assert "2 users" in problem["detail"]
    status, tried = await ask("DELETE", "/accounts/acme?yes=true&dry_run=true")
    assert (status, tried["dry_run"]) == (200, True)
    assert {"delete"} == {difference["action"] for difference in tried["differences"]}
    assert (await ask("DELETE", "/accounts/acme?yes=true"))[0] == 200
    assert (await ask("GET", "/accounts/acme"))[0] == 404


async def test_a_domain_of_another_account_is_refused_with_the_field(ask: Ask) -> None:
    status, problem = await ask("POST", "/accounts", json={"name": "x", "sip_domain": "acme.test"})
    assert (status, problem["field"]) == (409, "sip_domain")


async def test_a_token_is_rotated_with_grace(ask: Ask, daemon: AdminDaemon) -> None:
    _, before = await ask("GET", "/accounts/acme")
    status, tried = await ask("POST", "/accounts/acme/rotate-token?dry_run=true", json={})
    assert (status, tried["item"]["provisioning_url"] != before["provisioning_url"]) == (200, True)
    status, done = await ask("POST", "/accounts/acme/rotate-token", json={"grace_seconds": 3600})
    after = done["item"]
    assert (status, after["provisioning_token"] != before["provisioning_token"]) == (200, True)
    assert after["former_token_until"] is not None
    inventory, now = daemon.services.inventory.inventory, daemon.clock.now()
    account = inventory.find_account("acme")
    assert account is not None
    assert account.former_token_until == now + 3600
    status, problem = await ask("POST", "/accounts/acme/rotate-token", json={})
    assert (status, problem["rule"]) == (409, "one token in its grace (R12)")
    assert (await ask("POST", "/accounts/acme/rotate-token", json={"force": True}))[0] == 200
    assert (await ask("POST", "/accounts/acme/rotate-token", json={"grace_seconds": -1}))[0] == 422


async def test_lists_are_sorted_and_paged(ask: Ask) -> None:
    _, page = await ask("GET", "/accounts?sort=-name&limit=1")
    assert ([item["name"] for item in page["items"]], page["total"]) == (["globex"], 2)
    _, page = await ask("GET", f"/accounts?sort=-name&limit=1&cursor={page['next']}")
    assert ([item["name"] for item in page["items"]], page["next"]) == (["acme"], None)
