"""What is wrong is answered as its protocol says, told once, and harms nobody: the real process, from outside."""

import asyncio
import json
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.acme import DOCUMENT, YEALINK_MAC, fetch_accounts, provisioning_url, set_up
from tests.support.daemon import DaemonProcess, eventually, find_ports, running_daemon
from tests.support.phone import Phone, PhoneShell, Registered, Yealink, fetch

UA = "Yealink SIP-T46U 108.86.0.20 00:15:65:12:34:56"

TEN_FAULTS = """\
accounts:
  - name: acme
    acces: token
    timezone: Mars/Olympus
    users:
      - {username: jsmith, extension: "2001", plan: gold}
      - {username: rlee, extension: "2002", location: Nowhere}
      - {username: mdoe, extension: "2002"}
    numbers:
      - {number: "2125550101"}
    devices:
      - {type: deskphone, mac: "00:15:65:12:34:56", user: jsmith, lines: [{index: 2, number: "+12125550101"}]}
      - {type: deskphone, mac: "00:15:65:12:34:57", user: nobody}
      - {type: deskphone, mac: "00:15:65:12:34:57"}
      - {type: deskphone, vendor: yealink, vendor: snom}
"""
#: Of schema, references and rules alike. Line 12 refers to what is at fault elsewhere, and has no fault of its own.
FAULT_LINES = [2, 3, 4, 6, 7, 8, 10, 13, 14, 15]


