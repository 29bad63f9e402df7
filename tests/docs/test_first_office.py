"""The office of docs/administration.md, set up as printed: with commands alone, and again with two files."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.support.daemon import DaemonProcess, eventually
from tests.support.daemon import daemon as daemon
from tests.support.documents import ADMINISTRATION, FIRST_OFFICE, read_blocks, run_as_printed

ACCOUNT = "lakeside"
#: What comes before the list of devices, of which the page has the first columns.
PRINTED = "The list of devices is, as far as a terminal is wide:\n\n```\n"
_SECONDS = 240


def listed(daemon: DaemonProcess, kind: str, **query: str) -> list[dict[str, Any]]:
    """Everything of a kind in the office."""
    more = "".join(f"&{name}={value}" for name, value in query.items())
    page = daemon.ask("GET", f"/{kind}?account={ACCOUNT}&limit=1000{more}")
    assert page["next"] is None
    items = page["items"]
    assert isinstance(items, list)
    return items


async def look(daemon: DaemonProcess) -> str:
    """What is said of the office is so; gives it as a document."""
    assert [it["name"] for it in daemon.ask("GET", "/accounts")["items"]] == [ACCOUNT]
    assert {it["name"]: it["devices"] for it in listed(daemon, "locations")} == {"Office": 8, "Depot": 9}

    devices = listed(daemon, "devices")
    assert Counter(it["type"] for it in devices) == {"deskphone": 10, "dect_handset": 5, "dect_base": 1, "ata": 1}
    assert Counter(it["vendor"] for it in devices if it["type"] == "deskphone") == {"yealink": 5, "snom": 5}
    [base] = listed(daemon, "devices", type="dect_base")
    handsets = listed(daemon, "devices", type="dect_handset")
    assert {it["base"] for it in handsets} == {base["device"]}
    assert [len(it["users"]) for it in handsets] == [1] * 5
    [ata] = listed(daemon, "devices", type="ata")
    assert [(line["index"], line["extension"]) for line in ata["lines"]] == [(1, "90"), (2, "91")]

    users = listed(daemon, "users")
    assert len(users) == 10
    assert {len(it["devices"]) for it in users} == {len(it["numbers"]) for it in users} == {1}
    assert all(it["numbers"][0].endswith(it["extension"]) for it in users)
    numbers = listed(daemon, "numbers")
    types = Counter(it["station_type"] for it in numbers)
    assert types == {"premium": 5, "standard": 5, "common area": 1, None: 1}

    async def is_covered() -> bool:
        # What a document brings is asked about within seconds.
        counts = daemon.ask("GET", f"/emergency/coverage?account={ACCOUNT}")["counts"]
        return bool(counts["dispatchable"] == counts["devices"] == 17)

    await eventually(is_covered, "every device has an address that help can be sent to")
    for device in listed(daemon, "devices"):
        sent = daemon.ask("GET", f"/devices/{device['device']}/dispatch")
        assert (sent["dispatchable"], sent["source"], sent["source_name"]) == (True, "location", device["location"])
        assert (device["dispatchable"], device["emergency_address"]) == (True, sent["text"])
    return (await daemon.run("export", "--account", ACCOUNT)).out


@pytest.mark.timeout(2 * _SECONDS + 60)
async def test_commands_alone_and_two_files_set_up_the_same_office(daemon: DaemonProcess, tmp_path: Path) -> None:
    blocks = [block for block in read_blocks(ADMINISTRATION) if block.section == FIRST_OFFICE]
    *commands, files, again = blocks
    assert "offhook account delete" in files.text
    run_as_printed(commands, daemon, tmp_path, seconds=_SECONDS)
    by_commands = await look(daemon)

    printed = ADMINISTRATION.read_text().partition(PRINTED)[2].partition("```")[0].splitlines()
    shown = (await daemon.run("device", "list", "--account", ACCOUNT)).out.splitlines()
    assert [line[: len(start)] for line, start in zip(shown, printed, strict=True)] == printed

    run_as_printed([files], daemon, tmp_path, seconds=_SECONDS)
    assert await look(daemon) == by_commands

    assert run_as_printed([again], daemon, tmp_path, seconds=_SECONDS).count("Nothing to change.") == 2
    assert await look(daemon) == by_commands
