"""One read transfer, from the request to the acknowledgement of its last block.

    start ──┬─ options taken ── OACK ── ACK(0) ─┐
            └─ none ────────────────────────────┴─> DATA(1) ─ ACK(1) ─> … ─> DATA(n), short ─ ACK(n) ─> complete

RFC 1350 with the options of RFC 2347, 2348 and 2349. What is sent is sent again on a timer alone, never because
an old ACK came twice: answering both would double every packet that follows (the "Sorcerer's Apprentice" of
RFC 1123 §4.2.3.1). Block numbers go from 65535 to 0.

Until an ACK shows that the request's source is real, one packet is out at a time and is repeated
:attr:`TransferLimits.retransmits_before_ack` times at most, so a forged source is worth little to its forger.
"""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from offhook.errors import TftpError
from offhook.tftp.codec import (
    Acknowledgement,
    ErrorCode,
    ErrorPacket,
    OptionAcknowledgement,
    Options,
    Packet,
    ReadRequest,
    WriteRequest,
    format_data,
    format_error,
    format_packet,
)

DEFAULT_BLKSIZE: Final = 512


class Mode(StrEnum):
    """The transfer modes that are served (RFC 1350 §1)."""

    OCTET = "octet"
    NETASCII = "netascii"


class Outcome(Enum):
    """How a transfer ended."""

    COMPLETE = "complete"
    #: The last block was acknowledged.
    TIMED_OUT = "timed out"
    ABORTED = "aborted"
    #: By the client, with an ERROR.
    STOPPED = "stopped"
    #: By the server, with an ERROR.


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """Bounds of one transfer."""

    max_blksize: int = 1428
    #: What fits an Ethernet frame with IPv6 and a tunnel's headers, so nothing is fragmented.
    timeout_seconds: float = 1.0
    #: Before the first retransmission; doubles with each, up to the next. A timeout that the client asks for
    #: (RFC 2349) takes the place of both once it has shown, with an ACK, that it is there: a forged request must
    #: not be able to hold a transfer for long.
    max_timeout_seconds: float = 8.0
    retransmits_before_ack: int = 2
    retransmits: int = 5


@dataclass(frozen=True, slots=True)
class Send:
    """A datagram to send to the client."""

    datagram: bytes


@dataclass(frozen=True, slots=True)
class Done:
    """The transfer is over; nothing follows."""

    outcome: Outcome
    octets: int
    #: Of the file as transferred (after netascii translation) and acknowledged.
    blocks: int
    #: Acknowledged.
    retransmits: int


Event = Send | Done


def require_readable(packet: Packet) -> ReadRequest:
    """The packet, if it opens a transfer that can be served.

    :raises TftpError: code 2 for a write request, 4 for a mode that is not served or a packet that opens nothing.
    """
    if isinstance(packet, WriteRequest):
        raise TftpError(ErrorCode.ACCESS_VIOLATION, "read only")
    if not isinstance(packet, ReadRequest):
        raise TftpError(ErrorCode.ILLEGAL_OPERATION, "no transfer here")
    if packet.mode not in (Mode.OCTET, Mode.NETASCII):
        raise TftpError(ErrorCode.ILLEGAL_OPERATION, "octet or netascii")
    return packet


def encode_netascii(content: bytes) -> bytes:
    """Local text as netascii (RFC 764): the end of a line is CR LF, and a CR of its own is CR NUL."""
    return content.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")


