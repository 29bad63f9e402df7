"""curl, atftp and tftp-hpa fetch the very file that a phone is given."""

from pathlib import Path

import pytest
from tests.support.acme import provisioning_url
from tests.support.daemon import DaemonProcess
from tests.support.peers import require_peer
from tests.support.phone import Snom, Yealink, fetch
from tests.support.phone.snom import parse_snom_xml
from tests.support.phone.yealink import parse_cfg
from tests.support.programs import run_program

YEALINK_FILE = "001565123456.cfg"
SNOM_FILE = "snomD785-0004139A0B0C.htm"


def command_of(client: str, daemon: DaemonProcess, url: str, path: str) -> list[str]:
    """The command that fetches to ``got``."""
    name, _, variant = client.partition(" ")
    program = require_peer(name)
    port = str(daemon.ports.tftp)
    match name, variant:
        case "curl", _:
            return [program, "-sS", "-f", "-o", "got", *variant.split(), url]
        case "atftp", _:
            options = ["--option", "blksize 1428"] if variant else []
            return [program, "-g", "-r", path, "-l", "got", *options, "127.0.0.1", port]
        case _:
            return [program, "-m", "binary", "127.0.0.1", port, "-c", "get", path, "got"]


@pytest.mark.parametrize("file", [YEALINK_FILE, SNOM_FILE])
@pytest.mark.parametrize(
    ("client", "protocol"),
    [
        ("curl", "http"),
        ("curl --http1.0", "http"),
        ("curl", "tftp"),
        ("curl --tftp-blksize 1428", "tftp"),
        ("atftp", "tftp"),
        ("atftp blksize", "tftp"),
        ("tftp", "tftp"),
    ],
)
async def test_it_fetches_the_file_of_a_phone(
    acme: DaemonProcess, tmp_path: Path, client: str, protocol: str, file: str
) -> None:
    url = provisioning_url(acme, protocol) + file
    path = f"p/{acme.token_of('acme')}/{file}"
    expected = await fetch(url, "curl")
    assert expected.found

    ended = await run_program(command_of(client, acme, url, path), tmp_path)

    assert ended.exit_code == 0, ended.output
    content = (tmp_path / "got").read_bytes()
    assert content == expected.data
    if file == YEALINK_FILE:
        (account,) = Yealink().accounts(parse_cfg(content))
    else:
        (account,) = Snom().accounts(parse_snom_xml(content)[0])
    assert account.destination == acme.sip_address


@pytest.mark.parametrize(
    ("client", "protocol", "exit_code"), [("curl", "http", 22), ("curl", "tftp", 68), ("atftp", "tftp", 255)]
)
async def test_a_wrong_token_gets_nothing(
    acme: DaemonProcess, tmp_path: Path, client: str, protocol: str, exit_code: int
) -> None:
    token = acme.token_of("acme")
    wrong = "b" * 26
    url = (provisioning_url(acme, protocol) + YEALINK_FILE).replace(token, wrong)

    ended = await run_program(command_of(client, acme, url, f"p/{wrong}/{YEALINK_FILE}"), tmp_path)

    assert ended.exit_code == exit_code
    got = tmp_path / "got"
    assert not got.exists() or got.read_bytes() == b""


async def test_curl_is_told_the_length_by_head_and_not_modified_by_etag(acme: DaemonProcess, tmp_path: Path) -> None:
    url = provisioning_url(acme, "http") + YEALINK_FILE
    program = require_peer("curl")
    expected = await fetch(url, "curl")

    head = await run_program([program, "-sS", "-I", url], tmp_path)
    fields = {name.lower(): value.strip() for name, _, value in (it.partition(":") for it in head.output.splitlines())}
    assert int(fields["content-length"]) == len(expected.data)

    again = await run_program(
        [program, "-sS", "-o", "got", "-w", "%{http_code}", "-H", f"If-None-Match: {fields['etag']}", url], tmp_path
    )
    assert again.output == "304"
