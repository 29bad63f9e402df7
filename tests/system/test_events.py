"""``offhook events`` on the real daemon: a phone comes up, is changed, is reloaded; then the daemon is stopped."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.support.acme import YEALINK_MAC, provisioning_url, set_up
from tests.support.daemon import OFFHOOK, DaemonProcess, eventually
from tests.support.phone import Phone, PhoneShell, Registered, Yealink

from offhook.endpoint import Transport

_SECONDS = 20


class Follower:
    """``offhook events --json``, as a process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def next(self, kind: str, **values: Any) -> dict[str, Any]:
        """The data of the next event of that type with these values; others are passed over."""
        assert self.process.stdout is not None
        async with asyncio.timeout(_SECONDS):
            while line := await self.process.stdout.readline():
                event = json.loads(line)
                data: dict[str, Any] = event["data"]
                if event["type"] == kind and values.items() <= data.items():
                    return data
        raise AssertionError(f"the stream ended before {kind} {values}")


@asynccontextmanager
async def following(daemon: DaemonProcess, *arguments: str) -> AsyncIterator[Follower]:
    process = await asyncio.create_subprocess_exec(
        str(OFFHOOK),
        "--config",
        str(daemon.config_file),
        "events",
        "--json",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await eventually(lambda: _is_followed(daemon), "somebody follows the events")
        yield Follower(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _is_followed(daemon: DaemonProcess) -> bool:
    _, metrics = daemon.get_http(daemon.ports.metrics, "/metrics")
    return b"offhook_event_listeners 1.0" in metrics


async def test_what_happens_to_a_phone_can_be_followed(daemon: DaemonProcess) -> None:
    set_up(daemon)
    async with following(daemon) as events:
        # Whoever follows reads first what there is: from then on each difference is told.
        assert YEALINK_MAC in (await daemon.run("device", "list")).out
        url = provisioning_url(daemon, "http")
        phone = Phone(Yealink(), YEALINK_MAC, provisioning_url=url, random=secrets.token_bytes, transport=Transport.UDP)
        async with PhoneShell(phone) as shell:
            await shell.wait_for(Registered)
            came_up = await events.next("device", device=YEALINK_MAC, status="registered")
            assert (came_up["config"], came_up["registration"], came_up["account"]) == ("current", "registered", "acme")

            await daemon.apply("accounts: [{name: acme, users: [{username: jsmith, first_name: Joan}]}]")
            change = await events.next("change", revised_count=1)
            assert change["things"] == [{"action": "update", "kind": "user", "key": "user jsmith"}]
            assert change["revised"] == [YEALINK_MAC]
            assert change["actor"].startswith("uid ")
            await events.next("device", device=YEALINK_MAC, before="registered", status="pending")

            await daemon.run("reload", YEALINK_MAC, "--wait")
            states = [(await events.next("reload"))["state"] for _ in range(2)]
            assert states == ["queued", "sent"]
            await events.next("reload", state="done")
        assert await daemon.terminate() == 0
        assert await events.process.wait() == 0


async def test_the_end_of_the_daemon_does_not_wait_for_who_listens(daemon: DaemonProcess) -> None:
    async with following(daemon, "--type", "change") as events:
        assert await daemon.terminate() == 0
        out, err = await events.process.communicate()
    assert (out, err, events.process.returncode) == (b"", b"", 0)
