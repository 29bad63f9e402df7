import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.inventory.models import Device, Line

NUMBER = "+12125550177"
NEW = {"account": "acme", "number": "+1 (212) 555-0177"}


@pytest.fixture
async def number(ask: Ask) -> str:
    status, _ = await ask("POST", "/numbers", json=NEW)
    assert status == 201
    return NUMBER


async def test_a_number_is_made_with_its_last_four_digits_as_extension(ask: Ask) -> None:
    status, made = await ask("POST", "/numbers", json=NEW)
    item = made["item"]
    assert (status, item["number"], item["extension"], item["status"]) == (201, NUMBER, "0177", "active")
    assert (item["assignment"], item["logged_in"], item["pin"]["state"]) == ("nothing", False, "default")
    assert (await ask("GET", f"/numbers/{NUMBER}"))[1] == item
    assert (await ask("GET", f"/numbers/{item['id']}"))[1] == item
    assert (await ask("POST", "/numbers", json=NEW))[0] == 409


async def test_features_are_set_one_by_one_and_forbidden_together(ask: Ask, number: str) -> None:
    status, changed = await ask("PATCH", f"/numbers/{number}", json={"features": {"voicemail": True}})
    assert (status, changed["item"]["features"]["voicemail"]) == (200, True)
    status, problem = await ask("PATCH", f"/numbers/{number}", json={"features": {"forward_busy": "2001"}})
    assert status in (409, 422)
    assert "call waiting" in problem["detail"]
    assert "E6" in problem["rule"]
    both = {"forward_busy": "2001", "call_waiting": False}
    status, changed = await ask("PATCH", f"/numbers/{number}", json={"features": both})
    features = changed["item"]["features"]
    assert (status, features["forward_busy"], features["voicemail"]) == (200, "2001", True)
    status, changed = await ask("PATCH", f"/numbers/{number}", json={"features": None})
    assert changed["item"]["features"]["voicemail"] is False


async def test_a_display_name_leaves_the_assignment_alone(ask: Ask, number: str) -> None:
    await ask("POST", "/users", json={"account": "acme", "username": "kim", "first_name": "Kim"})
    await ask("PATCH", f"/numbers/{number}", json={"user": "kim"})
    _, changed = await ask("PATCH", f"/numbers/{number}", json={"display_name": {"first": "Front", "last": "Desk"}})
    item = changed["item"]
    assert (item["display_name"], item["user"], item["assigned_to"]) == (
        {"first": "Front", "last": "Desk"},
        "kim",
        "Kim",
    )


async def test_one_flow_assigns_user_station_type_and_device(ask: Ask, number: str, daemon: AdminDaemon) -> None:
    await ask("POST", "/station-types", json={"account": "acme", "name": "premium", "features": ["voicemail"]})
    await ask("POST", "/users", json={"account": "acme", "username": "kim"})
    phone = {"account": "acme", "type": "deskphone", "mac": "001565000099"}
    await ask("POST", "/devices", json=phone)
    body = {"user": "kim", "station_type": "premium", "device": "001565000099"}
    status, tried = await ask("POST", f"/numbers/{number}/assign?dry_run=true", json=body)
    assert (status, tried["dry_run"], tried["item"]["user"]) == (200, True, "kim")
    status, done = await ask("POST", f"/numbers/{number}/assign", json=body)
    assert (status, done["item"]["station_type"], done["item"]["assigned_to"]) == (200, "premium", "kim")
    inventory = daemon.services.inventory.inventory
    [device] = [device for device in inventory.all(Device) if device.mac == "001565000099"]
    kim = inventory.find_user("kim")
    assert kim is not None
    assert [line.user_id for line in inventory.lines_of(device.id)] == [kim.id]
    status, undone = await ask("POST", f"/numbers/{number}/unassign")
    assert (status, undone["item"]["user"]) == (200, None)


async def test_without_a_user_the_device_has_the_number_itself(ask: Ask, number: str, daemon: AdminDaemon) -> None:
    await ask("POST", "/devices", json={"account": "acme", "type": "deskphone", "mac": "001565000099"})
    _, done = await ask("POST", f"/numbers/{number}/assign", json={"device": "001565000099"})
    assert (done["item"]["device"], done["item"]["line"], done["item"]["logged_in"]) == ("00:15:65:00:00:99", 1, True)
    await ask("POST", f"/numbers/{number}/unassign")
    lines = daemon.services.inventory.inventory.all(Line)
    assert all(line.number_id is None for line in lines)


async def test_a_number_logs_in_by_the_phone_id_and_out(ask: Ask, number: str) -> None:
    _, made = await ask("POST", "/devices", json={"account": "acme", "type": "deskphone", "mac": "001565000099"})
    phone_id = made["item"]["phone_id"]
    status, done = await ask("POST", f"/numbers/{number}/log-in", json={"phone_id": phone_id})
    assert (status, done["item"]["device"], done["item"]["logged_in_at"] is not None) == (
        200,
        "00:15:65:00:00:99",
        True,
    )
    status, problem = await ask("POST", f"/numbers/{number}/log-in", json={"phone_id": "000000"})
    assert (status, problem["field"]) == (404, "phone_id")
    status, done = await ask("POST", f"/numbers/{number}/log-out")
    assert (status, done["item"]["logged_in"]) == (200, False)
    assert (await ask("POST", f"/numbers/{number}/log-out"))[0] == 409


async def test_a_pin_is_verified_replaced_locked_and_reset(ask: Ask, number: str) -> None:
    _, shown = await ask("GET", f"/numbers/{number}")
    default = shown["pin"]["default_pin"]
    verify = f"/numbers/{number}/pin/verify"
    assert (await ask("POST", verify, json={"pin": default}))[1]["answer"] == "must_change"
    assert (await ask("PUT", f"/numbers/{number}/pin", json={"pin": default, "new_pin": "1234"}))[0] == 422
    status, _ = await ask("PUT", f"/numbers/{number}/pin", json={"pin": default, "new_pin": "739251"})
    assert status == 200
    assert (await ask("POST", verify, json={"pin": "739251"}))[1]["answer"] == "right"
    pin = (await ask("GET", f"/numbers/{number}"))[1]["pin"]
    assert pin == {"state": "own", "default_pin": None, "attempts_left": 3}
    answers = [(await ask("POST", verify, json={"pin": "000000"}))[1]["answer"] for _ in range(3)]
    assert answers == ["wrong", "wrong", "locked"]
    assert (await ask("POST", verify, json={"pin": "739251"}))[1]["answer"] == "locked"
    _, reset = await ask("POST", f"/numbers/{number}/pin/reset", json={})
    assert reset["item"]["pin"] == {"state": "default", "default_pin": default, "attempts_left": 3}


async def test_the_list_is_filtered_and_searched(ask: Ask, number: str) -> None:
    await ask("POST", "/numbers", json={"account": "acme", "number": "+12125550178", "status": "reserved"})
    expected = {
        "status=reserved": ["+12125550178"],
        "q=555-0177": [number],
        "sort=-number&account=acme": ["+12125550178", number],
        "logged_in=true": [],
    }
    found = {query: (await ask("GET", f"/numbers?{query}"))[1]["items"] for query in expected}
    assert {query: [item["number"] for item in items] for query, items in found.items()} == expected
