"""One transfer on its own socket: strangers, noise, silence."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest

from offhook.clock import SystemClock
from offhook.servers.datagram import bind_datagram_socket
from offhook.servers.tftp_session import TftpSession
from offhook.tftp.codec import (
    Acknowledgement,
    Data,
    ErrorPacket,
    Packet,
    ReadRequest,
    format_packet,
    parse_packet,
)
from offhook.tftp.transfer import Done, Outcome, ReadTransfer, TransferLimits

CONTENT = bytes(range(256)) * 10
QUICK = TransferLimits(timeout_seconds=0.01, max_timeout_seconds=0.02)


class Endpoint:
    """A UDP socket of a client, or of somebody who is not."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)

    def send(self, packet: Packet | bytes, session: TftpSession) -> None:
        self.socket.sendto(packet if isinstance(packet, bytes) else format_packet(packet), session.local)

    async def receive(self) -> Packet:
        async with asyncio.timeout(5):
            return parse_packet(await asyncio.get_running_loop().sock_recv(self.socket, 2000))

    def is_empty(self) -> bool:
        try:
            self.socket.recv(2000)
        except BlockingIOError:
            return True
        return False


@pytest.fixture
async def client() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.socket.close()


@pytest.fixture
async def stranger() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    yield endpoint
    endpoint.socket.close()


def begin(
    client: Endpoint, limits: TransferLimits, transfer: type[ReadTransfer] = ReadTransfer
) -> tuple[TftpSession, asyncio.Future[Done]]:
    ended: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
    session = TftpSession(
        transfer(ReadRequest("f", "octet"), CONTENT, limits),
        bind_datagram_socket("127.0.0.1", 0),
        client.socket.getsockname(),
        SystemClock(),
        ended.set_result,
    )
    session.start()
    return session, ended


async def test_a_stranger_is_told_and_changes_nothing(client: Endpoint, stranger: Endpoint) -> None:
    session, ended = begin(client, TransferLimits())
    received = b""
    while not ended.done():
        block = await client.receive()
        assert isinstance(block, Data)
        received += block.payload
        for injected in (Acknowledgement(block.block_number), Acknowledgement(block.block_number + 1), b"\0"):
            stranger.send(injected, session)
            assert await stranger.receive() == ErrorPacket(5, "")
        stranger.send(ErrorPacket(0, "stop"), session)  # ends nothing, and is not answered
        client.send(Acknowledgement(block.block_number), session)
        if len(block.payload) < 512:
            break
    assert (await ended).outcome is Outcome.COMPLETE
    assert received == CONTENT
    assert stranger.is_empty()
    assert client.is_empty()


async def test_noise_from_the_client_changes_nothing(client: Endpoint) -> None:
    session, ended = begin(client, TransferLimits())
    assert await client.receive() == Data(1, CONTENT[:512])
    for noise in (b"", b"\0\x09xx", Acknowledgement(7), ReadRequest("f", "octet")):
        client.send(noise, session)
    client.send(Acknowledgement(1), session)
    assert await client.receive() == Data(2, CONTENT[512:1024])
    assert not ended.done()
    session.stop()
    assert await client.receive() == ErrorPacket(0, "server stopped")
    assert (await ended).outcome is Outcome.STOPPED


async def test_a_silent_client_is_asked_again_and_given_up(client: Endpoint) -> None:
    _, ended = begin(client, QUICK)
    async with asyncio.timeout(5):
        end = await ended
    assert end == Done(Outcome.TIMED_OUT, 0, 0, 2)
    assert [await client.receive() for _ in range(3)] == [Data(1, CONTENT[:512])] * 3
    assert client.is_empty()


class FirstTimerFarOff(ReadTransfer):
    """Its first timer is an hour away, as after many retransmissions; those that follow an ACK are near."""

    def next_timer(self) -> float | None:
        deadline = super().next_timer()
        return deadline + 3600 if deadline is not None and not self._acknowledged else deadline


async def test_an_ack_brings_a_timer_forward_that_was_far_off(client: Endpoint) -> None:
    session, ended = begin(client, QUICK, FirstTimerFarOff)
    assert await client.receive() == Data(1, CONTENT[:512])
    client.send(Acknowledgement(1), session)
    for _ in range(3):
        assert await client.receive() == Data(2, CONTENT[512:1024])
    session.stop()
    assert (await ended).outcome is Outcome.STOPPED


async def test_its_port_is_free_when_it_is_done(client: Endpoint) -> None:
    session, ended = begin(client, TransferLimits())
    local = session.local
    client.send(ErrorPacket(0, "no, thanks"), session)
    assert (await ended).outcome is Outcome.ABORTED
    bind_datagram_socket(*local).close()
