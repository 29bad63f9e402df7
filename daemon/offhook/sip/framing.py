"""Cuts messages out of a byte stream, RFC 3261 §18.3 and RFC 5626 §4.4.1.

The framer only looks for the end of the headers and for Content-Length. It refuses what it will not hold as soon as
it sees it, before the rest has arrived; what it holds is bounded by the two limits.
"""

import re
from dataclasses import dataclass
from typing import Final

from offhook.errors import SipError
from offhook.sip.parser import MAX_HEAD_BYTES, parse_content_length

_CONTENT_LENGTH: Final = re.compile(rb"\r\n(?:content-length|l)[ \t]*+:([^\r\n]*+(?:\r\n[ \t]++[^\r\n]*+)*+)", re.I)
_LINE_ENDS: Final = (b"", b"\r", b"\r\n", b"\r\n\r")


@dataclass(frozen=True, slots=True)
class FramingLimits:
    """How much one connection may make the framer hold."""

    head_bytes: int = MAX_HEAD_BYTES
    body_bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class MessageFrame:
    """One whole message, to be given to :func:`offhook.sip.parser.parse_message` with ``max_bytes=len(data)``."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Ping:
    """A CRLF CRLF between messages, to be answered with one CRLF (RFC 5626 §4.4.1)."""


@dataclass(frozen=True, slots=True)
class FramingError:
    """Where the next message ends is unknown: answer ``status`` if ``head`` allows it, and close the connection.

    Always the last event of a stream.
    """

    status: int
    reason: str
    head: bytes
    #: The headers of the message that cannot be framed, with their empty line; where they are too long, the whole
    #: lines among what is held of them.


FramingEvent = MessageFrame | Ping | FramingError


class StreamFramer:
    """Octets in, frames out. One for each connection."""

    def __init__(self, limits: FramingLimits | None = None) -> None:
        self._limits = limits or FramingLimits()
        self._buffer = bytearray()
        self._searched = 0
        self._message_length: int | None = None
        self._failed = False

    @property
    def pending(self) -> int:
        """Octets of a message that has begun and is not complete."""
        return 0 if len(self._buffer) < 4 and bytes(self._buffer) in _LINE_ENDS else len(self._buffer)

    def feed(self, data: bytes) -> list[FramingEvent]:
        """Takes what was read and gives what became complete; nothing more after a :class:`FramingError`."""
        if self._failed:
            return []
        self._buffer += data
        events: list[FramingEvent] = []
        while (event := self._next_event()) is not None:
            events.append(event)
            if isinstance(event, FramingError):
                self._failed = True
                self._buffer.clear()
                break
        return events

    def _next_event(self) -> FramingEvent | None:
        buffer = self._buffer
        if self._message_length is None:
            if not self._searched:
                while (start := bytes(buffer[:4])) in _LINE_ENDS or start.startswith(b"\r\n"):
                    if start == b"\r\n\r\n":
                        del buffer[:4]
                        return Ping()
                    if start in _LINE_ENDS:
                        return None
                    del buffer[:2]
            error = self._find_message_length()
            if error is not None:
                return error
        length = self._message_length
        if length is None or len(buffer) < length:
            return None
        frame = MessageFrame(bytes(buffer[:length]))
        del buffer[:length]
        self._searched = 0
        self._message_length = None
        return frame

    def _find_message_length(self) -> FramingError | None:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        if end < 0 or end > self._limits.head_bytes:
            self._searched = len(buffer)
            if len(buffer) >= self._limits.head_bytes + 4:
                whole_lines = buffer.rfind(b"\r\n", 0, self._limits.head_bytes) + 2
                return FramingError(513, "Message Too Large", bytes(buffer[:whole_lines]) if whole_lines > 1 else b"")
            return None
        head = bytes(buffer[: end + 4])
        try:
            body_length = self._parse_body_length(head)
        except SipError as error:
            return FramingError(error.status, error.reason, head)
        self._message_length = len(head) + body_length
        return None

    def _parse_body_length(self, head: bytes) -> int:
        values = _CONTENT_LENGTH.findall(head)
        if not values:
            raise SipError(400, "Missing Content-Length header")
        if len(values) > 1:
            raise SipError(400, "Repeated Content-Length header")
        length = parse_content_length(values[0].decode("latin-1").strip(" \t\r\n"))
        if length > self._limits.body_bytes:
            raise SipError(413, "Request Entity Too Large")
        return length
