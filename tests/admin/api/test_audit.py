import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

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


async def keys(ask: Ask, query: str) -> list[str]:
    status, page = await ask("GET", f"/audit?{query}")
    assert status == 200, page
    return [record["key"] for record in page["items"]]


async def test_records_say_which_account_they_concern(ask: Ask) -> None:
    await ask("POST", "/inventory/apply", data=RENAMED)
    await ask("GET", "/lines?reveal=true&account=globex")
    await ask("POST", "/tokens", json={"name": "ci", "role": "viewer"})
    _, page = await ask("GET", "/audit?limit=3")
    assert [record["account"] for record in page["items"]] == [None, "globex", "acme"]
    assert await keys(ask, "account=acme&action=update") == ["device Front desk (00:15:65:12:34:56)"]
    assert await keys(ask, "account=globex&action=reveal") == ["lines of account globex"]


@pytest.mark.parametrize(
    "key", ["001565123456", "00-15-65-12-34-56", "0015.6512.3456", "00:15:65:12:34:56", "Reception"]
)
async def test_a_device_is_found_in_any_notation(ask: Ask, key: str) -> None:
    found = await keys(ask, f"key={key}&account=acme")
    assert {"device Reception (00:15:65:12:34:56)", "line 1 of Reception (00:15:65:12:34:56)"} <= set(found)
    assert not [it for it in found if "00:04:13" in it]


async def test_a_handset_is_found_by_its_ipei(ask: Ask) -> None:
    assert "device IPEI 0658500479393" in await keys(ask, "key=06585 0047939 3")


async def test_a_device_is_found_by_names_and_identifiers_that_it_had(ask: Ask) -> None:
    await ask("POST", "/inventory/apply", data=RENAMED)
    status, _ = await ask("POST", "/devices/001565123456/replace", json={"mac": "001565123457"})
    assert status == 200
    for key in ("001565123456", "001565123457", "Front desk"):
        found = await keys(ask, f"key={key}")
        assert any("00:15:65:12:34:57" in it for it in found), key
        assert "device Reception (00:15:65:12:34:56)" in found, key


async def test_the_rest_is_found_by_part_of_its_name(ask: Ask) -> None:
    assert await keys(ask, "key=jsmith") == ["user jsmith"]
    assert set(await keys(ask, "kind=USER")) == {"user jsmith", "user rlee"}
    assert set(await keys(ask, "q=Robin")) == {"user rlee"}
    assert await keys(ask, "key=nobody") == []


async def test_time_and_request_narrow_it(ask: Ask, daemon: AdminDaemon) -> None:
    daemon.clock.time += 3600
    await ask("POST", "/inventory/apply", data=RENAMED)
    assert await keys(ask, "since=2027-01-15T08:30:00Z") == ["device Front desk (00:15:65:12:34:56)"]
    assert await keys(ask, "since=2027-01-15T09:30:00%2B01:00&until=2027-01-15T09:00:01Z") == [
        "device Front desk (00:15:65:12:34:56)"
    ]
    assert "device Front desk (00:15:65:12:34:56)" not in await keys(ask, "until=2027-01-15T08:30:00")
    _, page = await ask("GET", "/audit?limit=1")
    request = page["items"][0]["request_id"]
    assert await keys(ask, f"request_id={request}") == ["device Front desk (00:15:65:12:34:56)"]
    status, problem = await ask("GET", "/audit?since=yesterday")
    assert (status, problem["field"]) == (422, "since")
