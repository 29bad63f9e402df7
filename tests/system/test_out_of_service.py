"""A phone that was stolen, or has died: everything that it knew is void at once. Through the real process."""

import secrets
from collections.abc import Iterator

import pytest
from tests.support.acme import YEALINK_MAC, provisioning_url, set_up
from tests.support.daemon import DaemonProcess
from tests.support.phone import Phone, PhoneShell, Registered, RegistrationFailed, Yealink, fetch

from offhook.endpoint import Transport

STATE = f"accounts: [{{name: acme, devices: [{{mac: '{YEALINK_MAC}', state: %s}}]}}]"
UA = "Yealink SIP-T46U 108.86.0.20 00:15:65:12:34:56"


@pytest.fixture
def site(daemon: DaemonProcess) -> Iterator[DaemonProcess]:
    set_up(daemon)
    hidden = [*daemon.passwords(), daemon.token_of("acme")]
    yield daemon
    daemon.assert_log_is_clean(hidden)


def phone_of(mac: str, url: str) -> Phone:
    return Phone(Yealink(), mac, provisioning_url=url, random=secrets.token_bytes, transport=Transport.UDP)


async def test_a_disabled_phone_is_a_stranger_until_it_is_enabled(site: DaemonProcess) -> None:
    url = provisioning_url(site, "http")
    phone = phone_of(YEALINK_MAC, url)
    async with PhoneShell(phone) as shell:
        await shell.wait_for(Registered)
        before = phone.accounts[0]

        await site.apply(STATE % "disabled")
        assert await site.json("bindings") == []
        assert site.show_device(YEALINK_MAC)["status"] == "disabled"
        refused, unknown = [await fetch(f"{url}{mac}.cfg", UA) for mac in ("001565123456", "001565999999")]
        assert (refused.status, refused.data) == (unknown.status, unknown.data)
        assert not refused.found
        assert "is disabled" in (await site.run("reload", YEALINK_MAC, exit_code=1)).err
        told = shell.mark()
        shell.perform(phone.register_now(shell.now()))
        assert (await shell.wait_for(RegistrationFailed, after=told)).status == 401

        await site.apply(STATE % "active")
        told = shell.mark()
        shell.perform(phone.reboot(shell.now()))
        await shell.wait_for(Registered, after=told)
        after = phone.accounts[0]
        assert after.address_of_record == before.address_of_record
        assert after.password != before.password
        shown = site.show_device(YEALINK_MAC)
        assert (shown["status"], shown["revision"], shown["fetched_revision"]) == ("registered", 3, 3)


async def test_a_new_phone_takes_the_place_of_a_dead_one(site: DaemonProcess) -> None:
    url, new_mac = provisioning_url(site, "http"), "00:15:65:99:99:99"
    async with PhoneShell(phone_of(YEALINK_MAC, url)) as old:
        await old.wait_for(Registered)
        before = old.phone.accounts[0]

        await site.run("device", "replace", YEALINK_MAC, new_mac, "--model", "T46U", "--yes")
        assert await site.json("bindings") == []
        shown = site.show_device(new_mac)
        assert (shown["status"], shown["firmware"], shown["name"]) == ("new", "", "Reception")
        assert not (await fetch(f"{url}001565123456.cfg", UA)).found
        told = old.mark()
        old.perform(old.phone.register_now(old.now()))
        assert (await old.wait_for(RegistrationFailed, after=told)).status == 401

        async with PhoneShell(phone_of(new_mac, url)) as new:
            await new.wait_for(Registered)
            after = new.phone.accounts[0]
            assert after.address_of_record == before.address_of_record
            assert after.password != before.password
            assert site.show_device(new_mac)["status"] == "registered"
