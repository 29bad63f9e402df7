"""The TFTP server on loopback sockets: what is served, refused, bounded and logged."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from offhook.clock import SystemClock
from offhook.errors import TftpError
from offhook.servers.datagram import Address
from offhook.servers.tftp import Refusal, TftpAnswer, TftpLimits, TftpRequest, TftpServer
from offhook.tftp.codec import (
    Acknowledgement,
    Data,
    ErrorPacket,
    OptionAcknowledgement,
    Packet,
    ReadRequest,
    WriteRequest,
    format_packet,
    parse_packet,
)
from offhook.tftp.transfer import TransferLimits

FILES = {"empty": b"", "short": b"hello\n", "long": bytes(range(256)) * 8}
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
QUICK = TransferLimits(timeout_seconds=0.01, max_timeout_seconds=0.02)


class Client:
    """A client's socket; ``peer`` is the address of what came last."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        self.peer: Address = ("", 0)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, packet: Packet | bytes, destination: Address) -> None:
        self.socket.sendto(packet if isinstance(packet, bytes) else format_packet(packet), destination)

    async def receive_bytes(self) -> bytes:
        async with asyncio.timeout(5):
            data, sockaddr = await asyncio.get_running_loop().sock_recvfrom(self.socket, 65536)
        self.peer = sockaddr[:2]
        return data

    async def receive(self) -> Packet:
        return parse_packet(await self.receive_bytes())

    async def fetch(self, server: Address, filename: str, **options: str) -> bytes:
        """The file, fetched in lock-step; an ERROR is raised."""
        self.send(ReadRequest(filename, "octet", tuple(options.items())), server)
        content = b""
        blksize = int(options.get("blksize", 512))
        while True:
            packet = await self.receive()
            if isinstance(packet, ErrorPacket):
                raise TftpError(packet.code, packet.message)
            if isinstance(packet, OptionAcknowledgement):
                self.send(Acknowledgement(0), self.peer)
            elif isinstance(packet, Data):
                content += packet.payload
                self.send(Acknowledgement(packet.block_number), self.peer)
                if len(packet.payload) < blksize:
                    return content


class Watcher:
    """Observes a server, and waits for what it reports."""

    def __init__(self) -> None:
        self.finished: list[tuple[str, int]] = []
        self.refusals: list[str] = []
        self.completions: list[bool] = []
        self._changed = asyncio.Event()

    def transfer_finished(self, outcome: str, octets: int, seconds: float) -> None:
        assert seconds >= 0
        self.finished.append((outcome, octets))
        self._changed.set()

    def refused(self, reason: str) -> None:
        self.refusals.append(reason)
        self._changed.set()

    async def wait_until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                self._changed.clear()
                await self._changed.wait()


class Site:
    """A handler that serves :data:`FILES` and remembers what it was asked."""

    def __init__(self, watcher: Watcher) -> None:
        self.requests: list[TftpRequest] = []
        self.asked = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()
        self._watcher = watcher

    async def __call__(self, request: TftpRequest) -> TftpAnswer:
        self.requests.append(request)
        self.asked.set()
        await self.gate.wait()
        if request.filename == "broken":
            raise RuntimeError("the renderer is on fire")
        if request.filename not in FILES:
            raise TftpError(1, f"no device has {request.filename}")
        return TftpAnswer(FILES[request.filename], self._watcher.completions.append)


@pytest.fixture
async def watcher() -> Watcher:
    return Watcher()


@pytest.fixture
async def site(watcher: Watcher) -> Site:
    return Site(watcher)


Start = Callable[..., Awaitable[tuple[TftpServer, Address]]]


@pytest.fixture
async def start(site: Site, watcher: Watcher) -> AsyncIterator[Start]:
    servers: list[TftpServer] = []

    async def start_server(
        limits: TftpLimits | None = None, host: str = "127.0.0.1", **changes: Any
    ) -> tuple[TftpServer, Address]:
        settings: dict[str, Any] = {"listed_networks": LOOPBACK, "observer": watcher, **changes}
        server = TftpServer(
            settings.pop("handler", site), clock=SystemClock(), redact=lambda name: name[:6], limits=limits, **settings
        )
        servers.append(server)
        return server, server.listen(host, 0)

    yield start_server
    for server in servers:
        await server.close()


@pytest.fixture
def client() -> Any:
    with Client() as client:
        yield client


# -- serving


