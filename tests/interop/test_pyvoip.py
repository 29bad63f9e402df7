"""pyVoIP registers as a softphone.

It is its own kind: UDP only, no name to authenticate with but the user's, digest as in RFC 2069 with commas but no
blanks, a Request-URI that is the server's address, and a new Call-ID to leave with.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.support.daemon import DaemonProcess, eventually
from tests.support.programs import find_free_port, started_program

SOFTPHONE = """\
accounts:
  - name: acme
    devices:
      - {type: softphone, name: Laptop, lines: [{index: 1, extension: "2050", auth_username: "2050"}]}
"""

SCRIPT = """
import pathlib, sys, time
from pyVoIP.VoIP import VoIPPhone, PhoneStatus
server_port, sip_port, rtp_port = map(int, sys.argv[1:4])
phone = VoIPPhone("127.0.0.1", server_port, "2050", sys.argv[4], myIP="127.0.0.1", sipPort=sip_port,
                  callCallback=lambda call: None, rtpPortLow=rtp_port, rtpPortHigh=rtp_port + 10)
phone.start()
deadline = time.time() + 10
while phone.get_status() == PhoneStatus.REGISTERING and time.time() < deadline:
    time.sleep(0.02)
print("status", phone.get_status().name, flush=True)
while not pathlib.Path("leave").exists() and time.time() < deadline:
    time.sleep(0.02)
phone.stop()
"""


@asynccontextmanager
async def softphone_with(acme: DaemonProcess, password: str, folder: Path) -> AsyncIterator[str]:
    """pyVoIP in a process of its own; gives what became of its registration, and has it leave in the end."""
    script = folder / "softphone.py"
    script.write_text(SCRIPT)
    ports = [str(port) for port in (acme.ports.sip, find_free_port(), find_free_port(following=10))]
    async with started_program([sys.executable, str(script), *ports, password], folder) as program:

        async def status() -> str:
            line = next((line for line in program.output.splitlines() if line.startswith("status ")), "")
            return line.partition(" ")[2]

        yield await eventually(status, "pyVoIP's registration", seconds=15)
        folder.joinpath("leave").touch()
        ended = await program.finish()
        assert ended.exit_code == 0, ended.output


@pytest.fixture
def softphone(acme: DaemonProcess) -> str:
    """The password of the site's softphone."""
    acme.apply_now(SOFTPHONE)
    (line,) = [line for line in acme.lines() if line["extension"] == "2050"]
    assert line["auth_username"] == "2050"
    return str(line["password"])


async def test_it_registers_and_leaves(acme: DaemonProcess, softphone: str, tmp_path: Path) -> None:
    async with softphone_with(acme, softphone, tmp_path) as status:
        assert status == "REGISTERED"
        (binding,) = acme.ask("GET", "/bindings?aor=2050")["items"]
        assert binding["aor"] == "sip:2050@acme.test"
        assert binding["user_agent"].startswith("pyVoIP")

    assert acme.ask("GET", "/bindings?aor=2050")["items"] == []


async def test_it_is_refused_with_a_wrong_password(acme: DaemonProcess, softphone: str, tmp_path: Path) -> None:
    async with softphone_with(acme, "wrong", tmp_path) as status:
        assert status != "REGISTERED"
        assert acme.ask("GET", "/bindings?aor=2050")["items"] == []
