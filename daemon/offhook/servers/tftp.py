"""The TFTP server: takes requests, asks a handler for the content, runs transfers.

It knows nothing of files: a name from the wire goes to the handler as text and is never a path. Each transfer
has a socket of its own, on a random port of the address that was asked (the transfer identifier, RFC 1350 §4).

What keeps it from being misused: an answer to a request that is refused is never longer than the request, or
else is silence; an ERROR is never answered; its texts are fixed and repeat nothing that was received; transfers
are counted per source, and apart for sources outside the listed networks.
"""

import asyncio
import ipaddress
import logging
import random
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog

from offhook.clock import Clock
from offhook.errors import TftpError
from offhook.observability.repeats import Repeats
from offhook.servers.datagram import RECEIVE_BUFFER_BYTES, Address, DatagramSocket, bind_datagram_socket
from offhook.servers.tftp_session import MAX_DATAGRAM_BYTES, TftpSession
from offhook.tftp.codec import ErrorCode, ErrorPacket, ReadRequest, format_error, parse_packet
from offhook.tftp.transfer import Done, Outcome, ReadTransfer, TransferLimits, require_readable

_log = structlog.get_logger()

_RANDOM: Final = random.SystemRandom()

_ERROR_TEXTS: Final[dict[int, str]] = {
    ErrorCode.FILE_NOT_FOUND: "file not found",
    ErrorCode.ACCESS_VIOLATION: "access violation",
    ErrorCode.ILLEGAL_OPERATION: "illegal operation",
}


@dataclass(frozen=True, slots=True)
class TftpRequest:
    """What a client asks for."""

    filename: str
    #: As sent; at most 512 octets, any characters but NUL.
    mode: str
    source: Address
    local: Address
    #: The address and port that the request was sent to.


@dataclass(frozen=True, slots=True)
class TftpAnswer:
    """What it is given."""

    content: bytes
    on_done: Callable[[bool], None] | None = None
    #: Called once, at the end: True where the client has acknowledged the last block.


Handler = Callable[[TftpRequest], Awaitable[TftpAnswer]]
#: Raises TftpError to refuse; only the code goes to the client, the message is for the log.

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TftpObserver(Protocol):
    """Whoever counts."""

    def transfer_finished(self, outcome: str, octets: int, seconds: float) -> None:
        """A transfer that was begun has ended; ``outcome`` is a value of :class:`Outcome`."""
        ...

    def refused(self, reason: str) -> None:
        """A datagram to a listening port did not lead to a transfer; ``reason`` is a value of :class:`Refusal`."""
        ...


class Refusal:
    """Why a request led to no transfer."""

    MALFORMED: Final = "malformed"
    NOT_SERVED: Final = "not served"
    #: A write request, a mode other than octet and netascii, or a packet that opens nothing.
    HANDLER: Final = "handler"
    HANDLER_FAILED: Final = "handler failed"
    HANDLER_SLOW: Final = "handler slow"
    TOO_LARGE: Final = "too large"
    SOURCE_SESSIONS: Final = "source sessions"
    SESSIONS: Final = "sessions"
    NO_PORT: Final = "no port"


_LOGGED_BY_OTHERS: Final = (Refusal.HANDLER, Refusal.HANDLER_FAILED)
#: The handler says itself why it refuses, and a failure has its traceback.


@dataclass(frozen=True, slots=True)
class TftpLimits:
    """Bounds of the server. Requests beyond a number of sessions get no answer: a client asks again."""

    sessions: int = 2000
    unlisted_sessions: int = 500
    #: Of those, the part that sources outside the listed networks can take.
    sessions_per_source: int = 64
    sessions_per_unlisted_source: int = 4
    #: A source is an address; outside the listed networks an IPv6 source is its /64.
    content_bytes: int = 32 * 1024 * 1024
    handler_seconds: float = 10.0
    transfer: TransferLimits = field(default_factory=TransferLimits)


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    """A request on its way through the server."""

    packet: ReadRequest
    listener: DatagramSocket
    datagram: bytes
    source: Address
    local: Address
    listed: bool
    source_key: str
    received_at: float

    @property
    def key(self) -> tuple[Address, Address, bytes]:
        """The same for a retransmission, and another for the next file asked for from the same port."""
        return self.source, self.local, self.datagram


