"""One phone, end to end, through the real process: box, files, dial tone, reload, and a crash at the worst moment."""

import secrets
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import datetime

import pytest
from tests.support.acme import SNOM_MAC, YEALINK_MAC, provisioning_url, set_up
from tests.support.daemon import DaemonProcess, eventually
from tests.support.phone import (
    Firmware,
    Notified,
    Phone,
    PhoneShell,
    Provisioned,
    Registered,
    Snom,
    Yealink,
)

from offhook.endpoint import Transport

NEW_NAMES = """\
accounts:
  - name: acme
    users:
      - {username: jsmith, first_name: Joan}
      - {username: mdoe, last_name: "O'Neill <\\"&>"}
"""

OWN_FILE = {YEALINK_MAC: "001565123456.cfg", SNOM_MAC: "snomD785-0004139A0B0C.htm"}
FIRMWARE = {YEALINK_MAC: "108.86.0.20", SNOM_MAC: "10.1.169.16"}
NAME_BEFORE = {YEALINK_MAC: "Jane Smith", SNOM_MAC: "Max Doe"}
NAME_AFTER = {YEALINK_MAC: "Joan Smith", SNOM_MAC: "Max O'Neill <\"&>"}


@pytest.fixture
def site(daemon: DaemonProcess) -> Iterator[DaemonProcess]:
    set_up(daemon)
    hidden = [*daemon.passwords(), daemon.token_of("acme")]
    yield daemon
    daemon.assert_log_is_clean(hidden)


def phone_with(firmware: Firmware, mac: str, url: str, transport: Transport) -> PhoneShell:
    phone = Phone(firmware, mac, provisioning_url=url, random=secrets.token_bytes, transport=transport)
    return PhoneShell(phone)


def seconds_since(text: str) -> float:
    return time.time() - datetime.fromisoformat(text).timestamp()


async def bindings_of(daemon: DaemonProcess) -> list[tuple[str, str, str, str]]:
    """What lasts of ``offhook bindings``; a phone whose connection is lost soon comes back from another port."""
    found = await daemon.json("bindings")
    return sorted(
        (it["aor"], it["contact"], it["received"].removesuffix(_port_of_connection(it["received"])), it["device"])
        for it in found
    )


def _port_of_connection(received: str) -> str:
    return received.rpartition(":")[2] if received.startswith("tcp:") else ""


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
@pytest.mark.parametrize("protocol", ["http", "tftp"])
async def test_from_box_to_dial_tone(site: DaemonProcess, protocol: str, transport: Transport) -> None:
    url = provisioning_url(site, protocol)
    async with AsyncExitStack() as desks:
        phones = {
            mac: await desks.enter_async_context(phone_with(firmware, mac, url, transport))
            for mac, firmware in ((YEALINK_MAC, Yealink()), (SNOM_MAC, Snom()))
        }
        for mac, phone in phones.items():
            await phone.wait_for(Registered)
            assert phone.phone.display_names == (NAME_BEFORE[mac],)
            shown = site.show_device(mac)
            assert (shown["status"], shown["config"], shown["registration"]) == ("registered", "current", "registered")
            assert (shown["firmware"], shown["ip"]) == (FIRMWARE[mac], "127.0.0.1")
            assert shown["revision"] == shown["fetched_revision"] == 1
            assert seconds_since(shown["last_provisioned_at"]) < 60

        assert (await site.apply(NEW_NAMES, "--json")).json()["applied"]
        for mac in phones:
            shown = site.show_device(mac)
            assert (shown["status"], shown["config"], shown["revision"]) == ("pending", "behind", 2)

        for mac, phone in phones.items():
            await check_reload(site, mac, phone)

        await check_crash(site, phones)


