from http import HTTPStatus

import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon
from tests.support.keys import ROOT

from offhook.store import renewal
from offhook.store.tokens import Role


async def test_keys_are_shown_by_their_ids_alone(ask: Ask) -> None:
    status, view = await ask("GET", "/keys")
    assert (status, view["is_writable"], view["outdated"], view["sealed_directly"]) == (200, True, 0, 0)
    assert [(key["id"], key["is_current"]) for key in view["root_keys"]] == [(ROOT.id.hex(), True)]
    assert [(key["id"], key["purpose"], key["root_key"]) for key in view["data_keys"]] == [
        (1, "derivation", ROOT.id.hex()),
        (2, "secrets", ROOT.id.hex()),
    ]
    assert view["data_keys"][1]["secrets"] > 10


async def test_a_root_key_is_rotated_then_forgotten_and_both_are_audited(ask: Ask, daemon: AdminDaemon) -> None:
    status, view = await ask("POST", "/keys/rotate")
    assert status == 200
    new, old = (key["id"] for key in view["root_keys"])
    assert old == ROOT.id.hex()
    assert {key["root_key"] for key in view["data_keys"]} == {new}
    status, problem = await ask("DELETE", f"/keys/{new}")
    assert (status, problem["detail"]) == (409, f"the root key {new} is in use")
    status, view = await ask("DELETE", f"/keys/{old}")
    assert (status, [key["id"] for key in view["root_keys"]]) == (200, [new])
    assert (await ask("DELETE", f"/keys/{old}"))[0] == 404
    records = [entry.record for entry in daemon.services.audit.read(2)]
    assert [(it.action, it.kind, it.key) for it in reversed(records)] == [
        ("rotate", "key", "root key"),
        ("delete", "key", f"root key {old}"),
    ]


async def test_secrets_are_sealed_anew_batch_by_batch_with_one_line_in_the_audit(
    ask: Ask, daemon: AdminDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "BATCH", 3)
    status, first = await ask("POST", "/keys/reseal", json={})
    assert (status, first["data_key"], first["resealed"], first["dropped"]) == (200, 3, 3, [])
    step, calls = first, 0
    while step["left"]:
        calls += 1
        status, step = await ask("POST", "/keys/reseal", json={"data_key": first["data_key"]})
        assert status == 200
    assert calls > 2
    assert step["dropped"] == [2]
    assert (await ask("GET", "/keys"))[1]["outdated"] == 0
    assert [entry.record.action for entry in daemon.services.audit.read(100)].count("reseal") == 1
    status, problem = await ask("POST", "/keys/reseal", json={"data_key": 2})
    assert (status, problem["remedy"]) == (409, "begin again: offhook key reseal")


async def test_no_less_than_an_administrator_may(daemon: AdminDaemon) -> None:
    async with await daemon.remote(Role.OPERATOR) as client:
        for method, path in (("GET", ""), ("POST", "/rotate"), ("POST", "/reseal"), ("DELETE", "/00000000")):
            async with client.request(method, f"/api/v1/keys{path}") as response:
                assert response.status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize("body", [{"data_key": -1}, {"data_key": "x"}, {"key": 1}])
async def test_a_body_that_says_something_else_is_refused(ask: Ask, body: dict[str, object]) -> None:
    assert (await ask("POST", "/keys/reseal", json=body))[0] == 422
