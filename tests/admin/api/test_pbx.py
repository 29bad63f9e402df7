import asyncio

import pytest
from tests.admin.conftest import Ask
from tests.support.admin_daemon import AdminDaemon

from offhook.admin.routes import ROOT
from offhook.inventory.apply import ApplyOptions
from offhook.inventory.service import DAEMON
from offhook.store.tokens import Role, Scope


async def test_an_export_is_audited_with_its_reason(ask: Ask, daemon: AdminDaemon) -> None:
    status, it = await ask("GET", "/inventory/export/asterisk?account=acme&context=office")
    assert (status, it["extensions"]) == (200, 2)
    assert "context=office\n" in it["text"]
    assert it["text"].startswith("; Made by Offhook 0.0.0: offhook export --for asterisk --account acme\n")
    record = daemon.services.audit.read(1)[0].record
    assert (record.action, record.key, record.reason) == ("reveal", "lines of acme", "export for asterisk")
    await ask("GET", "/inventory/export/kamailio?reason=new+PBX")
    record = daemon.services.audit.read(1)[0].record
    assert (record.key, record.reason) == ("lines of all accounts", "new PBX")


async def test_the_same_inventory_gives_the_same_file(ask: Ask) -> None:
    for program in ("asterisk", "kamailio"):
        files = [(await ask("GET", f"/inventory/export/{program}"))[1]["text"] for _ in range(2)]
        assert files[0] == files[1]


@pytest.mark.parametrize(
    ("path", "status"),
    [("freeswitch", 404), ("asterisk?account=akme", 404), ("asterisk?context=a%0Ab", 422), ("asterisk?secrets", 422)],
)
async def test_what_is_not_known_is_refused(ask: Ask, path: str, status: int) -> None:
    assert (await ask("GET", f"/inventory/export/{path}"))[0] == status


async def test_only_administrators_are_given_credentials(daemon: AdminDaemon) -> None:
    for role, status in ((Role.OPERATOR, 403), (Role.ADMINISTRATOR, 200)):
        async with (
            await daemon.remote(role, scopes=[Scope.REVEAL]) as client,
            client.get(f"{ROOT}/inventory/export/kamailio?reason=test") as response,
        ):
            assert response.status == status


async def test_a_change_is_told_to_who_waits_and_a_reveal_is_none(ask: Ask, daemon: AdminDaemon) -> None:
    _, known = await ask("GET", "/inventory/change")
    await ask("GET", "/inventory/export/kamailio")
    assert (await ask("GET", f"/inventory/change?known={known['change']}&wait=0"))[1] == known
    waiting = asyncio.create_task(ask("GET", f"/inventory/change?known={known['change']}&wait=60"))
    document = b"accounts: [{name: acme, users: [{username: jsmith, first_name: Joan}]}]"
    service = daemon.services.inventory
    await service.apply(service.document(document, "new.yaml"), ApplyOptions(), DAEMON)
    status, changed = await waiting
    assert status == 200
    assert changed != known
