import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.inventory.models import CredentialState, Device

PHONE = "001565000099"
NEW = {"account": "acme", "type": "deskphone", "mac": PHONE, "name": "Spare"}


@pytest.fixture
async def phone(ask: Ask) -> str:
    status, made = await ask("POST", "/devices", json=NEW)
    assert (status, made["item"]["vendor"]) == (201, "yealink")
    return PHONE


async def test_a_device_is_made_changed_and_deleted(ask: Ask, phone: str) -> None:
    assert (await ask("POST", "/devices", json={**NEW, "mac": "00:15:65:00:00:99"}))[0] == 409
    status, changed = await ask("PATCH", f"/devices/{phone}", json={"name": "Desk", "location": "HQ"})
    assert (status, changed["item"]["name"], changed["item"]["location"]) == (200, "Desk", "HQ")
    assert (await ask("PATCH", f"/devices/{phone}", json={"mac": "001565000098"}))[0] == 422
    assert (await ask("DELETE", "/devices/Desk"))[0] == 200
    assert (await ask("GET", f"/devices/{phone}"))[0] == 404


async def test_a_mac_of_another_account_is_not_made_again(ask: Ask, phone: str) -> None:
    status, problem = await ask("POST", "/devices", json={**NEW, "account": "globex"})
    assert (status, problem["title"]) == (409, "Conflict")


async def test_a_softphone_is_renamed_by_its_name(ask: Ask) -> None:
    softphone = {"account": "acme", "type": "softphone", "name": "Laptop"}
    status, made = await ask("POST", "/devices", json=softphone)
    assert status == 201
    status, changed = await ask("PATCH", "/devices/Laptop", json={"name": "Tablet"})
    assert (status, changed["item"]["name"], changed["item"]["id"]) == (200, "Tablet", made["item"]["id"])


async def test_a_user_with_a_phone_is_moved_only_when_that_is_confirmed(ask: Ask, phone: str) -> None:
    status, problem = await ask("POST", f"/devices/{phone}/assign", json={"user": "jsmith"})
    assert (status, problem["rule"]) == (409, "one device per user (R10)")
    assert "Reception" in problem["detail"]
    _, shown = await ask("GET", f"/devices/{phone}")
    assert shown["users"] == []
    status, done = await ask("POST", f"/devices/{phone}/assign?confirm_moves=true", json={"user": "jsmith"})
    assert (status, done["item"]["users"]) == (200, ["jsmith"])
    assert (await ask("GET", "/devices/001565123456"))[1]["users"] == []
    assert (await ask("POST", f"/devices/{phone}/assign", json={}))[0] == 422
    status, done = await ask("POST", f"/devices/{phone}/assign", json={"user": None})
    assert (status, done["item"]["users"]) == (200, [])


async def test_a_dead_device_is_replaced(ask: Ask, daemon: AdminDaemon) -> None:
    _, before = await ask("GET", "/devices/001565123456")
    body = {"mac": "00-15-65-00-00-77", "model": "T46U"}
    status, tried = await ask("POST", "/devices/001565123456/replace?dry_run=true", json=body)
    assert (status, tried["item"]["mac"]) == (200, "00:15:65:00:00:77")
    status, done = await ask("POST", "/devices/001565123456/replace", json=body)
    assert (status, done["item"]["id"], done["item"]["mac"]) == (200, before["id"], "00:15:65:00:00:77")
    assert done["item"]["users"] == before["users"]
    assert (await ask("GET", f"/devices/{before['mac']}"))[0] == 404
    inventory = daemon.services.inventory.inventory
    [line] = inventory.lines_of(int(before["id"]))
    assert [it.state for it in inventory.credentials_of(line.id)] == [CredentialState.ACTIVE]


async def test_a_lost_device_is_disabled_and_enabled_with_new_secrets(ask: Ask, daemon: AdminDaemon) -> None:
    _, before = await ask("GET", "/devices/001565123456")
    [line] = daemon.services.inventory.inventory.lines_of(int(before["id"]))
    former = daemon.services.inventory.inventory.active_credential(line.id)
    status, done = await ask("POST", "/devices/001565123456/disable")
    assert (status, done["item"]["status"]) == (200, "disabled")
    assert daemon.services.inventory.inventory.credentials_of(line.id) == ()
    status, done = await ask("POST", "/devices/001565123456/enable")
    assert (status, done["item"]["state"], done["item"]["users"]) == (200, "active", before["users"])
    [credential] = daemon.services.inventory.inventory.credentials_of(line.id)
    assert former is not None
    assert credential.ha1 != former.ha1


async def test_a_handset_is_paired_and_unpaired(ask: Ask) -> None:
    base = {"account": "acme", "type": "dect_base", "mac": "000413000001", "location": "HQ"}
    await ask("POST", "/devices", json=base)
    await ask("POST", "/devices", json={"account": "acme", "type": "dect_handset", "ipei": "065850047940"})
    status, done = await ask("POST", "/devices/065850047940/pair", json={"base": "000413000001"})
    assert (status, done["item"]["base"], done["item"]["location"]) == (200, "00:04:13:00:00:01", "HQ")
    status, done = await ask("POST", "/devices/065850047940/unpair")
    assert (status, done["item"]["status"], done["item"]["location"]) == (200, "unpaired", None)
    assert (await ask("POST", "/devices/065850047940/unpair"))[0] == 409


async def test_bases_change_their_roles_and_systems(ask: Ask) -> None:
    await ask("POST", "/dect-systems", json={"account": "acme", "name": "Hall"})
    for mac, role in (("000413000001", "master"), ("000413000002", "member")):
        base = {"account": "acme", "type": "dect_base", "mac": mac, "system": "Hall", "role": role}
        assert (await ask("POST", "/devices", json=base))[0] == 201
    status, done = await ask("POST", "/devices/000413000002/role", json={"role": "master"})
    assert (status, done["item"]["role"]) == (200, "master")
    assert (await ask("GET", "/devices/000413000001"))[1]["role"] == "member"
    status, done = await ask("POST", "/devices/000413000001/move", json={})
    assert (status, done["item"]["system"]) == (200, None)


async def test_a_token_of_its_own_is_rotated(ask: Ask, daemon: AdminDaemon) -> None:
    device_id = int((await ask("GET", "/devices/001565123456"))[1]["id"])
    before = daemon.services.inventory.inventory.get(Device, device_id).token_digest
    assert (await ask("POST", "/devices/001565123456/rotate-token"))[0] == 200
    assert daemon.services.inventory.inventory.get(Device, device_id).token_digest != before
