"""The SIP server on loopback sockets, between phones of this test and a registrar with a store."""

import asyncio
import select
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from structlog.testing import capture_logs
from tests.support.registrar import FakeStore, RegistrarBench, SipPhone

from offhook.clock import SystemClock
from offhook.endpoint import HostPort, Transport
from offhook.errors import StoreUnavailable
from offhook.events import CallUnroutable, EventBus, InventoryChanged, Registered, RegistrationRefused, Unregistered
from offhook.inventory.models import Account, Device, DeviceState
from offhook.observability.metrics import Metrics
from offhook.registrar.bindings import Binding
from offhook.registrar.ports import Address, Flow
from offhook.servers.sip import SipLimits, SipServer
from offhook.servers.sip_observer import SipObserver
from offhook.servers.stream import StreamLimits
from offhook.sip.framing import MessageFrame, StreamFramer
from offhook.sip.message import Headers, Request, Response, build_response
from offhook.sip.parser import parse_message
from offhook.store.bindings import SqliteBindingStore

LIMITS = SipLimits(streams=StreamLimits(first_byte_seconds=0.1, message_seconds=0.1, idle_seconds=0.1))


class Bench(RegistrarBench):
    """A server that listens over UDP and TCP, on a store that commits at once unless told otherwise."""

    def __init__(self, limits: SipLimits = LIMITS, observer: SipObserver | None = None) -> None:
        super().__init__()
        self.store = FakeStore(commits_at_once=True)
        self.events: list[object] = []
        self.bus = EventBus(lambda _, error: pytest.fail(str(error)))
        for kind in (Registered, Unregistered, RegistrationRefused, CallUnroutable):
            self.bus.subscribe(kind, self.events.append)
        self.clock = SystemClock()
        self.server = SipServer(self.registrar, self.store, self.bus, self.clock, limits=limits, observer=observer)

    async def listen(self) -> "Bench":
        self.udp = self.server.listen_udp("127.0.0.1", 0)
        self.tcp = await self.server.listen_tcp("127.0.0.1", 0)
        return self

    def live(self) -> list[Binding]:
        return list(self.table.all(self.clock.now()))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = await Bench().listen()
    yield bench
    bench.store.settle()
    await bench.server.close()


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    yield
    for peer in tuple(TcpPeer.opened):
        await peer.close()


class UdpPeer:
    """A phone's UDP socket."""

    def __init__(self, server: Address, user: str = "2001") -> None:
        self.server = server
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.phone = SipPhone(user, flow=Flow(Transport.UDP, self.socket.getsockname(), server))

    def __enter__(self) -> "UdpPeer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes | Request | Response) -> None:
        self.socket.sendto(data if isinstance(data, bytes) else data.format(), self.server)

    async def receive_bytes(self) -> bytes:
        async with asyncio.timeout(5):
            return await asyncio.get_running_loop().sock_recv(self.socket, 65536)

    async def receive(self) -> Request | Response:
        return parse_message(await self.receive_bytes())

    async def ask(self, request: bytes | Request) -> Response:
        self.send(request)
        response = await self.receive()
        assert isinstance(response, Response)
        return self.phone.hear(response)

    async def register(self) -> Response:
        await self.ask(self.phone.register())
        return await self.ask(self.phone.register())

    async def answers_to(self, *datagrams: bytes | Request) -> list[int]:
        """The statuses that come before that of an OPTIONS sent last: loopback keeps the order."""
        for datagram in datagrams:
            self.send(datagram)
        self.send(make_options("last"))
        statuses: list[int] = []
        while True:
            response = await self.receive()
            assert isinstance(response, Response)
            if response.headers.get("Call-ID") == "last":
                return statuses
            statuses.append(response.status)


