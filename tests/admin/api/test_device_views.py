from tests.admin.conftest import Ask


async def test_a_handset_is_shown_where_its_base_is(ask: Ask) -> None:
    _, page = await ask("GET", "/devices?type=dect_handset&account=acme")
    [handset] = page["items"]
    await ask("PATCH", f"/devices/{handset['base']}", json={"location": "HQ"})
    _, handset = await ask("GET", f"/devices/{handset['device']}")
    _, base = await ask("GET", f"/devices/{handset['base']}")
    assert handset["location"] == base["location"] == "HQ"
    assert handset["carrier"] == (base["device"] if base["revision"] is not None else None)


async def test_lines_show_whose_they_are(ask: Ask) -> None:
    await ask("POST", "/numbers", json={"account": "acme", "number": "+12125550177"})
    await ask("POST", "/devices", json={"account": "acme", "type": "deskphone", "mac": "001565000099"})
    await ask("POST", "/devices/001565000099/assign", json={"number": "+12125550177"})
    _, shown = await ask("GET", "/devices/001565000099")
    [line] = shown["lines"]
    assert (line["number"], line["extension"], line["user"]) == ("+12125550177", "0177", None)
    assert line["aor"] == "sip:0177@acme.test"
