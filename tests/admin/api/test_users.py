from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.inventory.models import User

NEW = {"account": "acme", "username": "kim", "first_name": "Kim", "extension": "2777"}


async def test_a_user_is_made_shown_changed_and_deleted(ask: Ask, daemon: AdminDaemon) -> None:
    status, made = await ask("POST", "/users", json=NEW)
    assert (status, made["item"]["full_name"], made["dry_run"]) == (201, "Kim", False)
    assert [difference["key"] for difference in made["differences"]] == ["user kim"]
    status, shown = await ask("GET", "/users/kim")
    assert (status, shown) == (200, made["item"])
    status, changed = await ask("PATCH", "/users/kim", json={"last_name": "Park", "extension": None})
    assert (status, changed["item"]["full_name"], changed["item"]["extension"]) == (200, "Kim Park", None)
    status, renamed = await ask("PATCH", "/users/kim", json={"username": "kim.park"})
    assert (status, renamed["item"]["username"], renamed["item"]["id"]) == (200, "kim.park", made["item"]["id"])
    status, gone = await ask("DELETE", "/users/kim.park")
    assert (status, gone["item"]) == (200, None)
    assert daemon.services.inventory.inventory.find_user("kim.park") is None


async def test_a_dry_run_tells_and_changes_nothing(ask: Ask, daemon: AdminDaemon) -> None:
    before = daemon.services.inventory.inventory
    status, made = await ask("POST", "/users?dry_run=true", json=NEW)
    assert (status, made["item"]["username"], made["dry_run"]) == (200, "kim", True)
    assert daemon.services.inventory.inventory is before
    assert before.count(User) == len(list(before.all(User)))


async def test_a_user_that_is_there_already_is_not_made_again(ask: Ask) -> None:
    await ask("POST", "/users", json=NEW)
    status, problem = await ask("POST", "/users", json=NEW)
    assert (status, problem["field"]) == (409, "username")
    assert "PATCH" in problem["remedy"]


async def test_every_fault_is_told_with_its_field(ask: Ask) -> None:
    status, problem = await ask("POST", "/users", json={**NEW, "emial": "x", "plan": "gold", "timezone": "Mars"})
    assert status == 422
    assert {fault["path"] for fault in problem["faults"]} == {"emial", "plan", "timezone"}


async def test_an_update_of_what_has_changed_meanwhile_is_refused(ask: Ask, daemon: AdminDaemon) -> None:
    await ask("POST", "/users", json=NEW)
    async with daemon.local() as client:
        async with client.get("/api/v1/users/kim") as response:
            tag = response.headers["ETag"]
        async with client.patch("/api/v1/users/kim", json={"last_name": "A"}, headers={"If-Match": tag}) as response:
            assert (response.status, response.headers["ETag"] != tag) == (200, True)
        async with client.patch("/api/v1/users/kim", json={"last_name": "B"}, headers={"If-Match": tag}) as response:
            assert response.status == 412
    _, shown = await ask("GET", "/users/kim")
    assert shown["last_name"] == "A"


async def test_an_unknown_user_or_account_is_told_with_what_was_meant(ask: Ask) -> None:
    await ask("POST", "/users", json=NEW)
    status, problem = await ask("GET", "/users/kimm")
    assert (status, problem["remedy"]) == (404, "did you mean kim?")
    status, problem = await ask("POST", "/users", json={**NEW, "account": "acm"})
    assert (status, problem["remedy"]) == (404, "did you mean acme?")