class TcpPeer:
    """A phone's connection. Those that are open when a test ends are closed then."""

    opened: ClassVar[list["TcpPeer"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, server: Address) -> None:
        self.reader = reader
        self.writer = writer
        self.framer = StreamFramer()
        self.frames: list[Any] = []
        self.phone = SipPhone(flow=Flow(Transport.TCP, writer.get_extra_info("sockname"), server))
        self.opened.append(self)

    @classmethod
    async def connect(cls, server: Address) -> "TcpPeer":
        return cls(*await asyncio.open_connection(*server), server)

    def send(self, data: bytes | Request | Response) -> None:
        self.writer.write(data if isinstance(data, bytes) else data.format())

    async def receive(self) -> Request | Response:
        async with asyncio.timeout(5):
            while not self.frames:
                data = await self.reader.read(65536)
                assert data, "the server has closed the connection"
                self.frames += self.framer.feed(data)
        frame = self.frames.pop(0)
        assert isinstance(frame, MessageFrame)
        return parse_message(frame.data)

    async def ask(self, request: bytes | Request) -> Response:
        self.send(request)
        response = await self.receive()
        assert isinstance(response, Response)
        return self.phone.hear(response)

    async def register(self) -> Response:
        await self.ask(self.phone.register())
        return await self.ask(self.phone.register())

    async def close(self) -> None:
        self.opened.remove(self)
        self.writer.close()
        with suppress(ConnectionError):
            await self.writer.wait_closed()

    async def closed_by_server(self) -> bytes:
        """What still comes before the server closes."""
        async with asyncio.timeout(5):
            return await self.reader.read()


def make_options(call_id: str = "o", uri: str = "sip:acme.test", **more: str) -> Request:
    fields = [
        ("Via", "SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKo;rport"),
        ("From", "<sip:a@acme.test>;tag=1"),
        ("To", "<sip:acme.test>"),
        ("Call-ID", call_id),
        ("CSeq", "1 OPTIONS"),
        *more.items(),
    ]
    return Request("OPTIONS", uri, Headers(fields))


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0)


# -- UDP ----------------------------------------------------------------------------------------------------------


async def test_phone_registers_over_udp(bench: Bench) -> None:
    with UdpPeer(bench.udp) as peer, capture_logs() as logs:
        assert (await peer.register()).status == 200
        assert (await peer.ask(peer.phone.register())).status == 200
    (binding,) = bench.live()
    assert binding.flow == peer.phone.flow
    assert [event.refreshed for event in bench.events if isinstance(event, Registered)] == [False, True]
    accepted = [entry for entry in logs if entry["event"] == "sip.register.accepted"]
    assert [entry["log_level"] for entry in accepted] == ["info", "debug"]


async def test_answer_waits_for_the_disk(bench: Bench) -> None:
    bench.store.commits_at_once = False
    with UdpPeer(bench.udp) as peer:
        await peer.ask(peer.phone.register())
        assert await peer.answers_to(request := peer.phone.register()) == []
        assert (bench.live(), bench.events) == ([], [])
        assert await peer.answers_to(request) == []
        assert len(bench.store.waiting) == 1
        bench.store.settle()
        assert (await peer.receive_bytes()).startswith(b"SIP/2.0 200")
    assert len(bench.live()) == len(bench.events) == 1


async def test_failed_commit_is_503_and_is_tried_anew(bench: Bench) -> None:
    bench.store.commits_at_once = False
    with UdpPeer(bench.udp) as peer:
        await peer.ask(peer.phone.register())
        request = peer.phone.register()
        await peer.answers_to(request)
        bench.store.settle(StoreUnavailable("disk full"))
        response = await peer.receive()
        assert isinstance(response, Response)
        assert response.status == 503
        assert 5 <= int(response.headers.get("Retry-After") or 0) <= 30
        assert (bench.live(), bench.events) == ([], [])
        bench.store.commits_at_once = True
        assert (await peer.ask(request)).status == 200


@pytest.mark.parametrize("trouble", ["backlog", "full"])
async def test_store_that_is_behind_is_503(bench: Bench, trouble: str) -> None:
    with UdpPeer(bench.udp) as peer:
        await peer.ask(peer.phone.register())
        bench.store.backlog = 0.5 if trouble == "backlog" else 0.0
        bench.store.is_full = trouble == "full"
        assert (await peer.ask(peer.phone.register())).status == 503
        bench.store.backlog, bench.store.is_full = 0.0, False
        assert (await peer.ask(peer.phone.register())).status == 200


async def test_retransmission_gets_the_same_octets_and_is_not_processed_again(bench: Bench) -> None:
    with UdpPeer(bench.udp) as peer:
        await peer.ask(peer.phone.register())
        request = peer.phone.register()
        peer.send(request)
        first = await peer.receive_bytes()
        peer.send(request)
        assert await peer.receive_bytes() == first
        refused = peer.phone.register(to="<sip:2002@acme.test>")
        assert [(await peer.ask(refused)).status for _ in range(2)] == [403, 403]
    assert [type(event) for event in bench.events] == [Registered, RegistrationRefused]


