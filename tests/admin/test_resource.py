import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon, routes_of

from offhook.admin.routes import DRY_RUN

KINDS = ("accounts", "locations", "station-types", "users", "numbers", "dect-systems", "devices")


def test_every_kind_has_the_five_routes_and_every_change_a_dry_run(daemon: AdminDaemon) -> None:
    routes = {(route.method, route.path): route for route in routes_of(daemon)}
    for kind in KINDS:
        ways = [("GET", ""), ("POST", ""), ("GET", "/{id}"), ("PATCH", "/{id}"), ("DELETE", "/{id}")]
        found = {way: routes[way[0], f"/{kind}{way[1]}"] for way in ways}
        for way in (("PATCH", "/{id}"), ("DELETE", "/{id}")):
            assert found[way].matches
        for way in (("POST", ""), ("PATCH", "/{id}"), ("DELETE", "/{id}")):
            assert DRY_RUN in found[way].query
        assert all(route.handler.__doc__ for route in found.values())


async def test_a_thing_without_its_key_is_not_made(ask: Ask) -> None:
    status, problem = await ask("POST", "/locations", json={"account": "acme"})
    assert (status, problem["field"]) == (422, "name")


async def test_an_if_match_is_looked_at_before_anything_else(ask: Ask) -> None:
    headers = {"If-Match": '"stale"'}
    assert (await ask("PATCH", "/locations/HQ", json={"timezone": "Mars"}, headers=headers))[0] in (412, 422)
    assert (await ask("PATCH", "/locations/HQ", json={"timezone": None}, headers=headers))[0] == 412
    assert (await ask("DELETE", "/locations/HQ", headers=headers))[0] == 412
    assert (await ask("DELETE", "/locations/HQ", headers={"If-Match": "stale"}))[0] == 422
    assert (await ask("GET", "/locations/HQ"))[0] == 200


async def test_a_key_that_is_renamed_to_another_things_is_a_conflict(ask: Ask) -> None:
    await ask("POST", "/locations", json={"account": "acme", "name": "Branch"})
    status, problem = await ask("PATCH", "/locations/Branch", json={"name": "HQ"})
    assert status in (409, 422)
    assert "both the old and the new name exist" in problem["detail"]


@pytest.mark.parametrize("name", [" Office ", "Office\u00a0", "OFFICE"])
async def test_a_name_is_looked_up_as_it_will_be_kept(ask: Ask, name: str) -> None:
    first = {"account": "acme", "name": "Office", "timezone": "Etc/UTC"}
    assert (await ask("POST", "/locations", json=first))[0] == 201
    status, problem = await ask("POST", "/locations", json={"account": " acme ", "name": name})
    assert (status, problem["field"]) == (409, "name")
    assert (await ask("GET", "/locations/Office"))[1]["timezone"] == "Etc/UTC"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/locations", {"account": "acme", "name": " A  B "}),
        ("/users", {"account": "acme", "username": " kim "}),
        ("/accounts", {"name": "new ", "sip_domain": " new.test "}),
        ("/devices", {"account": "acme", "type": "softphone", "name": " soft  phone"}),
        ("/devices", {"account": "acme", "type": "deskphone", "mac": " 00-15-65-00-00-99 "}),
        ("/numbers", {"account": "acme", "number": " +1 212 555 0177 "}),
        ("/station-types", {"account": "acme", "name": "Pre\tmium"}),
        ("/dect-systems", {"account": "acme", "name": "Hall "}),
    ],
)
async def test_what_has_blanks_around_it_is_made_or_refused_whole(ask: Ask, path: str, body: dict[str, str]) -> None:
    tried, _ = await ask("POST", f"{path}?dry_run=true", json=body)
    status, made = await ask("POST", path, json=body)
    assert (tried, status) in [(200, 201), (422, 422)]
    if status == 201:
        assert (await ask("GET", f"{path}/{made['item']['id']}"))[0] == 200
        assert (await ask("POST", path, json=body))[0] == 409
