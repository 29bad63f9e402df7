"""A large table goes into the real daemon while phones register: all of it, or nothing."""

import asyncio
import secrets
from pathlib import Path

import pytest
from tests.support.acme import YEALINK_MAC, provisioning_url, set_up
from tests.support.daemon import CommandFailed, DaemonProcess, eventually
from tests.support.phone import Phone, PhoneShell, Registered, Yealink

from offhook.endpoint import Transport

ROWS = 1500
BROKEN_ROWS = 100_000
HEADER = "Username;First name;Last name;Extension;Location;Number;Type;MAC;Model;Name\r\n"


def table(rows: int) -> str:
    """As a spreadsheet saves it."""
    return HEADER + "".join(
        f"user{row};Ana;Über {row};{300_000 + row};HQ;'+1646{5_550_000 + row};deskphone;00:15:65:77:{row >> 8:02x}:"
        f"{row & 255:02X};T46U;Desk {row}\r\n"
        for row in range(rows)
    )


def phone_at(daemon: DaemonProcess, mac: str) -> PhoneShell:
    url = provisioning_url(daemon, "http")
    return PhoneShell(Phone(Yealink(), mac, provisioning_url=url, random=secrets.token_bytes, transport=Transport.UDP))


def count_users(daemon: DaemonProcess) -> int:
    accounts = daemon.ask("GET", "/accounts/acme")
    users = accounts["users"]
    assert isinstance(users, int)
    return users


async def test_a_table_of_many_rows_goes_in_while_phones_register(daemon: DaemonProcess, tmp_path: Path) -> None:
    set_up(daemon)
    file = tmp_path / "staff.csv"
    file.write_bytes(table(ROWS).encode("utf-8-sig"))
    async with phone_at(daemon, YEALINK_MAC) as phone:
        await phone.wait_for(Registered)
        running = asyncio.create_task(daemon.run("import", str(file)))
        registered = 0
        while not running.done():
            told = phone.mark()
            phone.perform(phone.phone.register_now(phone.now()))
            await phone.wait_for(Registered, after=told)
            registered += 1
        assert registered
    lines = (await running).out.splitlines()
    assert [line.split() for line in lines[1:4]] == [[kind, str(ROWS)] for kind in ("user", "number", "device")]
    assert (await daemon.run("import", str(file))).out.splitlines()[-1] == "Nothing to change."

    async with phone_at(daemon, "00:15:65:77:00:07") as phone:
        await phone.wait_for(Registered)
        assert phone.phone.display_names == ("Ana Über 7",)

    exported = tmp_path / "everything.csv"
    await daemon.run("export", "--csv", "all", "--output", str(exported))
    assert (await daemon.run("import", str(exported))).out.splitlines()[-1] == "Nothing to change."
    daemon.assert_log_is_clean()


async def test_a_table_of_broken_rows_is_told_and_changes_nothing(daemon: DaemonProcess, tmp_path: Path) -> None:
    set_up(daemon)
    before = await daemon.run("export")
    file = tmp_path / "broken.csv"
    file.write_text("username,extension,location\n" + "".join(f"user{row},x,Nowhere\n" for row in range(BROKEN_ROWS)))
    refused = await daemon.run("import", str(file), exit_code=1)
    faults = refused.err.splitlines()
    assert [int(fault.split(":")[1]) for fault in faults[:100]] == list(range(2, 102))
    assert faults[0] == f"{file}:2:2: extension: 'x' is not an extension; write it in digits, e.g. \"2001\""
    assert "99900 more faults" in faults[100]
    assert faults[101] == "Error: the document has more than 100 faults; nothing was changed"
    assert (await daemon.run("export")).out == before.out


@pytest.mark.parametrize("stage", ["applying", "writing"])
async def test_a_daemon_that_is_killed_has_taken_all_of_a_table_or_nothing(
    daemon: DaemonProcess, tmp_path: Path, stage: str
) -> None:
    set_up(daemon)
    before = count_users(daemon)
    file = tmp_path / "staff.csv"
    file.write_text(table(ROWS))
    upload = asyncio.to_thread(daemon.ask, "POST", "/imports?progress=killed", file.read_bytes())
    running = asyncio.create_task(upload)

    async def is_there() -> bool:
        if running.done():
            return True
        try:
            seen = await asyncio.to_thread(daemon.ask, "GET", "/imports/killed")
        except CommandFailed:
            return False  # It has not begun.
        return seen["stage"] in (stage, "done")

    await eventually(is_there, f"the import gets to {stage}", seconds=30.0)
    await daemon.kill()
    await asyncio.wait([running])
    running.exception()
    await daemon.start()
    assert count_users(daemon) in (before, before + ROWS)
    await daemon.run("import", str(file))
    assert count_users(daemon) == before + ROWS