class ReadTransfer:
    """Serves ``content`` to one client. Feed it packets of that client and the time; do what its events say."""

    def __init__(self, request: ReadRequest, content: bytes, limits: TransferLimits) -> None:
        """Nothing is sent before :meth:`start`. ``request`` is one that :func:`require_readable` let through."""
        self._content = encode_netascii(content) if request.mode == Mode.NETASCII else content
        self._limits = limits
        self._blksize = DEFAULT_BLKSIZE
        self._client_timeout_seconds = 0.0
        self.options: Final = self._negotiate(request.options)
        #: What an OACK grants; empty where none is sent.

        self._block = 0
        #: Number of the packet that is out, not wrapped: 0 is the OACK, then the blocks of DATA.
        self._last_block = len(self._content) // self._blksize + 1
        self._packet = b""
        self._tries = 0
        self._acknowledged = False
        self._retransmits = 0
        self._deadline: float | None = None
        self._done = False

    def start(self, now: float) -> list[Event]:
        """The first packet: an OACK where options were taken (RFC 2347), else the first block."""
        if self.options:
            return self._transmit(format_packet(OptionAcknowledgement(self.options)), now)
        self._block = 1
        return self._transmit_block(now)

    def receive(self, packet: Packet, now: float) -> list[Event]:
        """Takes a packet of the client. All but the awaited ACK and an ERROR is ignored."""
        if self._done:
            return []
        if isinstance(packet, ErrorPacket):
            return self._finish(Outcome.ABORTED)
        if not isinstance(packet, Acknowledgement) or packet.block_number != self._block & 0xFFFF:
            return []
        self._acknowledged = True
        self._block += 1
        if self._block > self._last_block:
            return self._finish(Outcome.COMPLETE)
        return self._transmit_block(now)

    def handle_timer(self, now: float) -> list[Event]:
        """Sends again, or gives up, when :meth:`next_timer` has come."""
        if self._deadline is None or now < self._deadline:
            return []
        limits = self._limits
        if self._tries > (limits.retransmits if self._acknowledged else limits.retransmits_before_ack):
            return self._finish(Outcome.TIMED_OUT)
        self._retransmits += 1
        return self._repeat(now)

    def stop(self) -> list[Event]:
        """Ends the transfer and tells the client, so that it need not wait for a timeout of its own."""
        if self._done:
            return []
        return [Send(format_error(ErrorCode.NOT_DEFINED, "server stopped")), *self._finish(Outcome.STOPPED)]

    def next_timer(self) -> float | None:
        """When to call :meth:`handle_timer`; None before the start and after the end."""
        return self._deadline

    def _negotiate(self, requested: Options) -> Options:
        """Takes the options it knows whose values make sense; RFC 2347 lets a server pass over the others."""
        granted: list[tuple[str, str]] = []
        for name, text in requested:
            value = _number(text)
            if value is None:
                continue
            if name == "blksize" and 8 <= value <= 65464:
                self._blksize = min(value, self._limits.max_blksize)
                granted.append((name, str(self._blksize)))
            elif name == "timeout" and 1 <= value <= 255:
                self._client_timeout_seconds = float(value)
                granted.append((name, str(value)))
            elif name == "tsize":
                granted.append((name, str(len(self._content))))
        return tuple(granted)

    def _transmit_block(self, now: float) -> list[Event]:
        start = (self._block - 1) * self._blksize
        payload = self._content[start : start + self._blksize]
        return self._transmit(format_data(self._block & 0xFFFF, payload), now)

    def _transmit(self, packet: bytes, now: float) -> list[Event]:
        self._packet = packet
        self._tries = 0
        return self._repeat(now)

    def _repeat(self, now: float) -> list[Event]:
        if self._acknowledged and self._client_timeout_seconds:
            self._deadline = now + self._client_timeout_seconds
        else:
            limits = self._limits
            self._deadline = now + min(limits.timeout_seconds * 2**self._tries, limits.max_timeout_seconds)
        self._tries += 1
        return [Send(self._packet)]

    def _finish(self, outcome: Outcome) -> list[Event]:
        self._done = True
        self._deadline = None
        blocks = max(self._block - 1, 0)
        octets = min(blocks * self._blksize, len(self._content))
        return [Done(outcome, octets, blocks, self._retransmits)]


def _number(text: str) -> int | None:
    """A decimal number of at most ten digits: more than any option's range, and quick to read."""
    return int(text) if len(text) <= 10 and text.isascii() and text.isdigit() else None
