"""The keys of the real daemon are changed while it works, and no phone notices."""

import asyncio
import secrets
from typing import Any

from tests.support.acme import YEALINK_MAC, provisioning_url, set_up
from tests.support.daemon import DaemonProcess
from tests.support.phone import Phone, PhoneShell, Registered, Yealink

from offhook.endpoint import Transport


async def test_keys_change_and_phones_do_not_notice(daemon: DaemonProcess) -> None:
    set_up(daemon)
    phone = Phone(
        Yealink(),
        YEALINK_MAC,
        provisioning_url=provisioning_url(daemon, "http"),
        random=secrets.token_bytes,
        transport=Transport.UDP,
    )

    async def state() -> tuple[Any, ...]:
        device = await daemon.json("device", "show", YEALINK_MAC)
        return device["revision"], device["fetched_revision"], daemon.passwords(), daemon.token_of("acme")

    async with PhoneShell(phone) as shell:
        await shell.wait_for(Registered)
        before = await state()

        await daemon.run("key", "rotate")
        await daemon.run("key", "reseal")
        assert await state() == before
        await daemon.terminate()
        await daemon.start()
        # The revision is decided anew at each start.
        assert await state() == before
        told = shell.mark()
        shell.perform(shell.phone.register_now(shell.now()))
        await shell.wait_for(Registered, after=told)
    keys = await daemon.json("key", "show")
    assert [(key["id"], key["is_current"]) for key in keys["data_keys"]] == [(1, True), (3, True)]
    current, former = (key["id"] for key in keys["root_keys"])
    assert {key["root_key"] for key in keys["data_keys"]} == {current}
    assert former in (await daemon.run("key", "show")).out


async def test_a_daemon_that_is_killed_while_it_seals_anew_goes_on(daemon: DaemonProcess) -> None:
    document = "accounts: [{name: acme, sip_domain: acme.test, users: ["
    document += ", ".join(f"{{username: user{number}}}" for number in range(5000))
    await asyncio.to_thread(daemon.apply_now, document + "]}]")
    batch = await asyncio.to_thread(daemon.ask, "POST", "/keys/reseal", b"{}", "application/json")
    assert batch["left"] > 0
    await daemon.kill()
    await daemon.start()
    keys = await daemon.json("key", "show")
    assert keys["outdated"] == batch["left"]
    done = await daemon.json("key", "reseal")
    assert (done["data_key"], done["resealed"], done["dropped"]) == (batch["data_key"], batch["left"], [2])
