"""Octets to messages, RFC 3261 §7 and §25.

:func:`parse_message` is total: it gives a message or raises :class:`~offhook.errors.SipError`. It reads what the
grammar allows and little beyond. Two readings of one message are how requests are smuggled past a proxy, so bare line
ends, control characters and repeated single headers are refused, never repaired.
"""

import re
from typing import Final

from offhook.errors import SipError
from offhook.sip.header_names import CANONICAL_NAMES, canonical_name, is_token
from offhook.sip.headers import MAX_VIAS, CSeq, split_list
from offhook.sip.message import Headers, Request, Response

MAX_DATAGRAM_BYTES: Final = 16 * 1024
MAX_HEAD_BYTES: Final = 16 * 1024
MAX_HEADERS: Final = 128
MAX_HEADER_LENGTH: Final = 8 * 1024
MAX_URI_LENGTH: Final = 2048

#: Headers that a message has once (RFC 3261 §7.3.1); a second one leaves open which counts.
SINGLE_HEADERS: Final = frozenset(
    {
        "Call-ID",
        "Content-Disposition",
        "Content-Length",
        "Content-Type",
        "CSeq",
        "Date",
        "Event",
        "Expires",
        "From",
        "Max-Forwards",
        "MIME-Version",
        "Min-Expires",
        "Subscription-State",
        "To",
    }
)

_HEADER_TOO_LARGE: Final = f"Header Too Large (At Most {MAX_HEADER_LENGTH} Characters)"
#: A message within the size that was configured can still hold one; the one who reads the answer shall know which.
_ANSWER_HEADERS: Final = ("Via", "From", "To", "Call-ID", "CSeq")
_CONTROLS: Final = bytes([*range(9), *range(10, 32), 127])
_CONTROL_CHARACTERS: Final = _CONTROLS.decode()
_FOLD: Final = re.compile(r"\r\n[ \t]++")
_URI_END: Final = re.compile(r'[<>"\\]')
_CONTENT_LENGTH_DIGITS: Final = 9


class MalformedRequest(SipError):
    """A request that cannot be processed.

    ``request`` holds its Via, From, To, Call-ID and CSeq where all of them could be read, so that it can be
    answered; else it is None, and the request can only be dropped.
    """

    def __init__(self, status: int, reason: str, request: Request | None) -> None:
        super().__init__(status, reason)
        self.request = request


def parse_message(data: bytes, *, max_bytes: int = MAX_DATAGRAM_BYTES) -> Request | Response:
    """Reads one message: a datagram, or a frame that :class:`~offhook.sip.framing.StreamFramer` has cut out.

    Octets after Content-Length are ignored (RFC 3261 §18.3), empty lines before the start line too (§7.5).

    Raises:
        MalformedRequest: for a request, with what to answer.
        SipError: for a response, and for what is neither.
    """
    if data[:2] == b"\r\n":
        data = data.lstrip(b"\r\n")
    end = data.find(b"\r\n\r\n")
    head_bytes = data if end < 0 else data[:end]
    try:
        if len(data) > max_bytes or len(head_bytes) > MAX_HEAD_BYTES:
            raise SipError(513, "Message Too Large")
        if end < 0:
            raise SipError(400, "Missing end of headers")
        lines = _split_lines(head_bytes)
        fields, first = _parse_fields(lines)
        body = _cut_body(data, end + 4, first.get("Content-Length"))
        start_line = lines[0]
        headers = Headers.from_canonical(fields, first)
        if start_line[:4].upper() == "SIP/":
            status, reason = _parse_status_line(start_line)
            return Response(status, reason, headers, body)
        method, uri = _parse_request_line(start_line)
        return Request(method, uri, headers, body)
    except SipError as error:
        if head_bytes[:4].upper() == b"SIP/":
            raise
        raise MalformedRequest(error.status, error.reason, _salvage(head_bytes[:MAX_HEAD_BYTES])) from None


def _decode(head: bytes) -> str:
    """UTF-8 as RFC 3261 §7 wants it; ISO 8859-1 where it is not, as in the display names of older phones."""
    try:
        return head.decode()
    except UnicodeDecodeError:
        return head.decode("latin-1")


def _split_lines(head: bytes) -> list[str]:
    text = _decode(head)
    lines = text.split("\r\n")
    ends = len(lines) - 1
    if len(head) - len(head.translate(None, _CONTROLS)) != 2 * ends:
        raise SipError(400, "Control character or bare line end in message")
    if ends > MAX_HEADERS:
        raise SipError(400, "Too many headers")
    if len(text) > MAX_HEADER_LENGTH and max(map(len, lines)) > MAX_HEADER_LENGTH:
        raise SipError(513, _HEADER_TOO_LARGE)
    return lines


