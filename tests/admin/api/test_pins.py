import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.admin.routes import ROOT
from offhook.store.tokens import Role


async def test_a_users_pin_is_asked_replaced_and_reset(ask: Ask) -> None:
    pin = (await ask("GET", "/users/jsmith"))[1]["pin"]["default_pin"]
    status, answer = await ask("POST", "/users/jsmith/pin/verify", json={"pin": pin})
    assert (status, answer) == (200, {"right": True, "answer": "must_change", "attempts_left": 3})
    _, answer = await ask("PUT", "/users/jsmith/pin", json={"pin": "000000", "new_pin": "739251"})
    assert (answer["right"], answer["attempts_left"]) == (False, 2)
    _, answer = await ask("PUT", "/users/jsmith/pin", json={"pin": pin, "new_pin": "739251"})
    assert answer["right"]
    status, reset = await ask("POST", "/users/jsmith/pin/reset", json={"renew": True})
    assert (status, reset["item"]["pin"]["default_pin"] != pin) == (200, True)


async def test_a_reset_can_be_tried(ask: Ask) -> None:
    pin = (await ask("GET", "/users/jsmith"))[1]["pin"]["default_pin"]
    await ask("PUT", "/users/jsmith/pin", json={"pin": pin, "new_pin": "739251"})
    status, tried = await ask("POST", "/users/jsmith/pin/reset?dry_run=true", json={})
    assert (status, tried["dry_run"], tried["item"]["pin"]["state"]) == (200, True, "default")
    assert (await ask("GET", "/users/jsmith"))[1]["pin"]["state"] == "own"


@pytest.mark.parametrize("body", [{}, {"pin": ""}, {"pin": "12a4"}, {"pin": 1234}, {"pin": "1" * 33}])
async def test_what_is_no_pin_is_refused_and_not_repeated(ask: Ask, body: dict[str, object]) -> None:
    status, problem = await ask("POST", "/users/jsmith/pin/verify", json=body)
    assert status == 422
    assert "12a4" not in str(problem)


async def test_the_default_is_not_shown_to_viewers(daemon: AdminDaemon) -> None:
    seen = {}
    for role in (Role.VIEWER, Role.OPERATOR):
        async with await daemon.remote(role) as client, client.get(f"{ROOT}/users/jsmith") as response:
            seen[role] = (await response.json())["pin"]["default_pin"] is not None
    assert seen == {Role.VIEWER: False, Role.OPERATOR: True}
