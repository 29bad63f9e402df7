"""baresip registers with what a phone's file says, over UDP and TCP, and is refused with a wrong password.

It answers an unsolicited NOTIFY with 481, and starts each registration without credentials. Its exit code is 0 in
every case, so its registration is asked for over its control connection.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.acme import YEALINK_MAC, fetch_account
from tests.support.daemon import DaemonProcess, eventually
from tests.support.peers import require_peer
from tests.support.phone import Account
from tests.support.programs import find_free_port, started_program

from offhook.endpoint import Transport


async def ask(port: int, command: str) -> str | None:
    """What baresip answers to a command, None while its control connection is not up."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return None
    try:
        text = json.dumps({"command": command, "params": ""})
        writer.write(f"{len(text)}:{text},".encode())
        while True:
            length = int((await reader.readuntil(b":"))[:-1])
            message = json.loads(await reader.readexactly(length))
            await reader.readexactly(1)
            if message.get("response"):
                return str(message["data"])
    finally:
        writer.close()


async def registration(port: int) -> str | None:
    """``OK`` or ``ERR`` once the registrar has answered, else None."""
    shown = await ask(port, "reginfo") or ""
    return next((word for word in ("OK", "ERR") if f"{word} " in shown or f"{word}\x1b" in shown), None)


def find_modules() -> Path:
    """Where the package has put baresip's modules; some distributions name the architecture in between."""
    return next(Path("/usr").glob("l*/**/baresip/modules/account.so")).parent


@asynccontextmanager
async def baresip(account: Account, folder: Path) -> AsyncIterator[int]:
    """baresip with that account; gives the port of its control connection."""
    program = require_peer("baresip")
    modules = find_modules()
    sip_port = find_free_port(following=1)
    control_port = find_free_port()
    host, port = account.destination
    transport = account.transport.value
    folder.joinpath("accounts").write_text(
        f"<{account.address_of_record};transport={transport}>;auth_user={account.auth_name}"
        f';auth_pass={account.password};outbound="sip:{host}:{port};transport={transport}";regint=120\n'
    )
    folder.joinpath("config").write_text(
        f"sip_listen 127.0.0.1:{sip_port}\nmodule_path {modules}\nmodule g711.so\nmodule_tmp account.so\n"
        f"module_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{control_port}\n"
    )
    async with started_program([program, "-f", str(folder), "-s"], folder, environment={"HOME": str(folder)}):
        yield control_port


@pytest.mark.parametrize("vendor", ["yealink", "snom"])
@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
async def test_it_registers_with_what_the_file_says(
    acme: DaemonProcess, tmp_path: Path, vendor: str, transport: Transport
) -> None:
    account = replace(await fetch_account(acme, vendor), transport=transport)

    async with baresip(account, tmp_path) as control:
        assert await eventually(lambda: registration(control), "baresip's registration") == "OK"
        bindings = acme.ask("GET", f"/bindings?aor={account.user}")["items"]
        mine = [it for it in bindings if it["user_agent"].startswith("baresip")]
        assert len(mine) == 1
        assert mine[0]["received"].startswith(f"{transport.value}:127.0.0.1:")
        assert mine[0]["aor"] == account.address_of_record
        assert 0 < mine[0]["expires_in"] <= 120

    async def is_gone() -> bool:
        items = acme.ask("GET", f"/bindings?aor={account.user}")["items"]
        return not [it for it in items if it["user_agent"].startswith("baresip")]

    assert await eventually(is_gone, "baresip's farewell")


async def test_it_is_refused_with_a_wrong_password(acme: DaemonProcess, tmp_path: Path) -> None:
    account = replace(await fetch_account(acme, "yealink"), password="wrong")

    async with baresip(account, tmp_path) as control:
        assert await eventually(lambda: registration(control), "baresip's registration") == "ERR"
        assert acme.ask("GET", f"/bindings?device={YEALINK_MAC}")["items"] == []


async def test_its_481_to_a_notify_is_reported(acme: DaemonProcess, tmp_path: Path) -> None:
    account = await fetch_account(acme, "yealink")

    async with baresip(account, tmp_path) as control:
        assert await eventually(lambda: registration(control), "baresip's registration") == "OK"
        finished = await acme.run("reload", YEALINK_MAC, "--wait", exit_code=1)
        assert "answered the NOTIFY with 481" in finished.err