def _unfold(lines: list[str]) -> list[str]:
    """Joins lines that begin with white space to the header before them (RFC 3261 §7.3.1)."""
    unfolded = lines[:1]
    for line in lines[1:]:
        if line[:1] not in (" ", "\t"):
            unfolded.append(line)
        elif len(unfolded) == 1:
            raise SipError(400, "Folded start line")
        else:
            unfolded[-1] += " " + line.lstrip(" \t")
            if len(unfolded[-1]) > MAX_HEADER_LENGTH:
                raise SipError(513, _HEADER_TOO_LARGE)
    return unfolded


def _parse_fields(lines: list[str]) -> tuple[list[tuple[str, str]], dict[str, str]]:
    fields: list[tuple[str, str]] = []
    first: dict[str, str] = {}
    known = CANONICAL_NAMES
    relayed = False
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        canonical = known.get(name)
        if canonical is None:
            if line[:1] in (" ", "\t"):
                return _parse_fields(_unfold(lines))
            if not colon:
                raise SipError(400, "Header without a colon")
            canonical = canonical_name(name.rstrip(" \t"))
        value = value.strip(" \t")
        if canonical not in first:
            first[canonical] = value
        elif canonical in SINGLE_HEADERS:
            raise SipError(400, f"Repeated {canonical} header")
        elif canonical == "Via":
            relayed = True
        fields.append((canonical, value))
    if relayed or "," in first.get("Via", ""):
        vias = [value for canonical, value in fields if canonical == "Via"]
        if len(vias) > MAX_VIAS or sum(len(split_list(value)) for value in vias) > MAX_VIAS:
            raise SipError(400, "Too many Via headers")
    return fields, first


def parse_content_length(text: str) -> int:
    """The value of Content-Length.

    Raises:
        SipError: 400 for anything but digits, 413 for more of them than any body has octets.
    """
    if not text.isascii() or not text.isdecimal():
        raise SipError(400, "Malformed Content-Length header")
    digits = text.lstrip("0")
    if len(digits) > _CONTENT_LENGTH_DIGITS:
        raise SipError(413, "Request Entity Too Large")
    return int(digits or "0")


def _cut_body(data: bytes, start: int, content_length: str | None) -> bytes:
    if content_length is None:
        return data[start:]
    length = parse_content_length(content_length)
    if start + length > len(data):
        raise SipError(400, "Body shorter than Content-Length")
    return data[start : start + length]


def _parse_status_line(line: str) -> tuple[int, str]:
    version, _, rest = line.partition(" ")
    code, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0":
        raise SipError(505, "Version Not Supported")
    if len(code) != 3 or not code.isascii() or not code.isdecimal() or not 100 <= int(code) <= 699:
        raise SipError(400, "Malformed status line")
    return int(code), reason


def _parse_request_line(line: str) -> tuple[str, str]:
    parts = line.split(" ")
    version = parts[-1]
    if version != "SIP/2.0" and version.upper() != "SIP/2.0":
        if len(parts) == 3 and version[:4].upper() == "SIP/":
            raise SipError(505, "Version Not Supported")
        raise SipError(400, "Malformed request line")
    if len(parts) != 3:
        raise SipError(400, "Malformed request line")
    method, uri, _ = parts
    if not is_token(method) or ":" not in uri or "\t" in uri or _URI_END.search(uri):
        raise SipError(400, "Malformed request line")
    if len(uri) > MAX_URI_LENGTH:
        raise SipError(414, "Request-URI Too Long")
    return method, uri


def _salvage(head: bytes) -> Request | None:
    """What of a broken request its error answer needs, or None."""
    text = _FOLD.sub(" ", _decode(head))
    lines = text.split("\r\n")
    fields: list[tuple[str, str]] = []
    for line in lines[1 : MAX_HEADERS + 1]:
        name, _, value = line.partition(":")
        canonical = CANONICAL_NAMES.get(name.rstrip(" \t"))
        if canonical in _ANSWER_HEADERS:
            value = value.strip(" \t")
            if len(value) > MAX_HEADER_LENGTH or any(control in value for control in _CONTROL_CHARACTERS):
                return None
            fields.append((canonical, value))
    if len({name for name, _ in fields}) != len(_ANSWER_HEADERS):
        return None
    method, _, rest = lines[0].partition(" ")
    request = Request(method, rest.partition(" ")[0], Headers(fields))
    try:
        if sum(name == "Via" for name, _ in fields) > MAX_VIAS:
            return None
        _ = (request.top_via, request.from_, request.to, request.call_id, CSeq.parse(request.headers.get("CSeq") or ""))
    except SipError:
        return None
    return request