async def test_refusal_is_logged_once_and_published_where_credentials_were_shown(bench: Bench) -> None:
    with UdpPeer(bench.udp) as peer, capture_logs() as logs:
        await peer.ask(peer.phone.register(uri="sip:other.test", to="<sip:2001@other.test>"))
        await peer.ask(peer.phone.register())
        peer.phone.password = "wrong"
        await peer.ask(peer.phone.register())
    refused = [entry for entry in logs if entry["event"] == "sip.register.refused"]
    assert [(entry["status"], entry["reason"]) for entry in refused] == [
        (404, "Unknown Domain"),
        (401, "wrong_password"),
    ]
    assert refused[1]["source"] == str(peer.phone.flow)
    assert [type(event) for event in bench.events] == [RegistrationRefused]


@pytest.mark.parametrize("name", ["Via", "To", "From", "Call-ID", "CSeq"])
async def test_every_mandatory_header_missing_in_turn(bench: Bench, name: str) -> None:
    with UdpPeer(bench.udp) as peer:
        statuses = await peer.answers_to(peer.phone.register(without=name))
    assert statuses == ([] if name == "Via" else [400])


@pytest.mark.parametrize(
    "datagram",
    [
        b"\r\n\r\n",
        b"\0\0\0\0",
        b"garbage",
        b"\xff" * 1000,
        b"SIP/2.0 200 OK\r\n\r\n",
        make_options().format().replace(b"OPTIONS sip", b"ACK sip").replace(b"1 OPTIONS", b"1 ACK"),
        b"ACK sip:acme.test SIP/9.9\r\n" + make_options().format().partition(b"\r\n")[2].replace(b"OPTIONS", b"ACK"),
    ],
)
async def test_what_must_not_be_answered_is_not(bench: Bench, datagram: bytes) -> None:
    with UdpPeer(bench.udp) as peer:
        assert await peer.answers_to(datagram) == []


async def test_malformed_request_is_answered_where_it_says_who_asks(bench: Bench) -> None:
    with UdpPeer(bench.udp) as peer:
        version = make_options().format().replace(b" SIP/2.0\r\n", b" SIP/7.0\r\n", 1)
        truncated = make_options().format().replace(b"Content-Length: 0", b"Content-Length: 9")
        assert await peer.answers_to(version, truncated) == [505, 400]


async def test_answer_goes_to_the_source_and_nowhere_else(bench: Bench) -> None:
    with UdpPeer(bench.udp) as peer, UdpPeer(bench.udp) as victim:
        host, port = victim.socket.getsockname()
        via = f"SIP/2.0/UDP {host}:{port};branch=z9hG4bKx;maddr={host};received={host}"
        request = make_options().format().replace(b"SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKo;rport", via.encode())
        assert (await peer.ask(request)).status == 200
        assert await victim.answers_to() == []