@pytest.mark.parametrize("filename", FILES)
@pytest.mark.parametrize("options", [{}, {"blksize": "100", "tsize": "0", "timeout": "2"}])
async def test_a_file_is_fetched_whole_and_its_end_is_told(
    start: Start, client: Client, watcher: Watcher, filename: str, options: dict[str, str]
) -> None:
    _, address = await start()
    assert await client.fetch(address, filename, **options) == FILES[filename]
    await watcher.wait_until(lambda: bool(watcher.finished))
    assert watcher.finished == [("complete", len(FILES[filename]))]
    assert watcher.completions == [True]
    assert watcher.refusals == []


async def test_the_transfer_has_a_port_of_its_own(start: Start, client: Client) -> None:
    _, address = await start()
    client.send(ReadRequest("short", "octet"), address)
    await client.receive()
    assert client.peer[0] == address[0]
    assert client.peer[1] != address[1]


async def test_the_transfer_port_is_taken_from_the_range(start: Start, client: Client) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    _, address = await start(transfer_ports=range(port, port + 1))
    client.send(ReadRequest("short", "octet"), address)
    await client.receive()
    assert client.peer[1] == port


async def test_a_range_that_is_used_up_means_silence(start: Start, client: Client, watcher: Watcher) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        server, address = await start(transfer_ports=range(port, port + 1))
        client.send(ReadRequest("short", "octet"), address)
        await watcher.wait_until(lambda: watcher.refusals == [Refusal.NO_PORT])
    assert watcher.completions == [False]
    await watcher.wait_until(lambda: server.sessions == 0)


async def test_on_a_wildcard_the_transfer_leaves_from_the_address_that_was_asked(
    start: Start, client: Client, site: Site
) -> None:
    _, (_, port) = await start(host="0.0.0.0")
    assert await client.fetch(("127.0.0.3", port), "short") == FILES["short"]
    assert client.peer[0] == "127.0.0.3"
    assert site.requests[0].local == ("127.0.0.3", port)
    assert site.requests[0].source == client.socket.getsockname()


@pytest.mark.parametrize("host", ["::1", "::"])
async def test_ipv6_is_served(start: Start, site: Site, host: str) -> None:
    _, (_, port) = await start(host=host)
    with Client("::1") as client:
        assert await client.fetch(("::1", port), "long", blksize="1000") == FILES["long"]
    assert site.requests[0].local == ("::1", port)


async def test_many_clients_at_once(start: Start, watcher: Watcher) -> None:
    _, address = await start()
    clients = [Client() for _ in range(50)]
    contents = await asyncio.gather(*(client.fetch(address, "long") for client in clients))
    for client in clients:
        client.socket.close()
    assert contents == [FILES["long"]] * 50
    await watcher.wait_until(lambda: len(watcher.finished) == 50)


async def test_a_retransmitted_request_starts_nothing(start: Start, client: Client, site: Site) -> None:
    _, address = await start()
    site.gate.clear()
    request = ReadRequest("short", "octet")
    client.send(request, address)
    client.send(request, address)
    with Client() as probe:  # served after both were read
        site.gate.set()
        await probe.fetch(address, "short")
    assert await client.receive() == Data(1, FILES["short"])
    transfer = client.peer
    client.send(request, address)
    with Client() as probe:
        await probe.fetch(address, "short")
    assert [asked.source for asked in site.requests].count(client.socket.getsockname()) == 1
    client.send(Acknowledgement(1), transfer)


async def test_the_next_file_may_be_asked_for_from_the_same_port(start: Start, client: Client) -> None:
    """Even where the last ACK of the first was lost: phones with a fixed source port do so."""
    _, address = await start()
    client.send(ReadRequest("short", "octet"), address)
    assert await client.receive() == Data(1, FILES["short"])
    assert await client.fetch(address, "long") == FILES["long"]


async def test_a_client_that_never_answers_is_given_up(start: Start, client: Client, watcher: Watcher) -> None:
    server, address = await start(TftpLimits(transfer=QUICK))
    client.send(ReadRequest("short", "octet"), address)
    await watcher.wait_until(lambda: watcher.finished == [("timed out", 0)])
    assert watcher.completions == [False]
    assert server.sessions == 0


# -- refusing


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "%2e%2e%2fetc/passwd",
        "/etc/passwd",
        "c:\\windows\\win.ini",
        "a\r\nb\x1b[2J",
        "<script>alert(1)</script>",
        "n" * 512,
        "x",
    ],
)
async def test_an_unknown_name_gets_code_1_without_echo_and_no_longer_than_asked(
    start: Start, client: Client, site: Site, watcher: Watcher, name: str
) -> None:
    _, address = await start()
    request = format_packet(ReadRequest(name, "octet"))
    client.send(request, address)
    answer = await client.receive_bytes()
    assert parse_packet(answer) in (ErrorPacket(1, "file not found"), ErrorPacket(1, ""))
    assert len(answer) <= len(request)
    assert [asked.filename for asked in site.requests] == [name]
    assert watcher.refusals == [Refusal.HANDLER]


