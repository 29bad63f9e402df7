import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.admin.routes import ROOT
from offhook.store.tokens import Role


async def test_a_token_is_shown_once_and_can_be_revoked(ask: Ask, daemon: AdminDaemon) -> None:
    status, made = await ask("POST", "/tokens", json={"name": "ci / main", "role": "operator"})
    assert status == 201
    assert made["token"].startswith("ofh_")
    _, page = await ask("GET", "/tokens")
    assert page["items"] == [{key: value for key, value in made.items() if key != "token"}]
    assert made["expires_at"] is None
    status, _ = await ask("DELETE", "/tokens/ci%20%2F%20main")
    assert status == 200
    assert await ask("GET", "/tokens") == (200, {"items": [], "next": None})
    records = [entry.record for entry in daemon.services.audit.read(2)]
    assert [(record.action, record.key) for record in records] == [
        ("delete", "token ci / main"),
        ("create", "token ci / main"),
    ]
    assert all(made["token"] not in str(record) for record in records)


async def test_a_token_says_what_it_may(ask: Ask, daemon: AdminDaemon) -> None:
    body = {
        "name": "ci",
        "role": "operator",
        "scopes": ["reveal"],
        "accounts": ["ACME"],
        "networks": ["10.0.0.0/8"],
    }
    status, made = await ask("POST", "/tokens", json=body)
    assert status == 201
    assert (made["scopes"], made["accounts"], made["networks"]) == (["reveal"], ["acme"], ["10.0.0.0/8"])
    assert daemon.services.audit.read(1)[0].record.reason == "operator, reveal, acme, 10.0.0.0/8"
    _, everywhere = await ask("POST", "/tokens", json={"name": "all", "role": "viewer"})
    assert (everywhere["scopes"], everywhere["accounts"], everywhere["networks"]) == ([], None, [])
    assert (await ask("DELETE", "/accounts/acme?yes=true"))[0] == 200
    _, page = await ask("GET", "/tokens")
    assert [token["accounts"] for token in page["items"]] == [[], None]


async def test_nobody_grants_a_scope_without_having_it(daemon: AdminDaemon) -> None:
    async with await daemon.remote(Role.ADMINISTRATOR) as client:
        for scopes, expected in (([], 201), (["reveal"], 403)):
            body = {"name": f"ci {scopes}", "role": "viewer", "scopes": scopes}
            async with client.post(f"{ROOT}/tokens", json=body) as response:
                assert response.status == expected


async def test_a_token_can_expire(ask: Ask, daemon: AdminDaemon) -> None:
    body = {"name": "ci", "role": "viewer", "expires_in_seconds": 86400}
    _, made = await ask("POST", "/tokens", json=body)
    assert made["expires_at"] == "2027-01-16T08:00:00.000Z"
    daemon.clock.time += 86400
    _, page = await ask("GET", "/tokens")
    assert page["items"][0]["expired"] is True


async def test_what_makes_no_token_is_refused(ask: Ask) -> None:
    await ask("POST", "/tokens", json={"name": "ci", "role": "viewer"})
    for body, expected in (
        ({"name": "ci", "role": "viewer"}, 409),
        ({"name": "x", "role": "god"}, 422),
        ({"name": "x", "role": "viewer", "expires_in_seconds": -1}, 422),
        ({"name": "x\ny\x00", "role": "viewer"}, 422),
        ({"name": "x", "role": "viewer", "scopes": ["everything"]}, 422),
        ({"name": "x", "role": "viewer", "accounts": ["nobody"]}, 404),
        ({"name": "x", "role": "viewer", "networks": ["10.0.0.1/8"]}, 422),
    ):
        status, _ = await ask("POST", "/tokens", json=body)
        assert status == expected, body
    status, _ = await ask("DELETE", "/tokens/nobody")
    assert status == 404


@pytest.mark.parametrize("field", ["accounts", "networks"])
async def test_an_empty_list_is_not_taken_for_everything(ask: Ask, field: str) -> None:
    status, problem = await ask("POST", "/tokens", json={"name": "ci", "role": "viewer", field: []})
    assert (status, problem["field"]) == (422, field)


async def test_a_name_that_is_a_step_in_a_path_is_refused(ask: Ask) -> None:
    assert (await ask("POST", "/tokens", json={"name": "..", "role": "viewer"}))[0] == 422
