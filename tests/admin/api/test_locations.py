from tests.admin.conftest import Ask


async def test_a_location_is_made_changed_and_deleted(ask: Ask) -> None:
    status, made = await ask("POST", "/locations", json={"account": "acme", "name": "Branch", "timezone": "Etc/UTC"})
    assert (status, made["item"]["account"], made["item"]["devices"]) == (201, "acme", 0)
    status, changed = await ask("PATCH", "/locations/Branch", json={"name": "Branch 2", "timezone": None})
    assert (status, changed["item"]["timezone"], changed["item"]["id"]) == (200, None, made["item"]["id"])
    assert (await ask("GET", "/locations/Branch 2"))[1] == changed["item"]
    assert (await ask("DELETE", f"/locations/{made['item']['id']}"))[0] == 200
    assert (await ask("GET", "/locations/Branch 2"))[0] == 404


async def test_a_location_in_use_cannot_be_deleted(ask: Ask) -> None:
    status, problem = await ask("DELETE", "/locations/HQ")
    assert status == 409
    assert "is used by" in problem["detail"]
    assert problem["rule"]


async def test_a_name_of_two_accounts_wants_the_account(ask: Ask) -> None:
    await ask("POST", "/locations", json={"account": "globex", "name": "HQ"})
    assert (await ask("GET", "/locations/HQ"))[0] == 409
    assert (await ask("GET", "/locations/HQ?account=globex"))[1]["account"] == "globex"
    status, changed = await ask("PATCH", "/locations/HQ?account=globex", json={"timezone": "Etc/UTC"})
    assert (status, changed["item"]["account"]) == (200, "globex")


async def test_a_handset_counts_where_its_base_is(ask: Ask) -> None:
    _, before = await ask("GET", "/locations/HQ")
    base = {"account": "acme", "type": "dect_base", "mac": "000413000001", "location": "HQ"}
    assert (await ask("POST", "/devices", json=base))[0] == 201
    handset = {"account": "acme", "type": "dect_handset", "ipei": "065850047940", "base": "000413000001"}
    status, made = await ask("POST", "/devices", json=handset)
    assert (status, made["item"]["location"]) == (201, "HQ")
    _, after = await ask("GET", "/locations/HQ")
    assert after["devices"] == before["devices"] + 2


async def test_the_list_finds_by_name_and_account(ask: Ask) -> None:
    await ask("POST", "/locations", json={"account": "globex", "name": "Lager"})
    _, page = await ask("GET", "/locations?q=lag")
    assert [item["name"] for item in page["items"]] == ["Lager"]
    _, page = await ask("GET", "/locations?account=acme")
    assert {item["account"] for item in page["items"]} == {"acme"}
