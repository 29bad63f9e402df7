"""One stream connection, without a network: its deadlines and bounds."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest

from offhook.endpoint import Transport
from offhook.registrar.ports import Flow
from offhook.servers.stream import StreamConnection, StreamLimits
from offhook.sip.framing import FramingError

MESSAGE = b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n"


class Pipe:
    """The transport's end of a connection."""

    def __init__(self, peer: tuple[str, int] | None = ("10.0.0.21", 40000)) -> None:
        self.peer = peer
        self.written = b""
        self.unsent = 0
        self.state = "open"

    def get_extra_info(self, name: str) -> tuple[str, int] | None:
        return self.peer if name == "peername" else ("10.0.0.1", 5060)

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.state not in ("open", "half closed")

    def write_eof(self) -> None:
        self.state = "half closed"

    def close(self) -> None:
        self.state = "closed"

    def abort(self) -> None:
        self.state = "aborted"


class Timers:
    """The loop's timers, on a clock of the test."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[tuple[float, Callable[[], object], asyncio.TimerHandle]] = []

    def call_later(self, delay: float, callback: Callable[[], object]) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(self.now + delay, callback, (), asyncio.get_running_loop())
        self._timers.append((self.now + delay, callback, handle))
        return handle

    @property
    def pending(self) -> list[float]:
        return sorted(due for due, _, handle in self._timers if not handle.cancelled())

    def advance(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for timer in self._timers if timer[0] <= self.now + 1e-9]
        self._timers = [timer for timer in self._timers if timer not in due]
        for _, callback, handle in due:
            if not handle.cancelled():
                callback()


class Owner:
    """Lets connections in, and keeps what they bring."""

    def __init__(self, has_room: bool = True) -> None:
        self.has_room = has_room
        self.needs = False
        self.seen: list[Any] = []

    def connection_opened(self, connection: StreamConnection) -> bool:
        self.seen.append(connection.flow)
        return self.has_room

    def connection_closed(self, connection: StreamConnection) -> None:
        self.seen.append("closed")

    def message_received(self, data: bytes, flow: Flow) -> None:
        self.seen.append(data)

    def framing_failed(self, error: FramingError, flow: Flow) -> None:
        self.seen.append(error.status)

    def is_needed(self, connection: StreamConnection) -> bool:
        return self.needs


def connect(owner: Owner, pipe: Pipe, **limits: float) -> StreamConnection:
    connection = StreamConnection(owner, 7, StreamLimits(**cast("Any", limits)), Transport.TCP)
    connection.connection_made(cast("asyncio.Transport", pipe))
    return connection


async def test_messages_are_handed_over_and_pings_answered() -> None:
    owner, pipe = Owner(), Pipe()
    connection = connect(owner, pipe)
    connection.data_received(MESSAGE + b"\r\n\r\n" + MESSAGE[:10])
    connection.data_received(MESSAGE[10:])
    connection.connection_lost(None)
    flow = Flow(Transport.TCP, ("10.0.0.21", 40000), ("10.0.0.1", 5060), 7)
    assert owner.seen == [flow, MESSAGE, MESSAGE, "closed"]
    assert pipe.written == b"\r\n"


async def test_connection_without_room_is_cut_off_and_unheard() -> None:
    owner, pipe = Owner(has_room=False), Pipe()
    connection = connect(owner, pipe)
    connection.data_received(MESSAGE)
    connection.connection_lost(None)
    assert len(owner.seen) == 1
    assert pipe.state == "aborted"


async def test_peer_that_is_gone_before_it_was_accepted_is_forgotten() -> None:
    owner, pipe = Owner(), Pipe(peer=None)
    connect(owner, pipe).connection_lost(None)
    assert owner.seen == []


async def test_peer_that_does_not_read_is_cut_off() -> None:
    owner, pipe = Owner(), Pipe()
    connection = connect(owner, pipe, write_buffer_bytes=10)
    assert connection.send(b"answer")
    pipe.unsent = 11
    assert not connection.send(b"answer")
    assert pipe.state == "aborted"
    assert not connection.send(b"answer")
    connection.connection_lost(None)
    assert not connection.send(b"answer")


async def test_stream_that_cannot_be_framed_is_heard_no_more() -> None:
    owner, pipe = Owner(), Pipe()
    connection = connect(owner, pipe)
    connection.data_received(b"OPTIONS sip:a SIP/2.0\r\n\r\n")
    assert owner.seen[1:] == [400]
    assert pipe.state == "half closed"
    connection.data_received(MESSAGE)
    assert owner.seen[1:] == [400]
    assert not connection.send(b"answer")
    connection.connection_lost(None)


@pytest.fixture
async def timers(monkeypatch: pytest.MonkeyPatch) -> Timers:
    timers = Timers()
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", timers.call_later)
    return timers


LIMITS = {"first_byte_seconds": 5.0, "message_seconds": 10.0, "idle_seconds": 300.0, "linger_seconds": 2.0}


@pytest.mark.parametrize(
    ("received", "limit"),
    [
        (b"", "first_byte_seconds"),
        (MESSAGE[:5], "message_seconds"),
        (MESSAGE + MESSAGE[:5], "message_seconds"),
        (MESSAGE, "idle_seconds"),
        (b"OPTIONS sip:a SIP/2.0\r\n\r\n", "linger_seconds"),
    ],
)
async def test_each_deadline_closes(timers: Timers, received: bytes, limit: str) -> None:
    owner, pipe = Owner(), Pipe()
    owner.needs = limit == "linger_seconds"
    connection = connect(owner, pipe, **LIMITS)
    if received:
        connection.data_received(received)
    timers.advance(LIMITS[limit] - 0.1)
    assert pipe.state in ("open", "half closed")
    timers.advance(0.1)
    assert pipe.state == "closed"
    connection.connection_lost(None)
    assert timers.pending == []


async def test_trickle_does_not_put_off_the_deadline_of_a_message(timers: Timers) -> None:
    pipe = Pipe()
    connection = connect(Owner(), pipe, **LIMITS)
    for _ in range(10):
        assert pipe.state == "open"
        connection.data_received(b"x")
        timers.advance(1.0)
    assert pipe.state == "closed"
    connection.connection_lost(None)


async def test_needed_connection_rests_but_ends_the_messages_that_it_begins(timers: Timers) -> None:
    owner, pipe = Owner(), Pipe()
    owner.needs = True
    connection = connect(owner, pipe, **LIMITS)
    connection.data_received(MESSAGE)
    for _ in range(10):
        timers.advance(LIMITS["idle_seconds"])
    assert pipe.state == "open"
    connection.data_received(MESSAGE[:5])
    timers.advance(LIMITS["message_seconds"])
    assert pipe.state == "closed"
    connection.connection_lost(None)