async def test_fault_of_ours_is_500_without_details(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(bench.registrar, "handle", fail)
    with UdpPeer(bench.udp) as peer, capture_logs() as logs:
        peer.send(make_options())
        answer = await peer.receive_bytes()
    assert answer.startswith(b"SIP/2.0 500 Server Internal Error\r\n")
    assert b"secret" not in answer
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["sip.request.failed"]


async def test_lost_call_is_an_alarm(bench: Bench) -> None:
    draft = bench.inventory.draft()
    draft.put(replace(bench.inventory.get(Account, 1), gateway=None))
    bench.inventory = draft
    invite = make_options(uri="sip:2002@acme.test").format().replace(b"OPTIONS", b"INVITE")
    with UdpPeer(bench.udp) as peer, capture_logs() as logs:
        assert (await peer.ask(invite)).status == 404
    assert [entry["account"] for entry in logs if entry["event"] == "sip.invite.no_gateway"] == ["acme"]
    assert [type(event) for event in bench.events] == [CallUnroutable]


async def test_metrics_count_what_happens() -> None:
    metrics = Metrics("test")
    bench = await Bench(observer=metrics).listen()
    with UdpPeer(bench.udp) as peer:
        await peer.register()
        peer.phone.nc -= 1
        await peer.ask(peer.phone.register())
        peer.phone.password = "wrong"
        await peer.ask(peer.phone.register())
        await peer.answers_to(b"garbage")
    await bench.server.close()
    shown = metrics.exposition().decode()
    for line in (
        'offhook_sip_requests_total{method="REGISTER",transport="udp"} 4.0',
        'offhook_sip_responses_total{code="401",method="REGISTER"} 3.0',
        'offhook_sip_responses_total{code="200",method="REGISTER"} 1.0',
        'offhook_auth_failures_total{reason="wrong_password"} 1.0',
        "offhook_nonce_stale_total 1.0",
        'offhook_sip_parse_errors_total{transport="udp"} 1.0',
        "offhook_sip_register_seconds_count 4.0",
    ):
        assert line in shown


# -- TCP ----------------------------------------------------------------------------------------------------------


async def test_phone_registers_over_tcp_byte_by_byte(bench: Bench) -> None:
    peer = await TcpPeer.connect(bench.tcp)
    await peer.ask(peer.phone.register())
    for byte in peer.phone.register().format():
        peer.send(bytes([byte]))
        await peer.writer.drain()
        await asyncio.sleep(0)
    assert isinstance(response := await peer.receive(), Response)
    assert response.status == 200
    (binding,) = bench.live()
    assert (binding.flow.transport, binding.reachable) == (Transport.TCP, True)
    await peer.close()


async def test_lost_connection_makes_its_bindings_unreachable_at_once(bench: Bench) -> None:
    peer = await TcpPeer.connect(bench.tcp)
    assert (await peer.register()).status == 200
    await peer.close()
    await until(lambda: not bench.live()[0].reachable)
    assert bench.live()[0].flow.connection == 0


async def test_connection_lost_before_the_commit_leaves_an_unreachable_binding(bench: Bench) -> None:
    bench.store.commits_at_once = False
    peer = await TcpPeer.connect(bench.tcp)
    await peer.ask(peer.phone.register())
    peer.send(peer.phone.register())
    await until(lambda: bench.store.waiting)
    await peer.close()
    await until(lambda: not bench.server._connections)
    bench.store.settle()
    assert [binding.reachable for binding in bench.live()] == [False]


async def test_several_messages_in_one_segment_and_a_ping(bench: Bench) -> None:
    peer = await TcpPeer.connect(bench.tcp)
    peer.send(make_options("1").format() + b"\r\n\r\n" + make_options("2").format())
    data = b""
    async with asyncio.timeout(5):
        while data.count(b"SIP/2.0 200") < 2:
            data += await peer.reader.read(65536)
    assert b"\r\n\r\n\r\nSIP/2.0 200" in data
    await peer.close()


@pytest.mark.parametrize("begun", [b"", b"OPTIONS sip:acme.test SIP/2.0\r\nVia: ", b"\r\n\r\n"])
async def test_half_a_message_is_cut_off_by_its_deadline(bench: Bench, begun: bytes) -> None:
    peer = await TcpPeer.connect(bench.tcp)
    peer.send(begun)
    assert await peer.closed_by_server() in (b"", b"\r\n")
    await peer.close()


async def test_idle_connection_stays_for_the_sake_of_its_binding(bench: Bench) -> None:
    peer, idle = await TcpPeer.connect(bench.tcp), await TcpPeer.connect(bench.tcp)
    assert (await peer.register()).status == 200
    await idle.ask(make_options())
    assert await idle.closed_by_server() == b""
    await idle.closed_by_server()
    assert (await peer.ask(peer.phone.register())).status == 200
    await peer.close()
    await idle.close()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (make_options().format().replace(b"Content-Length: 0\r\n", b""), b"400 Missing Content-Length header"),
        (make_options().format().replace(b"Length: 0", b"Length: x"), b"400 Malformed Content-Length header"),
        (make_options().format().replace(b"Length: 0", b"Length: 99999999"), b"413"),
        (b"\xff" * 20000, b""),
        (b"garbage\r\n\r\n", b""),
    ],
)
async def test_stream_that_cannot_be_framed_is_closed(bench: Bench, data: bytes, status: bytes) -> None:
    peer = await TcpPeer.connect(bench.tcp)
    peer.send(data)
    rest = await peer.closed_by_server()
    assert rest.startswith(b"SIP/2.0 " + status if status else b"")
    assert bool(rest) == bool(status)
    await peer.close()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (make_options().format()[:-2] + b"X: " + b"x" * 70_000, b"513 Message Too Large"),
        (make_options().format().replace(b"Length: 0", b"Length: 99999999") + b"x" * 1_000_000, b"413"),
    ],
    ids=["header-without-end", "endless-body"],
)
async def test_answer_reaches_a_peer_that_goes_on_sending(bench: Bench, data: bytes, status: bytes) -> None:
    """Closed with octets unread, the connection would be reset, and the answer lost."""
    peer = await TcpPeer.connect(bench.tcp)
    peer.send(data)
    await peer.writer.drain()
    peer.send(b"x" * 100_000)
    assert (await peer.closed_by_server()).startswith(b"SIP/2.0 " + status)
    await peer.close()
    await until(lambda: not bench.server._connections)


