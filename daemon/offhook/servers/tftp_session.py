"""Moves the bytes of one TFTP transfer and keeps its timer.

The socket belongs to the transfer alone: its port is the server's transfer identifier, the client's address and
port are the client's (RFC 1350 §4). Packets of anyone else are told so and change nothing.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from offhook.clock import Clock
from offhook.errors import TftpError
from offhook.servers.datagram import Address, DatagramSocket
from offhook.tftp.codec import ErrorCode, ErrorPacket, format_error, parse_packet
from offhook.tftp.transfer import Done, Event, ReadTransfer, Send

MAX_DATAGRAM_BYTES: Final = 1500
#: RFC 2347 keeps a request within 512 octets, and clients send nothing longer than an ERROR after it.


class TftpSession:
    """Runs ``transfer`` on ``sock``, and closes that before it calls ``on_done``."""

    def __init__(
        self,
        transfer: ReadTransfer,
        sock: socket.socket,
        client: Address,
        clock: Clock,
        on_done: Callable[[Done], None],
    ) -> None:
        self._transfer = transfer
        self._client = client
        self._clock = clock
        self._on_done = on_done
        self._loop = asyncio.get_running_loop()
        self._socket = DatagramSocket(self._loop, sock, self._receive, max_datagram_bytes=MAX_DATAGRAM_BYTES)
        self._timer: asyncio.TimerHandle | None = None
        self._fires_at = 0.0

    @property
    def local(self) -> Address:
        """The address and port of this transfer."""
        return self._socket.local

    def start(self) -> None:
        """Sends the first packet."""
        self._apply(self._transfer.start(self._clock.monotonic()))

    def stop(self) -> None:
        """Ends the transfer, and tells the client."""
        self._apply(self._transfer.stop())

    def _receive(self, data: bytes, source: Address, local: Address) -> None:
        try:
            packet = parse_packet(data)
        except TftpError:
            packet = None
        if source != self._client:
            if not isinstance(packet, ErrorPacket):  # an ERROR is never answered
                self._socket.send(format_error(ErrorCode.UNKNOWN_TRANSFER_ID), source)
        elif packet is not None:
            self._apply(self._transfer.receive(packet, self._clock.monotonic()))

    def _apply(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, Send):
                self._socket.send(event.datagram, self._client)
            else:
                self._socket.close()
                self._on_done(event)
        self._arm()

    def _arm(self) -> None:
        """One timer, put off only when it fires: each ACK moves the deadline, and few are ever reached."""
        deadline = self._transfer.next_timer()
        if self._timer is not None:
            if deadline is not None and deadline >= self._fires_at:
                return
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._fires_at = deadline
            self._timer = self._loop.call_later(max(deadline - self._clock.monotonic(), 0.0), self._fire)

    def _fire(self) -> None:
        self._timer = None
        self._apply(self._transfer.handle_timer(self._clock.monotonic()))
