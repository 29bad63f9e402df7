from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.inventory.models import Credential


async def test_lines_are_added_changed_and_deleted(ask: Ask) -> None:
    ata = {"account": "acme", "type": "ata", "mac": "ec74d7000099", "vendor": "grandstream", "model": "HT802"}
    assert (await ask("POST", "/devices", json=ata))[0] == 201
    status, done = await ask("POST", "/devices/ec74d7000099/lines", json={"index": 2, "extension": "2777"})
    assert (status, [line["index"] for line in done["item"]["lines"]]) == (200, [1, 2])
    assert (await ask("POST", "/devices/ec74d7000099/lines", json={"index": 2}))[0] == 409
    status, done = await ask("PATCH", "/devices/ec74d7000099/lines/2", json={"label": "Fax", "extension": None})
    assert (status, done["item"]["lines"][1]["label"], done["item"]["lines"][1]["extension"]) == (200, "Fax", None)
    assert (await ask("PATCH", "/devices/ec74d7000099/lines/7", json={"label": "Fax"}))[0] == 404
    assert (await ask("DELETE", "/devices/ec74d7000099/lines/1"))[0] == 422
    status, done = await ask("DELETE", "/devices/ec74d7000099/lines/2")
    assert (status, [line["index"] for line in done["item"]["lines"]]) == (200, [1])
    assert (await ask("DELETE", "/devices/ec74d7000099/lines/x"))[0] == 404


async def test_a_password_is_staged_and_activated(ask: Ask, daemon: AdminDaemon) -> None:
    device = (await ask("GET", "/devices/001565123456"))[1]
    password = "/devices/001565123456/lines/1/password"

    def states() -> list[str]:
        inventory = daemon.services.inventory.inventory
        [line] = inventory.lines_of(int(device["id"]))
        held: tuple[Credential, ...] = inventory.credentials_of(line.id)
        return sorted(credential.state.value for credential in held)

    assert (await ask("POST", f"{password}/activate"))[0] == 409
    assert (await ask("POST", f"{password}/stage"))[0] == 200
    assert states() == ["active", "staged"]
    assert (await ask("POST", f"{password}/drop"))[0] == 200
    assert states() == ["active"]
    await ask("POST", f"{password}/stage")
    assert (await ask("POST", f"{password}/activate"))[0] == 200
    assert states() == ["active", "retiring"]
    assert (await ask("POST", f"{password}/renew"))[0] == 200
    assert states() == ["active", "retiring", "retiring"]