async def test_phones_that_all_come_back_at_once_find_room(bench: Bench) -> None:
    """More than asyncio's own 100 connections may wait before the loop gets to accept the first."""
    sockets = [socket.socket() for _ in range(300)]
    for sock in sockets:
        sock.setblocking(False)
        sock.connect_ex(bench.tcp)
    connected = 0
    for sock in sockets:
        connected += bool(select.select([], [sock], [], 0)[1])
        sock.close()
    assert connected == 300


async def test_connections_of_one_source_are_bounded() -> None:
    streams = StreamLimits(connections=10, connections_per_source=2)
    bench = await Bench(SipLimits(streams=streams)).listen()
    peers = [await TcpPeer.connect(bench.tcp) for _ in range(2)]
    for peer in peers:
        assert (await peer.ask(make_options())).status == 200
    third = await TcpPeer.connect(bench.tcp)
    with suppress(ConnectionResetError):
        assert await third.closed_by_server() == b""
    assert len(bench.server._connections) == 2
    await peers[0].close()
    await until(lambda: len(bench.server._connections) == 1)
    fourth = await TcpPeer.connect(bench.tcp)
    assert (await fourth.ask(make_options())).status == 200
    await bench.server.close()


# -- our own requests ---------------------------------------------------------------------------------------------


def make_notify(uri: str) -> Request:
    fields = [
        ("From", "<sip:provisioning@acme.test>;tag=n"),
        ("To", "<sip:2001@acme.test>"),
        ("Call-ID", "notify"),
        ("CSeq", "1 NOTIFY"),
        ("Event", "check-sync;reboot=false"),
    ]
    return Request("NOTIFY", uri, Headers(fields))


async def answer_notify(peer: UdpPeer | TcpPeer, status: int) -> Request:
    request = await peer.receive()
    assert isinstance(request, Request)
    peer.send(build_response(request, status, to_tag="phone"))
    return request


async def test_request_goes_down_the_flow_of_a_datagram_binding(bench: Bench) -> None:
    with UdpPeer(bench.udp) as peer:
        await peer.register()
        (binding,) = bench.live()
        response, request = await asyncio.gather(
            bench.server.request(make_notify(binding.contact), binding.flow), answer_notify(peer, 200)
        )
    assert response.status == 200
    assert request.uri == binding.contact
    assert request.headers.get("Max-Forwards") == "70"
    via = request.top_via
    assert (via.transport, via.host, via.port, via.rport) == ("UDP", *bench.udp, "")
    assert len(request.headers.get_all("Via")) == 1


async def test_request_goes_down_the_connection_of_a_stream_binding(bench: Bench) -> None:
    peer = await TcpPeer.connect(bench.tcp)
    await peer.register()
    (binding,) = bench.live()
    response, request = await asyncio.gather(
        bench.server.request(make_notify(binding.contact), binding.flow), answer_notify(peer, 481)
    )
    assert (response.status, request.top_via.transport) == (481, "TCP")
    await peer.close()
    await until(lambda: not bench.live()[0].reachable)
    assert (await bench.server.request(make_notify(binding.contact), bench.live()[0].flow)).status == 503