def ask_udp(port: int, data: bytes, seconds: float = 2.0) -> bytes | None:
    """The answer to one datagram, None where none comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(seconds)
        sock.sendto(data, ("127.0.0.1", port))
        try:
            return sock.recvfrom(65535)[0]
        except TimeoutError:
            return None


def options(*, without: str = "", method: str = "OPTIONS", branch: str = "") -> bytes:
    headers = {
        "Via": f"SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK{branch or secrets.token_hex(8)};rport",
        "From": "<sip:2001@acme.test>;tag=1",
        "To": "<sip:2001@acme.test>",
        "Call-ID": secrets.token_hex(8),
        "CSeq": f"1 {method}",
        "Max-Forwards": "70",
        "Contact": "<sip:2001@127.0.0.1:9>",
    }
    lines = [f"{name}: {value}\r\n" for name, value in headers.items() if name != without]
    return f"{method} sip:acme.test SIP/2.0\r\n{''.join(lines)}Content-Length: 0\r\n\r\n".encode()


async def assert_serves(daemon: DaemonProcess) -> None:
    """Whatever was done to it, it answers on each port, and takes a document."""
    daemon.apply_now(DOCUMENT)
    answer = await asyncio.to_thread(ask_udp, daemon.ports.sip, options())
    assert answer is not None
    assert answer.startswith(b"SIP/2.0 200 ")
    for protocol in ("http", "tftp"):
        url = provisioning_url(daemon, protocol)
        assert (await fetch(f"{url}y000000000108.cfg", UA)).status == 200
    daemon.assert_log_is_clean()


# -- starting and configuration -------------------------------------------------------------------------------------


async def test_a_second_daemon_on_the_same_state_dir_is_refused(daemon: DaemonProcess, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    second = DaemonProcess(folder, find_ports(), {"state_dir": str(daemon.state_dir)})

    second.spawn()

    assert await second.wait() == 1
    assert str(daemon.state_dir) in second.log_text()
    assert "Traceback" not in second.log_text()
    assert len(second.log_text().splitlines()) <= 3
    await assert_serves(daemon)


async def test_a_port_that_is_taken_is_named(daemon: DaemonProcess, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    second = DaemonProcess(folder, daemon.ports)

    second.spawn()

    assert await second.wait() == 1
    assert f"127.0.0.1:{daemon.ports.sip}" in second.log_text()
    assert "Traceback" not in second.log_text()


@pytest.mark.parametrize("command", ["serve", "check-config"])
async def test_a_typo_in_the_configuration_is_told_with_its_place(tmp_path: Path, command: str) -> None:
    process = DaemonProcess(tmp_path, find_ports())
    text = process.config_file.read_text().replace("listen:", "lisen:", 1)
    process.config_file.write_text(text)
    line = next(number for number, it in enumerate(text.splitlines(), start=1) if "lisen" in it)

    finished = await process.run(command, exit_code=2)

    assert f"{process.config_file}:{line}:3: sip.lisen: " in finished.err
    assert "did you mean" in finished.err
    assert "listen" in finished.err
    assert "Traceback" not in finished.err


async def test_every_error_of_a_configuration_is_told_at_once(tmp_path: Path) -> None:
    process = DaemonProcess(
        tmp_path,
        find_ports(),
        {"sip": {"advertise": "0.0.0.0"}, "log": {"level": "loud"}, "admin": {"listen": "nowhere"}, "smpt": None},
    )

    finished = await process.run("serve", exit_code=2)

    for path in ("sip.advertise", "log.level", "admin.listen", "smpt"):
        assert f": {path}: " in finished.err


async def test_sighup_takes_a_good_configuration_and_refuses_a_bad_one_whole(daemon: DaemonProcess) -> None:
    set_up(daemon)
    url = provisioning_url(daemon, "http")
    daemon.expected_errors.add("config.reread.refused")
    daemon.write_config({"sip": {"advertise": "127.0.0.7:5070"}})
    daemon.send_signal(signal.SIGHUP)

    async def proxy() -> tuple[str, int]:
        (account,) = await fetch_accounts(url, Yealink(), YEALINK_MAC)
        return account.destination

    async def is_told_the_new() -> bool:
        return await proxy() == ("127.0.0.7", 5070)

    await eventually(is_told_the_new, "the advertised address of the new configuration")

    daemon.write_config({"sip": {"advertise": "127.0.0.8:5070"}, "log": {"level": "loud"}})
    daemon.send_signal(signal.SIGHUP)

    async def refusals() -> list[str]:
        return [event["fault"] for event in daemon.log_events("config.reread.refused")]

    (fault,) = await eventually(refusals, "the refusal of the bad configuration")
    assert fault.startswith(f"{daemon.config_file}:")
    assert ": log.level: " in fault
    assert await proxy() == ("127.0.0.7", 5070)


async def test_sigterm_finishes_and_ends_with_0(tmp_path: Path) -> None:
    with running_daemon(tmp_path) as daemon:
        set_up(daemon)
        url = provisioning_url(daemon, "http")
        phone = Phone(Yealink(), YEALINK_MAC, provisioning_url=url, random=secrets.token_bytes)
        async with PhoneShell(phone) as shell:
            await shell.wait_for(Registered)
            before = daemon.show_device(YEALINK_MAC)

            assert await daemon.terminate() == 0

            daemon.assert_log_is_clean()
            await daemon.start()
            after = daemon.show_device(YEALINK_MAC)
            assert after["last_provisioned_at"] == before["last_provisioned_at"]
            assert after["status"] == "registered"


async def test_a_command_without_a_daemon_says_how_to_start_one(tmp_path: Path) -> None:
    finished = await DaemonProcess(tmp_path, find_ports()).run("account", "list", exit_code=1)

    assert "offhook serve --config" in finished.err
    assert "Traceback" not in finished.err


# -- documents ------------------------------------------------------------------------------------------------------


async def test_ten_faults_are_told_with_their_lines_and_nothing_is_applied(daemon: DaemonProcess) -> None:
    finished = await daemon.apply(TEN_FAULTS, exit_code=1)

    places = [line.split(":")[1] for line in finished.err.splitlines() if ".yaml:" in line]
    assert sorted({int(place) for place in places}) == FAULT_LINES
    assert len(places) == len(FAULT_LINES)
    assert await daemon.json("account", "list") == []


async def test_applying_a_document_twice_changes_nothing_the_second_time(daemon: DaemonProcess) -> None:
    first = (await daemon.apply(DOCUMENT, "--json")).json()
    assert first["differences"]
    lines = await daemon.json("line", "list", "--reveal")

    second = (await daemon.apply(DOCUMENT, "--json")).json()

    assert second["differences"] == []
    assert second["reloads"] == []
    assert await daemon.json("line", "list", "--reveal") == lines
    exported = (await daemon.run("export")).out
    assert (await daemon.apply(exported, "--json")).json()["differences"] == []


# -- provisioning ---------------------------------------------------------------------------------------------------


async def test_whoever_asks_without_right_gets_one_and_the_same_answer(acme: DaemonProcess) -> None:
    token = acme.token_of("acme")
    unknown_mac, wrong_token = f"/p/{token}/00156500dead.cfg", f"/p/{'b' * 26}/001565123456.cfg"
    refused = [unknown_mac, wrong_token, "/001565123456.cfg", "/nothing", f"/p/{token}/", "/"]
    refused += [f"/p/{token}/{path}" for path in ("../offhook.yaml", "..%2f..%2foffhook.yaml", "%00", "a" * 600)]

    answers = {acme.get_http(acme.ports.http, path, {"User-Agent": UA}) for path in refused}

    assert len(answers) == 1
    assert answers.pop()[0] == 404
    for path in refused:
        if path not in ("/", f"/p/{token}/") and "%00" not in path and len(path) < 500:
            assert (await fetch(f"tftp://127.0.0.1:{acme.ports.tftp}{path}", "")).status == 404
    events = acme.log_events("provisioning.request.answered")
    assert len([event for event in events if "00156500dead" in event["file"] and event["protocol"] == "http"]) == 1
    acme.assert_log_is_clean([token, "b" * 26])
    await assert_serves(acme)


@pytest.mark.parametrize(
    ("datagram", "code"),
    [
        (b"\x00\x01" + b"a" * 600 + b"\x00octet\x00", 4),
        (b"\x00\x01001565123456.cfg", 4),
        (b"\x00\x01001565123456.cfg\x00", 4),
        (b"\x00\x01\x00octet\x00", 4),
        (b"\x00\x01x\x00mail\x00", 4),
        (b"\x00\x02x\x00octet\x00", 2),
        (b"\x00\x01../../offhook.yaml\x00octet\x00", 1),
    ],
    ids=["600-byte-name", "no-nul", "no-mode", "empty-name", "mail-mode", "write", "traversal"],
)
async def test_a_malformed_tftp_request_gets_an_error_packet(acme: DaemonProcess, datagram: bytes, code: int) -> None:
    answer = await asyncio.to_thread(ask_udp, acme.ports.tftp, datagram)

    assert answer is not None
    assert answer[:4] == b"\x00\x05\x00" + bytes([code])
    assert b"offhook" not in answer.lower()
    await assert_serves(acme)


# -- SIP ------------------------------------------------------------------------------------------------------------

GARBAGE: list[bytes] = [
    b"\x00",
    b"\xff" * 1500,
    b"\r\n\r\n\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"REGISTER sip:acme.test SIP/2.0\r\n\r\n",
    b"SIP/2.0 200 OK\r\n\r\n",
    b"REGISTER " + b"a" * 8000,
    b"\x00\x04\x00\x01",
    b"\x00\x05\x00\x00",
    bytes(range(256)) * 16,
    b"OPTIONS sip:acme.test SIP/2.0\r\nVia: SIP/2.0/UDP \xff\xfe;branch=z9hG4bK\r\n\r\n",
]


async def test_garbage_datagrams_harm_nobody(acme: DaemonProcess) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for data in GARBAGE:
            for port in (acme.ports.sip, acme.ports.tftp):
                sock.sendto(data, ("127.0.0.1", port))

    await assert_serves(acme)


MANDATORY = ["Via", "From", "To", "Call-ID", "CSeq"]


async def ask_in_a_row_udp(daemon: DaemonProcess, requests: list[bytes], answers: int) -> list[bytes]:
    """The first answers to what is sent from one socket; loopback keeps the order."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        for data in requests:
            sock.sendto(data, daemon.sip_address)
        async with asyncio.timeout(5):
            return [await loop.sock_recv(sock, 65535) for _ in range(answers)]


