"""The phone on real sockets: fetches by HTTP and TFTP, registers over UDP and TCP, hears NOTIFY on both."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tests.support.phone import (
    FetchedFile,
    FileRead,
    Notified,
    Phone,
    PhoneShell,
    Provisioned,
    Registered,
    Yealink,
    fetch,
)
from tests.support.test_phone_core import COMMON, MAC, Registrar, notify
from tests.support.test_phone_vendors import YEALINK_FILE

from offhook.clock import SystemClock
from offhook.endpoint import Transport
from offhook.errors import TftpError
from offhook.servers.tftp import TftpAnswer, TftpRequest, TftpServer
from offhook.sip.framing import MessageFrame, StreamFramer

BIG = bytes(range(256)) * 200

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class UdpRegistrar(asyncio.DatagramProtocol):
    """Answers on the socket it listens on, and remembers what is no REGISTER."""

    def __init__(self) -> None:
        self.registrar = Registrar()
        self.other: list[bytes] = []
        self.source: tuple[str, int] = ("", 0)

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # typeshed
        self.transport = transport

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        self.source = source
        if data.startswith(b"REGISTER"):
            self.transport.sendto(self.registrar.answer(data), source)
        else:
            self.other.append(data)


@pytest.fixture
async def sip() -> AsyncIterator[UdpRegistrar]:
    transport, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        UdpRegistrar, local_addr=("127.0.0.1", 0)
    )
    yield protocol
    transport.close()


async def serve(handler: Handler) -> asyncio.Server:
    return await asyncio.start_server(handler, "127.0.0.1", 0)


def port_of(server: asyncio.Server) -> int:
    port = server.sockets[0].getsockname()[1]
    assert isinstance(port, int)
    return port


def files_for(port: int) -> dict[str, bytes]:
    own = YEALINK_FILE.replace(b"port = 25060", f"port = {port}".encode()).replace(b"_type = 1", b"_type = 0")
    return {"y000000000108.cfg": COMMON, "001565123456.cfg": own, "big": BIG, "empty": b"", "exact": b"x" * 512}


@pytest.fixture
async def tftp_url(sip: UdpRegistrar) -> AsyncIterator[str]:
    files = files_for(sip.transport.get_extra_info("sockname")[1])

    async def answer(request: TftpRequest) -> TftpAnswer:
        content = files.get(request.filename.removeprefix("p/token/"))
        if content is None:
            raise TftpError(1, "no such file")
        return TftpAnswer(content, lambda complete: None)

    server = TftpServer(answer, clock=SystemClock(), redact=str)
    yield f"tftp://127.0.0.1:{server.listen('127.0.0.1', 0)[1]}/p/token"
    await server.close(grace_seconds=2)


@pytest.fixture
async def http_url(sip: UdpRegistrar) -> AsyncIterator[str]:
    files = files_for(sip.transport.get_extra_info("sockname")[1])

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"\r\nUser-Agent: Yealink SIP-T46U 108.86.0.20 00:15:65:12:34:56\r\n" in head
        content = files.get(head.split(b" ")[1].decode().rpartition("/")[2])
        status = b"404 Not Found" if content is None else b"200 OK"
        body = content or b""
        writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
        await writer.drain()
        writer.close()

    server = await serve(answer)
    yield f"http://127.0.0.1:{port_of(server)}/p/token"
    server.close()


def phone_at(url: str, transport: Transport | None = None) -> PhoneShell:
    return PhoneShell(Phone(Yealink(), MAC, provisioning_url=url, random=secrets.token_bytes, transport=transport))


@pytest.mark.parametrize("protocol", ["http", "tftp"])
async def test_from_box_to_dial_tone(protocol: str, http_url: str, tftp_url: str, sip: UdpRegistrar) -> None:
    async with phone_at({"http": http_url, "tftp": tftp_url}[protocol]) as shell:
        await shell.wait_for(Registered)
        told = shell.mark()
        sip.transport.sendto(bytes(notify(f"sip:2001@{shell.address}")), sip.source)
        await shell.wait_for(Notified, after=told)
        provisioned = await shell.wait_for(Provisioned, after=told)
        assert provisioned.found == ("y000000000108.cfg", "001565123456.cfg")
        assert shell.phone.is_registered(shell.now())
        assert [news.status for news in shell.history if isinstance(news, FileRead)] == [404, 404, 200, 200] * 2
    assert sip.other[0].startswith(b"SIP/2.0 200 OK\r\n")


async def test_over_tcp_the_phone_keeps_its_connection_and_makes_it_anew(sip: UdpRegistrar) -> None:
    registrar = Registrar()
    connections: list[asyncio.StreamWriter] = []
    heard: asyncio.Queue[bytes] = asyncio.Queue()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        framer = StreamFramer()
        while data := await reader.read(65536):
            for event in framer.feed(data):
                if isinstance(event, MessageFrame) and event.data.startswith(b"REGISTER"):
                    writer.write(registrar.answer(event.data))
                elif isinstance(event, MessageFrame):
                    heard.put_nowait(event.data)
        writer.close()

    server = await serve(answer)
    files = files_for(port_of(server))

    async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode().rpartition("/")[2]
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + files[name] if name in files else b"HTTP/1.0 404 No\r\n\r\n")
        writer.close()

    web = await serve(give)
    async with phone_at(f"http://127.0.0.1:{port_of(web)}", Transport.TCP) as shell:
        await shell.wait_for(Registered)
        assert len(connections) == 1
        connections[0].write(bytes(notify(registrar.received[-1].contacts[0].uri)))
        assert (await heard.get()).startswith(b"SIP/2.0 200 OK\r\n")
        told = shell.mark()
        connections[0].close()
        await shell.wait_for(Registered, after=told)
        assert len(connections) == 2
    server.close()
    web.close()


async def test_what_does_not_happen_is_told_with_what_did(tftp_url: str) -> None:
    async with phone_at(tftp_url) as shell:
        await shell.wait_for(Provisioned)
        with pytest.raises(TimeoutError, match=r"no Notified within 0\.01 s; the phone told:\n  FileRead"):
            await shell.wait_for(Notified, seconds=0.01)


@pytest.mark.parametrize(("name", "content"), [("big", BIG), ("empty", b""), ("exact", b"x" * 512)])
async def test_tftp_brings_files_of_any_length(tftp_url: str, name: str, content: bytes) -> None:
    assert await fetch(f"{tftp_url}/{name}", "") == FetchedFile(200, content)


async def test_a_file_that_is_not_there_is_404(tftp_url: str) -> None:
    assert await fetch(f"{tftp_url}/nothing", "") == FetchedFile(404)


@pytest.mark.parametrize(
    "answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b"HTTP/1.1\r\n\r\n"]
)
async def test_an_answer_that_breaks_off_or_is_none_is_no_answer(answer: bytes) -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await serve(break_off)
    assert await fetch(f"http://127.0.0.1:{port_of(server)}/x", "test") == FetchedFile(None)
    server.close()


async def test_silence_is_no_answer(sip: UdpRegistrar) -> None:
    port = sip.transport.get_extra_info("sockname")[1]

    assert await fetch(f"tftp://127.0.0.1:{port}/x", "", timeout_seconds=0.05) == FetchedFile(None)


async def test_other_schemes_are_refused() -> None:
    with pytest.raises(ValueError, match="neither http:// nor tftp://"):
        await fetch("ftp://127.0.0.1/x", "")