@pytest.mark.parametrize(
    ("datagram", "code"),
    [
        (format_packet(WriteRequest("long-enough-name", "octet")), 2),
        (format_packet(ReadRequest("long-enough-name", "mail")), 4),
        (format_packet(ReadRequest("n" * 600, "octet")), 4),
        (b"\0\x01no-nul-at-all-in-this-request", 4),
        (b"\0\x01name\0octet", 4),
        (b"\0\x01" + b"\0" * 20, 4),
        (b"\xff" * 400, 4),
        (format_packet(Data(1, b"x" * 400)), 4),
        (b"\0\x01" + b"\xc0\xae" * 300 + b"\0octet\0", 4),
    ],
)
async def test_what_is_not_a_read_request_is_refused_once_and_reaches_nobody(
    start: Start, client: Client, site: Site, datagram: bytes, code: int
) -> None:
    _, address = await start()
    client.send(datagram, address)
    answer = await client.receive_bytes()
    packet = parse_packet(answer)
    assert isinstance(packet, ErrorPacket)
    assert packet.code == code
    assert len(answer) <= len(datagram)
    assert site.requests == []
    assert await client.fetch(address, "short") == FILES["short"]  # nothing else came in between


@pytest.mark.parametrize(
    "datagram", [b"", b"\0", b"\0\x01", b"\0\x01a\0", b"\0\x04\0\x01", format_packet(ErrorPacket(4, "loop")), bytes(4)]
)
async def test_what_leaves_no_room_for_an_answer_and_every_error_gets_silence(
    start: Start, client: Client, site: Site, datagram: bytes
) -> None:
    _, address = await start()
    client.send(datagram, address)
    assert await client.fetch(address, "short") == FILES["short"]  # else this would fail on an ERROR
    assert len(site.requests) == 1


async def test_a_handler_that_fails_is_logged_and_shows_nothing(start: Start, client: Client, watcher: Watcher) -> None:
    _, address = await start()
    with capture_logs() as logs:
        client.send(ReadRequest("broken", "octet", (("tsize", "0"), ("blksize", "512"))), address)
        assert await client.receive() == ErrorPacket(0, "cannot be served")
    assert watcher.refusals == [Refusal.HANDLER_FAILED]
    assert [event["event"] for event in logs if event["log_level"] == "error"] == ["tftp.handler.failed"]


async def test_a_handler_that_takes_too_long_means_silence(
    start: Start, client: Client, site: Site, watcher: Watcher
) -> None:
    _, address = await start(TftpLimits(handler_seconds=0.01))
    site.gate.clear()
    client.send(ReadRequest("short", "octet"), address)
    await watcher.wait_until(lambda: watcher.refusals == [Refusal.HANDLER_SLOW])
    site.gate.set()
    assert await client.fetch(address, "long") == FILES["long"]


async def test_content_beyond_the_limit_is_not_sent(start: Start, client: Client, watcher: Watcher) -> None:
    _, address = await start(TftpLimits(content_bytes=len(FILES["long"]) - 1))
    with pytest.raises(TftpError, match="cannot be served"):
        await client.fetch(address, "long", tsize="0", blksize="512")
    assert watcher.completions == [False]
    assert watcher.refusals == [Refusal.TOO_LARGE]


# -- bounds


async def test_ten_thousand_requests_of_one_unlisted_source_start_four_transfers(
    start: Start, site: Site, watcher: Watcher
) -> None:
    server, address = await start(listed_networks=())
    clients = [Client() for _ in range(50)]
    for number in range(10_000):
        clients[number % 50].send(ReadRequest("long", "octet", (("tsize", str(number)),)), address)
        if number % 50 == 49:
            seen = number + 1
            await watcher.wait_until(lambda seen=seen: len(watcher.refusals) == seen - 4)  # type: ignore[misc]
    assert len(site.requests) == 4
    assert server.sessions == 4
    assert set(watcher.refusals) == {Refusal.SOURCE_SESSIONS}
    for client in clients:
        client.socket.close()


async def test_listed_sources_have_more_and_all_have_a_total(start: Start, site: Site, watcher: Watcher) -> None:
    limits = TftpLimits(sessions=5, sessions_per_source=3)
    server, address = await start(limits)
    for host in ("127.0.0.4", "127.0.0.5"):
        for _ in range(4):
            with Client(host) as client:
                client.send(ReadRequest("short", "octet"), address)
    await watcher.wait_until(lambda: len(watcher.refusals) == 3)
    assert watcher.refusals == [Refusal.SOURCE_SESSIONS, Refusal.SESSIONS, Refusal.SESSIONS]
    assert server.sessions == 5