async def ask_in_a_row_tcp(daemon: DaemonProcess, requests: list[bytes], answers: int) -> list[bytes]:
    """The same on one connection."""
    reader, writer = await asyncio.open_connection(*daemon.sip_address)
    writer.writelines(requests)
    try:
        async with asyncio.timeout(5):
            return [await reader.readuntil(b"\r\n\r\n") for _ in range(answers)]
    finally:
        writer.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("name", MANDATORY)
async def test_a_register_without_a_mandatory_header_is_400_and_without_a_via_silence(
    acme: DaemonProcess, transport: str, name: str
) -> None:
    """A whole one is sent after it, so silence is not waited for: what is answered first tells."""
    refused = f"SIP/2.0 400 Missing {name} header\r\n".encode()
    expected = [b"SIP/2.0 401 "] if name == "Via" else [refused, b"SIP/2.0 401 "]
    requests = [options(without=name, method="REGISTER"), options(method="REGISTER")]
    ask = ask_in_a_row_udp if transport == "udp" else ask_in_a_row_tcp
    answers = await ask(acme, requests, len(expected))
    assert [answer[: len(start)] for answer, start in zip(answers, expected, strict=True)] == expected
    assert await acme.json("bindings") == []
    await assert_serves(acme)


async def test_half_a_tcp_message_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    limits = {"limits": {"sip": {"message_seconds": 1, "first_byte_seconds": 1}}}
    with running_daemon(tmp_path, limits) as daemon:
        half = b"REGISTER sip:acme.test SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK1\r\nContent-Length: 900"
        openings: list[Callable[[], bytes]] = [lambda: half, lambda: half + b"\r\n\r\nbody", lambda: b""]
        streams = [await asyncio.open_connection(*daemon.sip_address) for _ in openings]
        for (_, writer), opening in zip(streams, openings, strict=True):
            writer.write(opening())
        for reader, writer in streams:
            async with asyncio.timeout(10):
                await reader.read()
            assert reader.at_eof()
            writer.close()
        await assert_serves(daemon)


