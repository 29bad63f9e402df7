"""Changes that come at once, and one that the power takes half-way: each is made whole, or not at all."""

import asyncio
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.support.daemon import DaemonProcess, find_ports, running_daemon

DEVICES = 300


def _office(devices: int) -> str:
    """A document with so many users, each with a phone."""
    users = [{"username": f"u{n}", "extension": f"{20000 + n}"} for n in range(devices)]
    phones = [
        {"type": "deskphone", "mac": f"001565{n:06x}", "vendor": "yealink", "model": "T46U", "user": f"u{n}"}
        for n in range(devices)
    ]
    return json.dumps({"accounts": [{"name": "acme", "sip_domain": "acme.test", "users": users, "devices": phones}]})


@pytest.mark.timeout(120)
async def test_an_apply_that_is_killed_at_any_point_is_whole_or_nothing(tmp_path: Path) -> None:
    daemon = DaemonProcess(tmp_path, find_ports())
    (tmp_path / "office.yaml").write_text(_office(DEVICES))
    found: set[int] = set()
    try:
        for delay in (0.8, 60.0):
            await daemon.start()
            applying = asyncio.create_task(daemon.run("apply", "office.yaml", exit_code=None))
            done, _ = await asyncio.wait({applying}, timeout=delay)
            await daemon.kill()
            await applying
            await daemon.start()
            status = (await daemon.run("status", "--json")).json()
            counts = {status["counts"][kind] for kind in ("users", "devices", "lines")}
            assert counts in ({0}, {DEVICES})
            assert not done or counts == {DEVICES}
            found |= counts
            await daemon.terminate()
    finally:
        if daemon.process is not None and daemon.process.poll() is None:
            await daemon.kill()
    assert DEVICES in found


async def test_of_changes_that_saw_the_same_state_one_is_made(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        (tmp_path / "office.yaml").write_text(_office(3))
        await daemon.run("apply", "office.yaml")
        connector = aiohttp.UnixConnector(str(daemon.state_dir / "admin.sock"))
        async with aiohttp.ClientSession("http://localhost", connector=connector) as client:
            async with client.get("/api/v1/users/u0") as response:
                tag = response.headers["ETag"]

            async def rename(text: str) -> tuple[int, Any]:
                headers = {"If-Match": tag}
                async with client.patch("/api/v1/users/u0", json={"last_name": text}, headers=headers) as response:
                    return response.status, await response.json()

            answers = await asyncio.gather(*(rename(f"N{n}") for n in range(12)))
            assert sorted(status for status, _ in answers) == [200] + [412] * 11
            [winner] = [body["item"]["last_name"] for status, body in answers if status == 200]
            async with client.get("/api/v1/users/u0") as response:
                assert (await response.json())["last_name"] == winner


async def test_of_users_that_want_the_same_extension_one_gets_it(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        (tmp_path / "office.yaml").write_text(_office(8))
        await daemon.run("apply", "office.yaml")
        connector = aiohttp.UnixConnector(str(daemon.state_dir / "admin.sock"))
        async with aiohttp.ClientSession("http://localhost", connector=connector) as client:

            async def want(n: int) -> int:
                async with client.patch(f"/api/v1/users/u{n}", json={"extension": "777"}) as response:
                    return response.status

            statuses = await asyncio.gather(*(want(n) for n in range(8)))
        assert sorted(statuses) == [200] + [409] * 7
