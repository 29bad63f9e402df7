from tests.admin.conftest import Ask

RENAMED = "accounts: [{name: acme, devices: [{mac: 001565123456, name: Front desk}]}]"


async def test_the_latest_change_comes_first_with_what_differs(ask: Ask) -> None:
    await ask("POST", "/inventory/apply", data=RENAMED)
    _, page = await ask("GET", "/audit?limit=1")
    [record] = page["items"]
    assert (record["action"], record["kind"]) == ("update", "device")
    assert (record["before"], record["after"]) == ({"name": "Reception"}, {"name": "Front desk"})
    assert record["at"] == "2027-01-15T08:00:00.000Z"
    _, rest = await ask("GET", f"/audit?cursor={page['next']}")
    assert record not in rest["items"]
    assert {entry["action"] for entry in rest["items"]} == {"create"}
    assert rest["next"] is None
