from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.admin.changing import view_reloads
from offhook.inventory.service import Plan, Reload


def test_the_devices_that_reload_are_named() -> None:
    plan = Plan(reloads=(Reload(7, "Reception (00:15:65:12:34:56)", 3, False),))
    [revised] = view_reloads(plan)
    assert (revised.device_id, revised.device, revised.revision) == ("7", "Reception (00:15:65:12:34:56)", 3)


async def test_a_change_answers_with_what_it_implies(ask: Ask) -> None:
    status, changed = await ask("PATCH", "/users/jsmith", json={"first_name": "Janet"})
    assert status == 200
    [difference] = changed["differences"]
    assert difference["key"] == "user jsmith"
    assert difference["fields"] == [{"field": "first_name", "before": "Jane", "after": "Janet"}]
    assert [reload["device"] for reload in changed["reloads"]] == ["Reception (00:15:65:12:34:56)"]


async def test_a_dry_run_gives_no_tag_and_raises_no_revision(ask: Ask, daemon: AdminDaemon) -> None:
    _, before = await ask("GET", "/devices/001565123456")
    async with daemon.local() as client:
        path = "/api/v1/users/jsmith?dry_run=true"
        async with client.patch(path, json={"first_name": "Janet"}) as response:
            body = await response.json()
            assert (response.status, "ETag" in response.headers) == (200, False)
    assert (body["dry_run"], body["item"]["first_name"]) == (True, "Janet")
    assert [reload["revision"] for reload in body["reloads"]] == [before["revision"] + 1]
    assert (await ask("GET", "/devices/001565123456"))[1]["revision"] == before["revision"]
    assert (await ask("GET", "/users/jsmith"))[1]["first_name"] == "Jane"


async def test_a_dry_run_is_refused_as_the_change_would_be(ask: Ask) -> None:
    for query in ("", "?dry_run=true"):
        status, problem = await ask("PATCH", f"/users/jsmith{query}", json={"extension": "2002"})
        assert (status, problem["field"]) == (409, "extension")
