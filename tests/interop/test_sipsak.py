"""sipsak asks for options, registers, and removes what it registered.

It cuts a port of five digits to four in every URI it writes, and sends to the right one all the same: a Request-URI
with the server's address and whatever port has to do.
"""

from pathlib import Path

import pytest
from tests.support.acme import fetch_account
from tests.support.daemon import DaemonProcess
from tests.support.peers import require_peer
from tests.support.programs import find_free_port, run_program

CONTACT = "sip:2001@127.0.0.1:5555"


async def sipsak(folder: Path, *arguments: str) -> int:
    return (await run_program([require_peer("sipsak"), *arguments], folder)).exit_code


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_options_is_answered(acme: DaemonProcess, tmp_path: Path, transport: str) -> None:
    assert await sipsak(tmp_path, "-E", transport, "-s", f"sip:127.0.0.1:{acme.ports.sip}") == 0


async def test_silence_is_told_from_an_answer(tmp_path: Path) -> None:
    assert await sipsak(tmp_path, "-D", "1", "-s", f"sip:127.0.0.1:{find_free_port()}") == 3


async def test_it_registers_and_removes_everything(acme: DaemonProcess, tmp_path: Path) -> None:
    account = await fetch_account(acme, "yealink")
    uri = f"sip:{account.user}@127.0.0.1:{acme.ports.sip}"

    def who(password: str) -> tuple[str, ...]:
        return "-u", account.auth_name, "-a", password, "-s", uri

    assert await sipsak(tmp_path, "-U", "-C", CONTACT, "-x", "60", *who("wrong")) == 2
    assert acme.ask("GET", "/bindings?aor=2001")["items"] == []
    assert await sipsak(tmp_path, "-U", "-C", CONTACT, "-x", "60", *who(account.password)) == 0
    (binding,) = acme.ask("GET", "/bindings?aor=2001")["items"]
    assert binding["contact"].startswith(CONTACT)
    assert binding["aor"] == "sip:2001@acme.test"
    assert await sipsak(tmp_path, "-U", "-C", "*", "-x", "0", *who(account.password)) == 0
    assert acme.ask("GET", "/bindings?aor=2001")["items"] == []


async def test_a_request_that_it_reads_from_a_file_is_answered(acme: DaemonProcess, tmp_path: Path) -> None:
    tmp_path.joinpath("options.sip").write_text(
        "OPTIONS sip:acme.test SIP/2.0\nFrom: <sip:a@acme.test>;tag=1\nTo: <sip:acme.test>\nCall-ID: from-a-file\n"
        "CSeq: 7 OPTIONS\nMax-Forwards: 70\nContent-Length: 0\n\n"
    )

    assert await sipsak(tmp_path, "-f", "options.sip", "-s", f"sip:127.0.0.1:{acme.ports.sip}") == 0