async def test_phone_that_is_gone_is_503(bench: Bench) -> None:
    with UdpPeer(bench.udp) as peer:
        await peer.register()
    (binding,) = bench.live()
    assert (await bench.server.request(make_notify(binding.contact), binding.flow)).status == 503


async def test_server_names_itself_as_advertised() -> None:
    bench = Bench()
    server = SipServer(bench.registrar, bench.store, bench.bus, bench.clock, advertise=HostPort("sip.acme.test"))
    flow = Flow(Transport.UDP, ("10.0.0.21", 5060), ("10.0.0.1", 5070))
    assert server.sent_by(flow) == HostPort("sip.acme.test", 5070)
    assert bench.server.sent_by(flow) == HostPort("10.0.0.1", 5070)
    await server.close()


async def test_stray_response_is_dropped(bench: Bench) -> None:
    stray = build_response(make_notify("sip:x"), 200, headers=[("Via", "SIP/2.0/UDP h;branch=z9hG4bKnone")])
    with UdpPeer(bench.udp) as peer:
        assert await peer.answers_to(stray.format()) == []


# -- upkeep and end -----------------------------------------------------------------------------------------------


async def test_inventory_change_revokes_and_a_failure_is_made_good_at_the_next_sweep(bench: Bench) -> None:
    with UdpPeer(bench.udp) as peer:
        await peer.register()
    draft = bench.inventory.draft()
    draft.put(replace(bench.inventory.get(Device, 1), state=DeviceState.DISABLED))
    bench.inventory = draft
    bench.store.is_full = True
    bench.bus.publish(InventoryChanged("test", "1", frozenset({1}), frozenset(), 0.0))
    assert len(bench.live()) == 1
    bench.store.is_full = False
    bench.server.sweep()
    assert bench.live() == []
    assert [event.reason for event in bench.events if isinstance(event, Unregistered)] == ["revoked"]


async def test_inventory_that_changed_while_the_daemon_was_down_is_followed_at_start(bench: Bench) -> None:
    with UdpPeer(bench.udp) as peer:
        await peer.register()
    draft = bench.inventory.draft()
    draft.delete(bench.inventory.get(Device, 1))
    bench.inventory = draft
    bench.server.reconcile()
    assert bench.live() == []


async def test_expired_bindings_are_swept_by_the_clock() -> None:
    bench = await Bench(replace(LIMITS, sweep_seconds=0.01)).listen()
    with UdpPeer(bench.udp) as peer:
        await peer.register()
    (binding,) = bench.live()
    bench.table._by_id[binding.id] = replace(binding, expires_at=0.0)
    await until(lambda: len(bench.events) == 2)
    assert isinstance(gone := bench.events[1], Unregistered)
    assert gone.reason == "expired"
    await bench.server.close()


async def test_close_answers_what_is_being_committed(bench: Bench) -> None:
    bench.store.commits_at_once = False
    with UdpPeer(bench.udp) as peer:
        await peer.ask(peer.phone.register())
        await peer.answers_to(peer.phone.register())
        closing = asyncio.create_task(bench.server.close())
        await asyncio.sleep(0)
        peer.send(make_options())
        bench.store.settle()
        assert (await peer.receive_bytes()).startswith(b"SIP/2.0 200 OK")
        await closing


async def test_close_does_not_wait_for_ever(bench: Bench) -> None:
    bench.store.commits_at_once = False
    with UdpPeer(bench.udp) as peer, capture_logs() as logs:
        await peer.ask(peer.phone.register())
        await peer.answers_to(peer.phone.register())
        await bench.server.close(grace_seconds=0.01)
    assert "sip.close.uncommitted" in [entry["event"] for entry in logs]


async def test_binding_outlives_the_server_on_a_real_store(tmp_path: Path) -> None:
    bench = Bench()
    loop = asyncio.get_running_loop()
    store = SqliteBindingStore(tmp_path / "bindings.db", loop.call_soon_threadsafe)
    server = SipServer(bench.registrar, store, bench.bus, bench.clock)
    with UdpPeer(server.listen_udp("127.0.0.1", 0)) as peer:
        assert (await peer.register()).status == 200
    loaded = store.load(bench.clock.now())
    assert [replace(binding, expires_at=0.0) for binding in loaded] == [
        replace(binding, expires_at=0.0) for binding in bench.live()
    ]
    await server.close()
    store.close()
