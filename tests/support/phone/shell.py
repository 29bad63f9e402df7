"""Gives a :class:`~tests.support.phone.core.Phone` a network: sockets, a clock, and one timer.

Its SIP address is one UDP port; TCP connections are made to where an account's requests go, and kept. Names are not
resolved: a phone is given addresses.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from tests.support.phone.core import Phone
from tests.support.phone.events import Event, Fetch, News, SendSip
from tests.support.phone.fetching import fetch

from offhook.endpoint import HostPort, Transport
from offhook.sip.framing import FramingError, MessageFrame, StreamFramer

_READ_BYTES: Final = 64 * 1024
_CONNECT_SECONDS: Final = 5.0

N = TypeVar("N", bound=News)


class PhoneShell:
    """Runs one phone on the loop; an asynchronous context manager that boots it.

    At the end the phone simply loses its power: nothing is unregistered, unless :meth:`Phone.shut_down` was
    performed before.
    """

    def __init__(self, phone: Phone, *, host: str = "127.0.0.1") -> None:
        self.phone = phone
        self.history: list[News] = []
        #: All that the phone told, in order.
        self._host = host
        self._datagrams: asyncio.DatagramTransport | None = None
        self._streams: dict[tuple[str, int], _Stream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._told = asyncio.Event()
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._datagrams, _ = await loop.create_datagram_endpoint(
            lambda: _Datagrams(self._receive_datagram), local_addr=(self._host, 0)
        )
        self.perform(self.phone.boot(self.address, self.now()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._datagrams is not None:
            self._datagrams.close()
        await asyncio.sleep(0)
        if self._failure is not None and error is None:
            raise self._failure

    @property
    def address(self) -> HostPort:
        """Where the phone receives SIP over UDP, and what it calls itself."""
        if self._datagrams is None:
            raise RuntimeError("the phone is not on")
        host, port = self._datagrams.get_extra_info("sockname")[:2]
        return HostPort(host, port)

    @staticmethod
    def now() -> float:
        """The phone's clock."""
        return time.monotonic()

    def mark(self) -> int:
        """A place in the history, for ``after`` of :meth:`wait_for`."""
        return len(self.history)

    async def wait_for(
        self, kind: type[N], *, where: Callable[[N], bool] = lambda _: True, after: int = 0, seconds: float = 10.0
    ) -> N:
        """The first news of that kind after a mark, which may have come already.

        Raises:
            TimeoutError: with what was told instead.
        """
        position = after
        try:
            async with asyncio.timeout(seconds):
                while True:
                    while position < len(self.history):
                        news = self.history[position]
                        position += 1
                        if isinstance(news, kind) and where(news):
                            return news
                    if self._failure is not None:
                        raise self._failure
                    self._told.clear()
                    await self._told.wait()
        except TimeoutError:
            told = "\n  ".join(str(news) for news in self.history[after:]) or "nothing"
            raise TimeoutError(f"no {kind.__name__} within {seconds:g} s; the phone told:\n  {told}") from None

    def perform(self, events: list[Event]) -> None:
        """Does what the phone wants done, and arms its timer."""
        for event in events:
            match event:
                case Fetch():
                    self._spawn(self._fetch(event))
                case SendSip():
                    self._send(event)
                case _:
                    self.history.append(event)
        self._told.set()
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.phone.next_timer()
        if due is not None:
            delay = max(0.0, due - self.now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._fire)

    def _fire(self) -> None:
        self.perform(self.phone.handle_timer(self.now()))

    async def _fetch(self, wanted: Fetch) -> None:
        file = await fetch(wanted.url, wanted.user_agent)
        self.perform(self.phone.receive_file(wanted, file, self.now()))

    def _send(self, message: SendSip) -> None:
        if message.transport is Transport.UDP:
            if self._datagrams is not None:
                self._datagrams.sendto(message.data, message.destination)
            return
        stream = self._streams.get(message.destination)
        if stream is None:
            stream = self._streams[message.destination] = _Stream()
            self._spawn(self._run_stream(stream, message.destination))
        stream.send(message.data)

    def _receive_datagram(self, data: bytes, source: tuple[str, int]) -> None:
        self.perform(self.phone.receive_sip(data, source, Transport.UDP, self.now()))

    async def _run_stream(self, stream: "_Stream", destination: tuple[str, int]) -> None:
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                reader, writer = await asyncio.open_connection(*destination)
        except (OSError, TimeoutError):
            pass
        else:
            stream.connect(writer)
            try:
                await self._read_stream(reader, destination)
            finally:
                writer.close()
        del self._streams[destination]
        self.perform(self.phone.flow_failed(Transport.TCP, destination, self.now()))

    async def _read_stream(self, reader: asyncio.StreamReader, destination: tuple[str, int]) -> None:
        framer = StreamFramer()
        try:
            while data := await reader.read(_READ_BYTES):
                for event in framer.feed(data):
                    if isinstance(event, FramingError):
                        return
                    if isinstance(event, MessageFrame):
                        self.perform(self.phone.receive_sip(event.data, destination, Transport.TCP, self.now()))
        except ConnectionError:
            return

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = self._failure or task.exception()
            self._told.set()


class _Stream:
    """What is to be written on a connection, from before there is one."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: list[bytes] = []

    def send(self, data: bytes) -> None:
        if self._writer is None:
            self._waiting.append(data)
        else:
            self._writer.write(data)

    def connect(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        writer.writelines(self._waiting)
        self._waiting.clear()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, receive: Callable[[bytes, tuple[str, int]], None]) -> None:
        self._receive = receive

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        self._receive(data, (source[0], source[1]))