async def test_headers_without_an_end_are_answered_before_the_connection_ends(acme: DaemonProcess) -> None:
    reader, writer = await asyncio.open_connection(*acme.sip_address)
    writer.write(options()[:-2] + b"X: " + b"x" * 70_000)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    assert answer.startswith(b"SIP/2.0 513 Message Too Large\r\n")
    await assert_serves(acme)


async def test_one_long_header_is_named_as_what_is_too_large(acme: DaemonProcess) -> None:
    data = options().replace(b"Max-Forwards", b"X: " + b"x" * 15_000 + b"\r\nMax-Forwards")
    answer = await asyncio.to_thread(ask_udp, acme.ports.sip, data)
    assert answer is not None
    assert answer.startswith(b"SIP/2.0 513 Header Too Large (At Most 8192 Characters)\r\n")


async def test_requests_that_follow_each_other_on_one_connection_are_answered_in_turn(acme: DaemonProcess) -> None:
    reader, writer = await asyncio.open_connection(*acme.sip_address)
    whole = options().replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP") * 2
    for at in range(0, len(whole), 40):
        writer.write(whole[at : at + 40])
        await writer.drain()
    for _ in range(2):
        async with asyncio.timeout(5):
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"SIP/2.0 200 ")
    writer.close()
    await assert_serves(acme)


# -- logs -----------------------------------------------------------------------------------------------------------


async def refuse_sip(daemon: DaemonProcess, name: str) -> None:
    data = options(method="REGISTER").replace(
        b"<sip:2001@acme.test>\r\nCall-ID", f"<sip:{name}@acme.test>\r\nCall-ID".encode()
    )
    answer = await asyncio.to_thread(ask_udp, daemon.ports.sip, data.replace(b"Max-F", b"Require: x-no\r\nMax-F", 1))
    assert answer is not None
    assert answer.startswith(b"SIP/2.0 420 ")


async def refuse_http(daemon: DaemonProcess, name: str) -> None:
    assert daemon.get_http(daemon.ports.http, f"/{name}.cfg", {"User-Agent": UA})[0] == 404


async def refuse_tftp(daemon: DaemonProcess, name: str) -> None:
    answer = await asyncio.to_thread(ask_udp, daemon.ports.tftp, f"\x00\x01{name}.cfg\x00octet\x00".encode())
    assert answer is not None
    assert answer.startswith(b"\x00\x05\x00\x01")


Refuse = Callable[[DaemonProcess, str], Awaitable[None]]


def lines_about(daemon: DaemonProcess, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in daemon.log_text().splitlines() if name in line]


@pytest.mark.parametrize("refuse", [refuse_sip, refuse_http, refuse_tftp])
async def test_a_refused_request_is_logged_once_however_often_it_is_repeated(
    daemon: DaemonProcess, refuse: Refuse
) -> None:
    daemon.apply_now(DOCUMENT)
    name = f"n{secrets.token_hex(6)}"

    for _ in range(20):
        await refuse(daemon, name)
        lines = [event for event in lines_about(daemon, name) if event["level"] != "debug"]
        assert len(lines) == 1

    assert lines[0]["source"].startswith("127.0.0.1")
    assert lines[0]["reason"] in ("Bad Extension", "unknown_file")


async def test_a_token_in_place_of_a_name_is_not_logged(acme: DaemonProcess) -> None:
    token = acme.token_of("acme")
    for path in (f"/p/x/{token}.cfg", f"/{token}", f"/p/{token}/{token}.cfg"):
        assert acme.get_http(acme.ports.http, path)[0] == 404
        assert (await fetch(f"tftp://127.0.0.1:{acme.ports.tftp}{path}", "")).status == 404
    acme.assert_log_is_clean([token])