async def test_unlisted_sources_cannot_take_every_session(start: Start, watcher: Watcher) -> None:
    limits = TftpLimits(unlisted_sessions=2)
    _, address = await start(limits, listed_networks=(ipaddress.ip_network("127.0.0.1/32"),))
    for host in ("127.0.0.4", "127.0.0.5", "127.0.0.6"):
        with Client(host) as stranger:
            stranger.send(ReadRequest("short", "octet"), address)
    await watcher.wait_until(lambda: watcher.refusals == [Refusal.SESSIONS])
    with Client() as client:
        assert await client.fetch(address, "long") == FILES["long"]


async def test_a_finished_transfer_frees_its_place(start: Start, client: Client, watcher: Watcher) -> None:
    server, address = await start(TftpLimits(sessions=1, sessions_per_source=1))
    for count in range(1, 4):
        await client.fetch(address, "short")
        await watcher.wait_until(lambda count=count: len(watcher.finished) == count)  # type: ignore[misc]
    assert server.sessions == 0
    assert watcher.refusals == []


# -- logs


async def test_each_end_is_logged_once_with_the_name_redacted(start: Start, client: Client, watcher: Watcher) -> None:
    _, address = await start()
    with capture_logs() as logs:
        await client.fetch(address, "short", tsize="0")
        await watcher.wait_until(lambda: len(watcher.finished) == 1)
        with pytest.raises(TftpError):
            await client.fetch(address, "p/abcsecrettoken/001565123456.cfg")
        client.send(ReadRequest("long", "octet"), address)
        await client.receive()
        client.send(ErrorPacket(0, "enough"), client.peer)
        await watcher.wait_until(lambda: len(watcher.finished) == 2)
    assert [(event["event"], event["log_level"], event["file"], event["source"]) for event in logs] == [
        ("tftp.transfer.completed", "info", "short", "127.0.0.1"),
        ("tftp.transfer.refused", "debug", "p/abcs", "127.0.0.1"),
        ("tftp.transfer.failed", "info", "long", "127.0.0.1"),
    ]
    assert logs[0]["octets"] == len(FILES["short"])
    assert logs[2]["outcome"] == "aborted"


async def test_refusals_of_one_source_are_a_line_a_minute_and_are_all_counted(
    start: Start, client: Client, watcher: Watcher
) -> None:
    _, address = await start(TftpLimits(content_bytes=3))
    with capture_logs() as logs:
        for filename in ("short", "long", "short"):
            with pytest.raises(TftpError):
                await client.fetch(address, filename)
    assert [event["log_level"] for event in logs if event["reason"] == Refusal.TOO_LARGE] == ["info", "debug", "debug"]
    assert watcher.refusals == [Refusal.TOO_LARGE] * 3


async def test_a_handler_that_fails_is_one_error_and_no_second_line(start: Start, client: Client) -> None:
    _, address = await start()
    with capture_logs() as logs, pytest.raises(TftpError):
        await client.fetch(address, "broken")
    assert [event["event"] for event in logs if event["log_level"] != "debug"] == ["tftp.handler.failed"]


# -- stopping


async def test_close_lets_a_running_transfer_finish(start: Start, client: Client, watcher: Watcher) -> None:
    server, address = await start()
    client.send(ReadRequest("short", "octet"), address)
    block = await client.receive()
    closing = asyncio.get_running_loop().create_task(server.close(grace_seconds=5))
    await asyncio.sleep(0)
    with Client() as late:
        late.send(ReadRequest("long", "octet"), address)
    assert block == Data(1, FILES["short"])
    client.send(Acknowledgement(1), client.peer)
    await closing
    assert watcher.finished == [("complete", 6)]
    assert server.sessions == 0


async def test_close_ends_what_is_left_and_tells_the_client(start: Start, client: Client, watcher: Watcher) -> None:
    server, address = await start()
    client.send(ReadRequest("long", "octet"), address)
    await client.receive()
    await server.close(grace_seconds=0)
    assert await client.receive() == ErrorPacket(0, "server stopped")
    assert watcher.finished == [("stopped", 0)]
    assert watcher.completions == [False]


async def test_close_does_not_wait_for_a_handler_beyond_the_grace(start: Start, client: Client, site: Site) -> None:
    server, address = await start()
    site.gate.clear()
    client.send(ReadRequest("long", "octet"), address)
    async with asyncio.timeout(5):
        await site.asked.wait()
        await server.close(grace_seconds=0.01)
    assert server.sessions == 0


async def test_the_port_is_free_after_close(start: Start) -> None:
    server, address = await start()
    await server.close()
    again, _ = await start()
    assert again.listen(*address) == address
