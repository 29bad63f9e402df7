import asyncio
import json
from typing import Any

import pytest
from tests.support.admin_daemon import START, AdminDaemon

from offhook.admin import announcer
from offhook.admin.announcements import EventType, Listener, Wanted
from offhook.events import ConfigFetched, ReloadProgressed
from offhook.inventory.models import Carrier, Device

ALL = Wanted(frozenset(EventType))


async def read(listener: Listener) -> list[tuple[str, Any]]:
    news = await listener.read(0)
    assert news is not None
    return [(it.type.value, json.loads(it.data)) for it in news.items]


async def test_a_change_says_who_made_it_of_what_and_who_has_to_reload(daemon: AdminDaemon) -> None:
    with daemon.announcements.listen(ALL) as listener:
        await daemon.apply("accounts: [{name: acme, devices: [{mac: 001565123456, name: Front desk}]}]")
        [(kind, change)] = await read(listener)
    assert kind == "change"
    assert change == {
        "at": "2027-01-15T08:00:00.000Z",
        "actor": "offhook",
        "request_id": "-",
        "account": "acme",
        "things": [{"action": "update", "kind": "device", "key": "device Front desk (00:15:65:12:34:56)"}],
        "thing_count": 1,
        "revised": ["00:15:65:12:34:56"],
        "revised_count": 1,
    }


async def test_each_account_is_told_of_what_is_its_own(daemon: AdminDaemon) -> None:
    acme, globex = daemon.inventory.find_account("acme"), daemon.inventory.find_account("globex")
    assert acme is not None
    assert globex is not None
    ours = Wanted(frozenset(EventType), frozenset({acme.id}))
    with daemon.announcements.listen(ALL) as every, daemon.announcements.listen(ours) as limited:
        await daemon.apply(
            "accounts: [{name: acme, users: [{username: kim}]}, {name: globex, users: [{username: hank}]}]"
        )
        assert [change["account"] for _, change in await read(every)] == ["acme", "globex"]
        [(_, change)] = await read(limited)
    assert [thing["key"] for thing in change["things"]] == ["user kim"]


async def test_a_large_change_is_told_in_part_and_counted(daemon: AdminDaemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcer, "NAMED", 2)
    users = ", ".join(f"{{username: user{number}}}" for number in range(5))
    with daemon.announcements.listen(ALL) as listener:
        await daemon.apply(f"accounts: [{{name: acme, users: [{users}]}}]")
        [(_, change)] = await read(listener)
    assert [thing["key"] for thing in change["things"]] == ["user user0", "user user1"]
    assert change["thing_count"] == 5


async def test_a_device_with_another_status_is_told(daemon: AdminDaemon) -> None:
    devices = daemon.services.registers.devices
    await devices.catch_up()
    reception = daemon.device()
    with daemon.announcements.listen(ALL) as listener:
        fetched(daemon, reception)
        await devices.catch_up()
        daemon.bind(reception)
        await devices.catch_up()
        (_, offline), (_, registered) = await read(listener)
    assert (offline["before"], offline["status"], offline["config"]) == ("new", "offline", "current")
    assert registered == {
        "at": "2027-01-15T08:00:00.000Z",
        "device": "00:15:65:12:34:56",
        "name": "Reception",
        "account": "acme",
        "status": "registered",
        "before": "offline",
        "config": "current",
        "registration": "registered",
        "revision": 1,
        "fetched_revision": 1,
    }


async def test_a_device_that_registers_again_is_no_news(daemon: AdminDaemon) -> None:
    devices, reception = daemon.services.registers.devices, daemon.device()
    fetched(daemon, reception)
    daemon.bind(reception)
    await devices.catch_up()
    with daemon.announcements.listen(ALL) as listener:
        daemon.bind(reception)
        devices.note(reception.id)
        await devices.catch_up()
        assert await read(listener) == []


async def test_a_device_that_reports_as_soon_as_it_is_made_is_told(daemon: AdminDaemon) -> None:
    registers = daemon.services.registers
    await registers.tend()
    assert registers.is_filled
    with daemon.announcements.listen(ALL) as listener:
        await daemon.apply("accounts: [{name: acme, devices: [{type: deskphone, mac: 001565123460, name: Fresh}]}]")
        fetched(daemon, daemon.device("Fresh"))
        await registers.devices.catch_up()
        [(kind, told)] = (await read(listener))[1:]
    assert (kind, told["name"], told["before"], told["config"]) == ("device", "Fresh", None, "current")


async def test_what_is_made_ready_at_the_start_is_no_news(daemon: AdminDaemon) -> None:
    fetched(daemon, daemon.device())
    with daemon.announcements.listen(ALL) as listener:
        await daemon.services.registers.devices.catch_up()
        assert await read(listener) == []


async def test_devices_that_come_and_go_are_told_as_changes_only(daemon: AdminDaemon) -> None:
    devices = daemon.services.registers.devices
    await devices.catch_up()
    with daemon.announcements.listen(ALL) as listener:
        await daemon.apply("accounts: [{name: acme, devices: [{type: softphone, name: Laptop}]}]")
        await devices.catch_up()
        async with daemon.local() as client, client.delete("/api/v1/devices/Laptop") as response:
            assert response.status == 200
        await devices.catch_up()
        assert {kind for kind, _ in await read(listener)} == {"change"}


async def test_a_reload_is_told_as_it_goes_on(daemon: AdminDaemon) -> None:
    with daemon.announcements.listen(ALL) as listener:
        record = daemon.reloads.start(daemon.device(), "jane")
        daemon.bus.publish(ReloadProgressed(record.id))
        [(kind, view)] = await read(listener)
        assert (kind, view["id"], view["device"], view["state"]) == (
            "reload",
            str(record.id),
            "00:15:65:12:34:56",
            "queued",
        )
        daemon.bus.publish(ReloadProgressed(0))
        assert await read(listener) == []


async def test_nothing_is_made_ready_while_nobody_listens(daemon: AdminDaemon) -> None:
    await daemon.apply("accounts: [{name: acme, users: [{username: kim}]}]")
    record = daemon.reloads.start(daemon.device(), "jane")
    daemon.bus.publish(ReloadProgressed(record.id))
    daemon.bind(daemon.device())
    await daemon.services.registers.devices.catch_up()
    assert not daemon.announcements._ring


async def test_devices_are_looked_at_while_somebody_listens(
    daemon: AdminDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announcer, "_GATHER_SECONDS", 0)
    fetched(daemon, daemon.device())
    await daemon.services.registers.devices.catch_up()
    with daemon.announcements.listen(ALL) as listener:
        running = asyncio.create_task(daemon.announcer.run())
        daemon.bind(daemon.device())
        news = await listener.read(20)
        running.cancel()
    assert news is not None
    assert [it.type for it in news.items] == [EventType.DEVICE]


def fetched(daemon: AdminDaemon, device: Device) -> None:
    """The device has its configuration as it is now."""
    revision = daemon.inventory.get(Carrier, device.id).revision
    daemon.facts.note_fetched(
        ConfigFetched(device.id, revision, "001565123456.cfg", "device", START, "10.1.2.3", "http")
    )
