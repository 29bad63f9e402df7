from tests.admin.conftest import Ask


async def test_a_system_shows_its_bases_and_handsets(ask: Ask) -> None:
    status, made = await ask("POST", "/dect-systems", json={"account": "acme", "name": "Hall", "vendor": "snom"})
    assert (status, made["item"]["bases"], made["item"]["handsets"]) == (201, [], 0)
    base = {"account": "acme", "type": "dect_base", "mac": "000413000001", "system": "Hall", "role": "master"}
    assert (await ask("POST", "/devices", json={**base, "name": "Base"}))[0] == 201
    handset = {"account": "acme", "type": "dect_handset", "ipei": "065850047940", "base": "000413000001"}
    assert (await ask("POST", "/devices", json=handset))[0] == 201
    _, shown = await ask("GET", "/dect-systems/hall")
    assert shown["bases"] == [{"device": "00:04:13:00:00:01", "name": "Base", "role": "master"}]
    assert shown["handsets"] == 1
    _, page = await ask("GET", "/dect-systems?account=globex")
    assert page["items"] == []


async def test_a_system_is_renamed_and_its_bases_stay_when_it_goes(ask: Ask) -> None:
    await ask("POST", "/dect-systems", json={"account": "acme", "name": "Hall"})
    base = {"account": "acme", "type": "dect_base", "mac": "000413000001", "system": "Hall", "role": "single"}
    await ask("POST", "/devices", json=base)
    status, changed = await ask("PATCH", "/dect-systems/Hall", json={"name": "Yard"})
    assert (status, changed["item"]["name"]) == (200, "Yard")
    assert (await ask("DELETE", "/dect-systems/Yard"))[0] == 200
    _, device = await ask("GET", "/devices/000413000001")
    assert (device["system"], device["role"]) == (None, None)
