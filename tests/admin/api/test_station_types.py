from tests.admin.conftest import Ask

NEW = {"account": "acme", "name": "Premium", "features": ["voicemail", "forward_busy"]}


async def test_a_station_type_is_made_changed_and_deleted(ask: Ask) -> None:
    status, made = await ask("POST", "/station-types", json=NEW)
    assert (status, made["item"]["features"], made["item"]["numbers"]) == (201, ["forward_busy", "voicemail"], 0)
    status, changed = await ask("PATCH", "/station-types/premium", json={"features": []})
    assert (status, changed["item"]["features"]) == (200, [])
    assert [it["name"] for it in (await ask("GET", "/station-types?account=acme"))[1]["items"]] == ["Premium"]
    assert (await ask("DELETE", "/station-types/Premium"))[0] == 200


async def test_one_in_use_cannot_be_deleted_nor_forbid_what_its_numbers_have(ask: Ask) -> None:
    await ask("POST", "/station-types", json=NEW)
    number = {"account": "acme", "number": "+12125550177", "station_type": "Premium", "features": {"voicemail": True}}
    assert (await ask("POST", "/numbers", json=number))[0] == 201
    status, problem = await ask("DELETE", "/station-types/Premium")
    assert status == 409
    assert "+12125550177" in problem["detail"]
    status, problem = await ask("PATCH", "/station-types/Premium", json={"features": ["forward_busy"]})
    assert status == 409
    assert "voicemail" in problem["detail"].replace("_", " ")


async def test_a_feature_that_its_station_type_does_not_allow_is_refused(ask: Ask) -> None:
    await ask("POST", "/station-types", json=NEW)
    number = {"account": "acme", "number": "+12125550177", "station_type": "Premium"}
    assert (await ask("POST", "/numbers", json=number))[0] == 201
    features = {"features": {"do_not_disturb": True}}
    status, problem = await ask("PATCH", "/numbers/+12125550177", json=features)
    assert status in (409, 422)
    assert "Premium" in problem["detail"]
    status, problem = await ask("POST", "/station-types", json={**NEW, "name": "x", "features": ["voicemial"]})
    assert status == 422