class TftpServer:
    """Serves what ``handler`` gives, on every address that :meth:`listen` is called with."""

    def __init__(
        self,
        handler: Handler,
        *,
        clock: Clock,
        redact: Callable[[str], str],
        limits: TftpLimits | None = None,
        listed_networks: Sequence[Network] = (),
        transfer_ports: range | None = None,
        observer: TftpObserver | None = None,
    ) -> None:
        """``redact`` makes a file name fit for the log; ``transfer_ports`` None leaves the choice to the system."""
        self._handler = handler
        self._clock = clock
        self._redact = redact
        self._limits = limits or TftpLimits()
        self._listed_networks = tuple(listed_networks)
        self._transfer_ports = transfer_ports
        self._observer = observer
        self._listeners: list[DatagramSocket] = []
        self._requests: dict[tuple[Address, Address, bytes], _Request] = {}
        self._per_source: Counter[str] = Counter()
        self._unlisted = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: set[TftpSession] = set()
        self._repeats = Repeats()
        self._idle = asyncio.Event()
        self._idle.set()

    def use(self, limits: TftpLimits, listed_networks: Sequence[Network]) -> None:
        """Takes other bounds and networks, from the next request on."""
        self._limits = limits
        self._listed_networks = tuple(listed_networks)

    @property
    def sessions(self) -> int:
        """Requests being answered and transfers running."""
        return len(self._requests)

    def listen(self, host: str, port: int) -> Address:
        """Listens on a numeric address, and tells where; port 0 takes a free one.

        :raises OSError: the address is not this machine's, or the port is taken or may not be used.
        """

        def on_datagram(data: bytes, source: Address, local: Address) -> None:
            self._receive(listener, data, source, local)

        listener = DatagramSocket(
            asyncio.get_running_loop(),
            bind_datagram_socket(host, port),
            on_datagram,
            receive_buffer_bytes=RECEIVE_BUFFER_BYTES,
            max_datagram_bytes=MAX_DATAGRAM_BYTES,
        )
        self._listeners.append(listener)
        return listener.local

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Takes no more requests, lets transfers finish for a while, then stops those that are left."""
        for listener in self._listeners:
            listener.close()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._idle.wait()
        except TimeoutError:
            pass
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for session in tuple(self._running):
            session.stop()

    # -- requests

    def _receive(self, listener: DatagramSocket, data: bytes, source: Address, local: Address) -> None:
        if (source, local, data) in self._requests:
            return
        reason = Refusal.MALFORMED
        try:
            packet = parse_packet(data)
            if isinstance(packet, ErrorPacket):
                return
            reason = Refusal.NOT_SERVED
            read_request = require_readable(packet)
        except TftpError as error:
            self._reply(listener, data, source, local, error.code, error.message)
            _log.debug(
                "tftp.transfer.refused", reason=reason, detail=error.message, source=source[0], source_port=source[1]
            )
            self._count_refusal(reason)
            return
        listed, source_key = self._classify(source[0])
        request = _Request(read_request, listener, data, source, local, listed, source_key, self._clock.monotonic())
        exhausted = self._find_exhausted(request)
        if exhausted:
            _log.debug("tftp.transfer.refused", reason=exhausted, **self._describe(request))
            self._count_refusal(exhausted)
            return
        self._admit(request)
        task = asyncio.get_running_loop().create_task(self._answer(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: _Request) -> None:
        """Asks the handler and begins the transfer, or refuses it."""
        begun = False
        try:
            packet = request.packet
            async with asyncio.timeout(self._limits.handler_seconds):
                answer = await self._handler(TftpRequest(packet.filename, packet.mode, request.source, request.local))
            begun = self._begin(request, answer)
        except TftpError as error:
            self._refuse(request, Refusal.HANDLER, error.code, detail=error.message)
        except TimeoutError:
            self._refuse(request, Refusal.HANDLER_SLOW, None)
        except Exception:
            _log.exception("tftp.handler.failed", **self._describe(request))
            self._refuse(request, Refusal.HANDLER_FAILED, ErrorCode.NOT_DEFINED)
        finally:
            if not begun:
                self._release(request)

    def _begin(self, request: _Request, answer: TftpAnswer) -> bool:
        if len(answer.content) > self._limits.content_bytes:
            self._refuse(request, Refusal.TOO_LARGE, ErrorCode.NOT_DEFINED, detail=f"{len(answer.content)} bytes")
            self._tell(answer, False)
            return False
        try:
            sock = self._open_transfer_socket(request.local[0])
        except OSError as error:
            self._refuse(request, Refusal.NO_PORT, None, detail=str(error))
            self._tell(answer, False)
            return False
        transfer = ReadTransfer(request.packet, answer.content, self._limits.transfer)

        def on_done(done: Done) -> None:
            self._running.discard(session)
            self._release(request)
            self._finish(request, answer, done)

        session = TftpSession(transfer, sock, request.source, self._clock, on_done)
        self._running.add(session)
        session.start()
        return True

    def _finish(self, request: _Request, answer: TftpAnswer, done: Done) -> None:
        seconds = self._clock.monotonic() - request.received_at
        complete = done.outcome is Outcome.COMPLETE
        _log.info(
            "tftp.transfer.completed" if complete else "tftp.transfer.failed",
            outcome=done.outcome.value,
            octets=done.octets,
            blocks=done.blocks,
            retransmits=done.retransmits,
            seconds=round(seconds, 3),
            **self._describe(request),
        )
        if self._observer is not None:
            self._observer.transfer_finished(done.outcome.value, done.octets, seconds)
        self._tell(answer, complete)

    def _tell(self, answer: TftpAnswer, complete: bool) -> None:
        if answer.on_done is not None:
            try:
                answer.on_done(complete)
            except Exception:
                _log.exception("tftp.completion.failed")

    def _refuse(self, request: _Request, reason: str, code: int | None, detail: str = "") -> None:
        """Logs, counts and answers with ``code``, or with silence where it is None."""
        facts = {"reason": reason, "code": code, "detail": detail, **self._describe(request)}
        if reason in _LOGGED_BY_OTHERS:
            _log.debug("tftp.transfer.refused", **facts)
        else:
            about = (request.source[0], reason)
            self._repeats.log(_log, logging.INFO, "tftp.transfer.refused", about, self._clock.monotonic(), **facts)
        self._count_refusal(reason)
        if code is not None:
            text = _ERROR_TEXTS.get(code, "cannot be served")
            self._reply(request.listener, request.datagram, request.source, request.local, code, text)

    def _reply(
        self, listener: DatagramSocket, datagram: bytes, source: Address, local: Address, code: int, text: str
    ) -> None:
        """An ERROR no longer than the datagram it answers: with its text, else without, else none."""
        for packet in (format_error(code, text), format_error(code)):
            if len(packet) <= len(datagram):
                listener.send(packet, source, local)
                return

    def _count_refusal(self, reason: str) -> None:
        if self._observer is not None:
            self._observer.refused(reason)

    def _describe(self, request: _Request) -> dict[str, str | int]:
        return {
            "file": self._redact(request.packet.filename),
            "source": request.source[0],
            "source_port": request.source[1],
        }

    # -- bounds

    def _classify(self, host: str) -> tuple[bool, str]:
        """Whether a source is in a listed network, and what its sessions are counted under."""
        address = ipaddress.ip_address(host.partition("%")[0])
        if any(address in network for network in self._listed_networks):
            return True, host
        if address.version == 6:
            return False, str(ipaddress.IPv6Network((address, 64), strict=False))
        return False, host

    def _find_exhausted(self, request: _Request) -> str | None:
        limits = self._limits
        per_source = limits.sessions_per_source if request.listed else limits.sessions_per_unlisted_source
        if self._per_source[request.source_key] >= per_source:
            return Refusal.SOURCE_SESSIONS
        if len(self._requests) >= limits.sessions or (
            not request.listed and self._unlisted >= limits.unlisted_sessions
        ):
            return Refusal.SESSIONS
        return None

    def _admit(self, request: _Request) -> None:
        self._requests[request.key] = request
        self._per_source[request.source_key] += 1
        self._unlisted += not request.listed
        self._idle.clear()

    def _release(self, request: _Request) -> None:
        del self._requests[request.key]
        self._unlisted -= not request.listed
        self._per_source[request.source_key] -= 1
        if not self._per_source[request.source_key]:
            del self._per_source[request.source_key]
        if not self._requests:
            self._idle.set()

    def _open_transfer_socket(self, host: str) -> socket.socket:
        ports = self._transfer_ports
        if ports is None:
            return bind_datagram_socket(host, 0)
        failure = OSError("the range of transfer ports is empty")
        for port in _RANDOM.sample(ports, min(len(ports), 64)):
            try:
                return bind_datagram_socket(host, port)
            except OSError as error:
                failure = error
        raise failure
