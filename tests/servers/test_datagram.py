"""The UDP socket, on asyncio's loop and on uvloop, with plain sockets as its peers."""

import asyncio
import errno
import socket
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvloop
from structlog.testing import capture_logs

from offhook.servers.datagram import BATCH, Address, DatagramSocket, bind_datagram_socket

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine on each kind of loop."""

    def run_on_loop(coroutine: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(coroutine)

    return run_on_loop


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        yield sock


@pytest.fixture
def peer6() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))
        sock.settimeout(5)
        yield sock


class Inbox:
    """Collects what a socket calls back with."""

    def __init__(self) -> None:
        self.datagrams: list[tuple[bytes, Address, Address]] = []
        self._arrived = asyncio.Event()

    def __call__(self, data: bytes, source: Address, local: Address) -> None:
        self.datagrams.append((data, source, local))
        self._arrived.set()

    async def wait_for(self, count: int) -> list[tuple[bytes, Address, Address]]:
        async with asyncio.timeout(5):
            while len(self.datagrams) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return self.datagrams


def listen(host: str, inbox: Callable[[bytes, Address, Address], None], **options: Any) -> DatagramSocket:
    return DatagramSocket(asyncio.get_running_loop(), bind_datagram_socket(host, 0), inbox, **options)


def unused_address() -> Address:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        address: Address = sock.getsockname()
        return address


def test_a_datagram_comes_with_its_source_and_the_bound_address(run: Run, peer: socket.socket) -> None:
    async def scenario() -> None:
        inbox = Inbox()
        server = listen("127.0.0.1", inbox)
        peer.sendto(b"hello", server.local)
        assert await inbox.wait_for(1) == [(b"hello", peer.getsockname(), server.local)]
        server.send(b"answer", peer.getsockname())
        assert peer.recvfrom(100) == (b"answer", server.local)
        server.close()

    run(scenario())


@pytest.mark.parametrize("asked", ["127.0.0.1", "127.0.0.2", "127.9.8.7"])
def test_on_a_wildcard_the_answer_leaves_from_the_address_that_was_asked(
    run: Run, peer: socket.socket, asked: str
) -> None:
    async def scenario() -> None:
        inbox = Inbox()
        server = listen("0.0.0.0", inbox)
        port = server.local[1]
        peer.sendto(b"hello", (asked, port))
        ((_, source, local),) = await inbox.wait_for(1)
        assert local == (asked, port)
        server.send(b"answer", source, local)
        assert peer.recvfrom(100) == (b"answer", (asked, port))
        server.close()

    run(scenario())


@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6_works_on_an_address_and_on_the_wildcard(run: Run, peer6: socket.socket, host: str) -> None:
    async def scenario() -> None:
        inbox = Inbox()
        server = listen(host, inbox)
        port = server.local[1]
        peer6.sendto(b"hello", ("::1", port))
        ((_, source, local),) = await inbox.wait_for(1)
        assert (source, local) == (peer6.getsockname()[:2], ("::1", port))
        server.send(b"answer", source, local)
        assert peer6.recvfrom(100)[1][:2] == ("::1", port)
        server.close()

    run(scenario())


def test_an_ipv6_wildcard_leaves_ipv4_to_another_socket(run: Run) -> None:
    async def scenario() -> None:
        six = listen("::", Inbox())
        four = DatagramSocket(
            asyncio.get_running_loop(), bind_datagram_socket("0.0.0.0", six.local[1]), lambda *_: None
        )
        assert four.local == ("0.0.0.0", six.local[1])
        four.close()
        six.close()

    run(scenario())


def test_a_burst_beyond_one_batch_arrives_whole_and_in_order(run: Run, peer: socket.socket) -> None:
    async def scenario() -> None:
        inbox = Inbox()
        server = listen("127.0.0.1", inbox, receive_buffer_bytes=1 << 20)
        sent = [b"%d" % number for number in range(BATCH * 3 + 5)]
        for data in sent:
            peer.sendto(data, server.local)
        assert [data for data, _, _ in await inbox.wait_for(len(sent))] == sent
        assert server.counters.received == len(sent)
        server.close()

    run(scenario())


def test_other_callbacks_have_their_turn_between_batches(run: Run, peer: socket.socket) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        read_before: asyncio.Future[int] = loop.create_future()
        calls: list[bytes] = []

        def on_datagram(data: bytes, source: Address, local: Address) -> None:
            if not calls:
                loop.call_soon(lambda: read_before.set_result(len(calls)))
            calls.append(data)

        server = listen("127.0.0.1", on_datagram, receive_buffer_bytes=1 << 20)
        for _ in range(BATCH * 2):
            peer.sendto(b"x", server.local)
        assert await read_before == BATCH
        server.close()

    run(scenario())


def test_an_oversize_datagram_is_dropped_and_counted(run: Run, peer: socket.socket) -> None:
    async def scenario() -> None:
        inbox = Inbox()
        server = listen("127.0.0.1", inbox, max_datagram_bytes=100)
        for size in (101, 60_000, 100):
            peer.sendto(bytes(size), server.local)
        assert [len(data) for data, _, _ in await inbox.wait_for(1)] == [100]
        assert (server.counters.received, server.counters.oversize) == (3, 2)
        server.close()

    run(scenario())


def test_an_empty_datagram_is_a_datagram(run: Run, peer: socket.socket) -> None:
    async def scenario() -> None:
        inbox = Inbox()
        server = listen("127.0.0.1", inbox)
        peer.sendto(b"", server.local)
        assert (await inbox.wait_for(1))[0][0] == b""
        server.close()

    run(scenario())


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_icmp_errors_are_told_apart_by_destination_and_end_nothing(run: Run, peer: socket.socket, host: str) -> None:
    async def scenario() -> None:
        inbox = Inbox()
        gone: list[Address] = []
        told = asyncio.Event()

        def on_error(destination: Address) -> None:
            gone.append(destination)
            told.set()

        server = listen(host, inbox, on_error=on_error)
        for round_number in range(1, 4):
            told.clear()
            nobody = unused_address()
            server.send(b"anyone?", nobody)
            async with asyncio.timeout(5):
                await told.wait()
            assert gone == [nobody]
            gone.clear()
            peer.sendto(b"still there?", ("127.0.0.1", server.local[1]))
            await inbox.wait_for(round_number)
        server.close()

    run(scenario())


def test_a_datagram_sent_after_an_icmp_error_is_not_lost(run: Run, peer: socket.socket) -> None:
    async def scenario() -> None:
        gone: list[Address] = []
        inbox = Inbox()
        server = listen("127.0.0.1", inbox, on_error=gone.append)
        nobody = unused_address()
        server.send(b"anyone?", nobody)  # its ICMP error is pending before the loop runs again
        server.send(b"you", peer.getsockname())
        assert peer.recvfrom(100)[0] == b"you"
        assert gone == [nobody]
        peer.sendto(b"back", server.local)
        await inbox.wait_for(1)
        server.close()

    run(scenario())


def test_without_a_callback_icmp_errors_are_not_noticed(run: Run, peer: socket.socket) -> None:
    async def scenario() -> None:
        inbox = Inbox()
        server = listen("127.0.0.1", inbox)
        server.send(b"anyone?", unused_address())
        peer.sendto(b"hello", server.local)
        await inbox.wait_for(1)
        assert server.counters.errors == 0
        server.close()

    run(scenario())


def test_a_destination_that_cannot_be_reached_is_counted(run: Run) -> None:
    async def scenario() -> None:
        server = listen("127.0.0.1", Inbox())
        server.send(b"x", ("127.0.0.1", 0))
        server.send(bytes(70_000), ("127.0.0.1", 9))
        assert server.counters.errors == 2
        assert server.counters.sent == 0
        server.close()

    run(scenario())


class BusySocket(socket.socket):
    """A socket whose buffer is full until told otherwise."""

    busy = True

    def sendto(self, *arguments: Any) -> int:
        if self.busy:
            raise BlockingIOError(errno.EAGAIN, "would block")
        return super().sendto(*arguments)


def test_what_the_socket_cannot_take_is_queued_in_order_up_to_a_bound(run: Run, peer: socket.socket) -> None:
    async def scenario() -> None:
        sock = BusySocket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        server = DatagramSocket(asyncio.get_running_loop(), sock, Inbox(), max_queued_sends=2)
        for data in (b"1", b"2", b"3"):
            server.send(data, peer.getsockname())
        assert server.counters.send_dropped == 1
        sock.busy = False
        server.send(b"4", peer.getsockname())  # behind the queue, which is full
        assert server.counters.send_dropped == 2
        assert [await asyncio.to_thread(peer.recv, 10) for _ in range(2)] == [b"1", b"2"]
        server.send(b"5", peer.getsockname())
        assert peer.recv(10) == b"5"
        server.close()

    run(scenario())


def test_closing_drops_the_queue_and_frees_the_port(run: Run, peer: socket.socket) -> None:
    async def scenario() -> None:
        sock = BusySocket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        server = DatagramSocket(asyncio.get_running_loop(), sock, Inbox())
        server.send(b"1", peer.getsockname())
        server.close()
        server.close()
        server.send(b"2", peer.getsockname())
        assert server.counters.send_dropped == 2
        bind_datagram_socket(*server.local).close()

    run(scenario())


def test_it_may_be_closed_from_its_own_callback(run: Run, peer: socket.socket) -> None:
    async def scenario() -> None:
        calls: list[bytes] = []

        def on_datagram(data: bytes, source: Address, local: Address) -> None:
            calls.append(data)
            server.close()
            closed.set()

        closed = asyncio.Event()
        server = listen("127.0.0.1", on_datagram)
        peer.sendto(b"1", server.local)
        peer.sendto(b"2", server.local)
        await closed.wait()
        await asyncio.sleep(0)
        assert calls == [b"1"]

    run(scenario())


def test_the_receive_buffer_granted_is_logged(run: Run) -> None:
    async def scenario() -> None:
        with capture_logs() as logs:
            server = listen("127.0.0.1", Inbox(), receive_buffer_bytes=128 * 1024)
        server.close()
        (event,) = logs
        assert event["event"] == "socket.receive_buffer.granted"
        assert event["requested_bytes"] == 128 * 1024
        assert 0 < event["granted_bytes"] <= 128 * 1024

    run(scenario())


def test_a_port_that_is_taken_is_refused() -> None:
    with bind_datagram_socket("127.0.0.1", 0) as taken, pytest.raises(OSError, match="in use"):
        bind_datagram_socket("127.0.0.1", taken.getsockname()[1])