async def check_reload(site: DaemonProcess, mac: str, phone: PhoneShell) -> None:
    """The phone is told, fetches, keeps its registration, and is seen to have done so."""
    told = phone.mark()
    before = site.show_device(mac)
    registrations = sum(isinstance(news, Registered) for news in phone.history)

    record = await site.json("reload", mac, "--wait")

    assert (record["state"], record["event"], record["answer_status"]) == ("done", "check-sync;reboot=false", 200)
    assert await phone.wait_for(Notified, after=told) == Notified("check-sync;reboot=false", 200)
    provisioned = await phone.wait_for(Provisioned, after=told)
    assert provisioned.changed
    assert provisioned.found[-1] == OWN_FILE[mac]
    assert phone.phone.display_names == (NAME_AFTER[mac],)
    assert sum(isinstance(news, Registered) for news in phone.history) == registrations
    shown = await site.json("device", "show", mac)
    assert (shown["status"], shown["config"], shown["registration"]) == ("registered", "current", "registered")
    assert shown["revision"] == shown["fetched_revision"] == 2
    assert (shown["firmware"], shown["ip"]) == (FIRMWARE[mac], "127.0.0.1")
    assert shown["last_provisioned_at"] > before["last_provisioned_at"]
    assert shown["last_registered_at"] is not None


async def check_crash(site: DaemonProcess, phones: dict[str, PhoneShell]) -> None:
    """SIGKILL right after: every binding is there again, and no fact older than a second is lost."""
    bindings = await bindings_of(site)
    assert len(bindings) == len(phones)
    facts = {mac: site.show_device(mac) for mac in phones}
    killed_at = time.time()
    await site.kill()
    await site.start()

    assert await bindings_of(site) == bindings
    for mac, before in facts.items():
        after = site.show_device(mac)
        assert after["fetched_revision"] >= 1
        assert after["firmware"] == before["firmware"]
        if killed_at - datetime.fromisoformat(before["last_provisioned_at"]).timestamp() > 1.0:
            assert after["last_provisioned_at"] == before["last_provisioned_at"]
            assert after["fetched_revision"] == 2

    for mac, phone in phones.items():
        if phone.phone.accounts[0].transport is Transport.TCP:
            await make_connection(site, mac, phone)
        assert (await site.json("reload", mac, "--wait"))["state"] == "done"
        assert site.show_device(mac)["status"] == "registered"


async def make_connection(site: DaemonProcess, mac: str, phone: PhoneShell) -> None:
    """A connection dies with the process, and its binding cannot be reached until the phone has made another."""
    assert site.show_device(mac)["registration"] in ("unreachable", "registered")
    told = phone.mark()
    phone.perform(phone.phone.register_now(phone.now()))
    await phone.wait_for(Registered, after=told)
    assert site.show_device(mac)["registration"] == "registered"


async def test_facts_older_than_a_second_survive_a_crash(site: DaemonProcess) -> None:
    url = provisioning_url(site, "http")
    async with phone_with(Yealink(), YEALINK_MAC, url, Transport.UDP) as phone:
        await phone.wait_for(Registered)

        async def is_validated() -> bool:
            return bool(site.show_device(YEALINK_MAC)["dispatchable"])

        await eventually(is_validated, "the address that was applied is in force")
        before = site.show_device(YEALINK_MAC)

        async def is_old() -> bool:
            return min(seconds_since(before[name]) for name in ("last_provisioned_at", "last_registered_at")) > 1.0

        await eventually(is_old, "a second")
        await site.kill()
        await site.start()

        after = site.show_device(YEALINK_MAC)
        assert {name: value for name, value in after.items() if value != before[name]} == {}


async def test_a_new_password_reaches_the_phone_and_the_old_one_serves_until_then(site: DaemonProcess) -> None:
    url = provisioning_url(site, "http")
    async with phone_with(Yealink(), YEALINK_MAC, url, Transport.UDP) as phone:
        await phone.wait_for(Registered)
        old = phone.phone.accounts[0]
        await site.apply(
            "accounts: [{name: acme, devices: [{mac: '00:15:65:12:34:56', "
            "lines: [{index: 1, password: another-secret-1}]}]}]"
        )
        told = phone.mark()
        phone.perform(phone.phone.register_now(phone.now()))
        await phone.wait_for(Registered, after=told)

        record = await site.json("reload", YEALINK_MAC, "--wait")

        assert record["state"] == "done"
        assert record["awaits_registration"]
        assert phone.phone.accounts[0].password == "another-secret-1"
        assert phone.phone.accounts[0].address_of_record == old.address_of_record
