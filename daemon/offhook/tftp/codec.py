"""TFTP packets (RFC 1350 §5) with the option extension (RFC 2347): bytes in, value out, and back.

:func:`parse_packet` is total: any bytes give a packet or a :class:`~offhook.errors.TftpError`, in linear time.
What it raises is phrased for the wire: it never repeats what the peer sent.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from offhook.errors import TftpError

MAX_FILENAME_OCTETS: Final = 512
#: RFC 2347 keeps a whole request within 512 octets, so nothing honest is longer.

MAX_OPTIONS: Final = 16
#: RFC 2348, 2349 and 7440 define four.

_OPCODE: Final = struct.Struct("!H")
_OPCODE_AND_NUMBER: Final = struct.Struct("!HH")


class Opcode(IntEnum):
    """The first two octets of a packet: RFC 1350 §5, RFC 2347."""

    RRQ = 1
    WRQ = 2
    DATA = 3
    ACK = 4
    ERROR = 5
    OACK = 6


class ErrorCode(IntEnum):
    """RFC 1350 appendix I; 8 is RFC 2347's."""

    NOT_DEFINED = 0
    FILE_NOT_FOUND = 1
    ACCESS_VIOLATION = 2
    DISK_FULL = 3
    ILLEGAL_OPERATION = 4
    UNKNOWN_TRANSFER_ID = 5
    FILE_EXISTS = 6
    NO_SUCH_USER = 7
    OPTION_NEGOTIATION = 8


Options = tuple[tuple[str, str], ...]
#: Names in lower case (RFC 2347: case is ignored), in the order sent, each name once.


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """RRQ: the peer wants a file."""

    filename: str
    #: As sent, decoded as UTF-8 where it is that, else as ISO 8859-1; never contains NUL or a lone surrogate.
    mode: str
    #: In lower case: ``octet``, ``netascii``, or something that nobody serves.
    options: Options = ()


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """WRQ: the peer wants to store a file."""

    filename: str
    mode: str
    options: Options = ()


@dataclass(frozen=True, slots=True)
class Data:
    """DATA: one block of a file."""

    block_number: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """ACK: a block, or with number 0 an OACK, has arrived."""

    block_number: int


@dataclass(frozen=True, slots=True)
class ErrorPacket:
    """ERROR: the sender has ended the transfer."""

    code: int
    message: str


@dataclass(frozen=True, slots=True)
class OptionAcknowledgement:
    """OACK: the options that the server takes, with the values it takes them at."""

    options: Options


Packet = ReadRequest | WriteRequest | Data | Acknowledgement | ErrorPacket | OptionAcknowledgement


def parse_packet(datagram: bytes) -> Packet:
    """The packet that a datagram holds.

    Two liberties, both harmless: octets after an ACK's block number, and an ERROR without text or without the
    NUL at its end, are accepted. A request may be padded with NULs.

    :raises TftpError: code 4, for everything else that RFC 1350 and 2347 do not allow.
    """
    if len(datagram) < 4:
        raise TftpError(ErrorCode.ILLEGAL_OPERATION, "packet too short")
    opcode, number = _OPCODE_AND_NUMBER.unpack_from(datagram)
    if opcode == Opcode.ACK:
        return Acknowledgement(number)
    if opcode == Opcode.DATA:
        return Data(number, datagram[4:])
    if opcode == Opcode.RRQ:
        return ReadRequest(*_parse_request(datagram))
    if opcode == Opcode.WRQ:
        return WriteRequest(*_parse_request(datagram))
    if opcode == Opcode.ERROR:
        return ErrorPacket(number, _text(datagram[4:].partition(b"\0")[0]))
    if opcode == Opcode.OACK:
        return OptionAcknowledgement(_parse_options(_strings(datagram, 2 * MAX_OPTIONS)))
    raise TftpError(ErrorCode.ILLEGAL_OPERATION, "unknown opcode")


def format_packet(packet: Packet) -> bytes:
    """The datagram for a packet; the inverse of :func:`parse_packet`."""
    match packet:
        case Data():
            return format_data(packet.block_number, packet.payload)
        case Acknowledgement():
            return _OPCODE_AND_NUMBER.pack(Opcode.ACK, packet.block_number)
        case ErrorPacket():
            return format_error(packet.code, packet.message)
        case OptionAcknowledgement():
            return _OPCODE.pack(Opcode.OACK) + _format_strings(*packet.options)
        case ReadRequest():
            return _OPCODE.pack(Opcode.RRQ) + _format_strings((packet.filename, packet.mode), *packet.options)
        case WriteRequest():
            return _OPCODE.pack(Opcode.WRQ) + _format_strings((packet.filename, packet.mode), *packet.options)


def format_data(block_number: int, payload: bytes) -> bytes:
    """A DATA packet, without a value in between: there is one of these per block of every transfer."""
    return _OPCODE_AND_NUMBER.pack(Opcode.DATA, block_number) + payload


def format_error(code: int, message: str = "") -> bytes:
    """An ERROR packet."""
    return _OPCODE_AND_NUMBER.pack(Opcode.ERROR, code) + message.encode() + b"\0"


def _parse_request(datagram: bytes) -> tuple[str, str, Options]:
    filename, mode, *options = _strings(datagram, 2 + 2 * MAX_OPTIONS)
    if not filename or len(filename) > MAX_FILENAME_OCTETS:
        raise TftpError(ErrorCode.ILLEGAL_OPERATION, "bad file name")
    return _text(filename), _text(mode).lower(), _parse_options(options)


def _strings(datagram: bytes, limit: int) -> list[bytes]:
    """The NUL-terminated strings after the opcode: an even number, at least two and at most ``limit``."""
    if not datagram.endswith(b"\0"):
        raise TftpError(ErrorCode.ILLEGAL_OPERATION, "unterminated string")
    body = datagram[2:].rstrip(b"\0")
    strings = body.split(b"\0", limit)
    if len(strings) > limit:
        raise TftpError(ErrorCode.ILLEGAL_OPERATION, "too many options")
    if len(strings) % 2 and len(datagram) - len(body) > 3:
        strings.append(b"")  # the last value is empty, as RFC 2090's multicast option has it
    if len(strings) % 2 or not strings[0]:
        raise TftpError(ErrorCode.ILLEGAL_OPERATION, "strings do not pair")
    return strings


def _parse_options(strings: list[bytes]) -> Options:
    """Pairs of name and value; of a name that comes twice (RFC 2347 forbids it) the first counts."""
    options: dict[str, str] = {}
    for name, value in zip(strings[::2], strings[1::2], strict=True):
        options.setdefault(_text(name).lower(), _text(value))
    return tuple(options.items())


def _text(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")


def _format_strings(*pairs: tuple[str, str]) -> bytes:
    return b"".join(text.encode() + b"\0" for pair in pairs for text in pair)
