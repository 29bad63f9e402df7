"""One SIP connection over a stream: framing, deadlines and bounds. What the messages mean is decided elsewhere.

A connection must say something soon, and must end each message that it begins soon; between messages it may rest as
long as a binding hangs on it, else for :attr:`StreamLimits.idle_seconds`.

A stream that cannot be framed is answered, and then heard out for a moment without being listened to: closed while
octets lie unread it would be reset, and the reset would overtake the answer on its way to the peer.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol, cast

from offhook.endpoint import Transport
from offhook.registrar.ports import Flow
from offhook.sip.framing import FramingError, FramingLimits, MessageFrame, StreamFramer


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """Bounds of stream connections. One more connection than allowed is closed at once."""

    connections: int = 10_000
    connections_per_source: int = 200
    first_byte_seconds: float = 5.0
    message_seconds: float = 10.0
    #: From the first byte of a message to its last.
    idle_seconds: float = 300.0
    linger_seconds: float = 2.0
    #: For the peer to read the answer to what cannot be framed, and to close.
    write_buffer_bytes: int = 256 * 1024
    #: A peer that does not read is cut off beyond it.
    framing: FramingLimits = field(default_factory=FramingLimits)


class StreamOwner(Protocol):
    """Who is told what happens on the connections."""

    def connection_opened(self, connection: "StreamConnection") -> bool:
        """A peer has connected. False where there is no room for it."""
        ...

    def connection_closed(self, connection: "StreamConnection") -> None:
        """The end of a connection that was let in."""
        ...

    def message_received(self, data: bytes, flow: Flow) -> None:
        """One whole message."""
        ...

    def framing_failed(self, error: FramingError, flow: Flow) -> None:
        """The stream cannot be read any further; nothing can be sent once this has returned."""
        ...

    def is_needed(self, connection: "StreamConnection") -> bool:
        """Whether a connection that has been idle must be kept."""
        ...


class StreamConnection(asyncio.Protocol):
    """A connection that a peer has opened."""

    def __init__(self, owner: StreamOwner, connection_id: int, limits: StreamLimits, transport: Transport) -> None:
        self._owner = owner
        self._id = connection_id
        self._limits = limits
        self._sip_transport = transport
        self._framer = StreamFramer(limits.framing)
        self._is_admitted = False
        self._in_message = False
        self._is_finished = False
        self._deadline: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self.flow = Flow(transport, ("", 0), ("", 0), connection_id)

    def send(self, data: bytes) -> bool:
        """Sends, or cuts off a peer that does not read; False where nothing can be sent any more."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._is_finished:
            return False
        if transport.get_write_buffer_size() > self._limits.write_buffer_bytes:
            transport.abort()
            return False
        transport.write(data)
        return True

    def close(self) -> None:
        """Sends what is still to be sent, and closes."""
        if self._transport is not None:
            self._transport.close()

    # -- asyncio.Protocol -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        source, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if not source or not local:  # gone before it was accepted
            self._transport.abort()
            return
        self.flow = Flow(self._sip_transport, source[:2], local[:2], self._id)
        self._is_admitted = self._owner.connection_opened(self)
        if self._is_admitted:
            self._wait(self._limits.first_byte_seconds)
        else:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self._is_admitted or self._is_finished:
            return
        has_ended = False
        for event in self._framer.feed(data):
            match event:
                case MessageFrame():
                    has_ended = True
                    self._owner.message_received(event.data, self.flow)
                case FramingError():
                    self._owner.framing_failed(event, self.flow)
                    self._finish()
                    return
                case _:
                    self.send(b"\r\n")
        if not self._framer.pending:
            self._in_message = False
            self._wait(self._limits.idle_seconds)
        elif has_ended or not self._in_message:
            self._in_message = True
            self._wait(self._limits.message_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._deadline is not None:
            self._deadline.cancel()
        if self._is_admitted:
            self._owner.connection_closed(self)

    def _finish(self) -> None:
        """Says that nothing more comes, and waits for the peer to say so too."""
        self._is_finished = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()
            self._wait(self._limits.linger_seconds)

    # -- deadlines ------------------------------------------------------------------------------------------------

    def _wait(self, seconds: float) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._expire)

    def _expire(self) -> None:
        if not self._is_finished and not self._in_message and self._owner.is_needed(self):
            self._wait(self._limits.idle_seconds)
        else:
            self.close()
