"""Requests and responses as values, and the response that a server builds from a request (RFC 3261 §7, §8.2.6).

Header values stay text until somebody asks for them: a request that is refused early never pays for the parsing of
its Contact. What was parsed once is kept with the request.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, Self

from offhook.errors import SipError
from offhook.sip.header_names import CANONICAL_NAMES, canonical_name
from offhook.sip.headers import (
    Contact,
    CSeq,
    NameAddress,
    Via,
    parse_contacts,
    parse_expires,
    split_list,
)
from offhook.sip.status import reason_phrase

DEFAULT_PORT: Final = 5060


class Headers:
    """The header fields of a message in order, under canonical names; a name may occur several times."""

    __slots__ = ("_fields", "_first")

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: list[tuple[str, str]] = []
        self._first: dict[str, str] = {}
        for name, value in fields:
            self.add(name, value)

    @classmethod
    def from_canonical(cls, fields: list[tuple[str, str]], first: dict[str, str]) -> Self:
        """Takes over what the parser has built: the fields under canonical names, and the first value of each."""
        headers = cls.__new__(cls)
        headers._fields = fields
        headers._first = first
        return headers

    def get(self, name: str) -> str | None:
        """The first value, None where the header is absent. Values of list headers are not split."""
        value = self._first.get(name)
        return self._first.get(canonical_name(name)) if value is None else value

    def get_all(self, name: str) -> list[str]:
        """Every value in order, one per header line."""
        canonical = CANONICAL_NAMES.get(name) or canonical_name(name)
        first = self._first.get(canonical)
        if first is None:
            return []
        if len(self._first) == len(self._fields):
            return [first]
        return [value for key, value in self._fields if key == canonical]

    def add(self, name: str, value: str) -> None:
        """Appends a header line."""
        canonical = CANONICAL_NAMES.get(name) or canonical_name(name)
        self._fields.append((canonical, value))
        self._first.setdefault(canonical, value)

    def __contains__(self, name: str) -> bool:
        return (CANONICAL_NAMES.get(name) or canonical_name(name)) in self._first

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        return self._fields == other._fields if isinstance(other, Headers) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        """Names only: values hold credentials."""
        return f"Headers({', '.join(name for name, _ in self._fields)})"


@dataclass(slots=True)
class Request:
    """A request. The typed accessors parse once and raise SipError 400 for a header that is missing or malformed."""

    method: str
    uri: str
    #: As written; see :meth:`offhook.sip.uri.SipUri.parse`.
    headers: Headers
    body: bytes = field(default=b"", repr=False)
    _top_via: Via | None = field(default=None, init=False, repr=False, compare=False)
    _from: NameAddress | None = field(default=None, init=False, repr=False, compare=False)
    _to: NameAddress | None = field(default=None, init=False, repr=False, compare=False)
    _cseq: CSeq | None = field(default=None, init=False, repr=False, compare=False)
    _contacts: tuple[Contact, ...] | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def top_via(self) -> Via:
        """The first Via: who sent this to us."""
        if self._top_via is None:
            self._top_via = _top_via(self.headers)
        return self._top_via

    @property
    def from_(self) -> NameAddress:
        """The From header."""
        if self._from is None:
            self._from = _name_address(self.headers, "From")
        return self._from

    @property
    def to(self) -> NameAddress:
        """The To header."""
        if self._to is None:
            self._to = _name_address(self.headers, "To")
        return self._to

    @property
    def cseq(self) -> CSeq:
        """The CSeq header; its method must be that of the request (RFC 3261 §8.1.1.5)."""
        if self._cseq is None:
            cseq = _cseq(self.headers)
            if cseq.method != self.method:
                raise SipError(400, "CSeq method does not match request method")
            self._cseq = cseq
        return self._cseq

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return _call_id(self.headers)

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """All contacts; empty where there is no Contact header."""
        if self._contacts is None:
            self._contacts = parse_contacts(self.headers.get_all("Contact"))
        return self._contacts

    @property
    def expires(self) -> int | None:
        """The Expires header in seconds, None where absent."""
        value = self.headers.get("Expires")
        return None if value is None else parse_expires(value)

    def format(self) -> bytes:
        """The octets to send; Content-Length is added where it is missing."""
        return _format(f"{self.method} {self.uri} SIP/2.0", self.headers, self.body)

    def __bytes__(self) -> bytes:
        return self.format()


@dataclass(slots=True)
class Response:
    """A response."""

    status: int
    reason: str
    headers: Headers
    body: bytes = field(default=b"", repr=False)

    @property
    def is_local(self) -> bool:
        """Whether nobody sent it: a transaction that failed ends as if a 408 or 503 had come (RFC 3261 §8.1.3.1)."""
        return "Via" not in self.headers

    @property
    def top_via(self) -> Via:
        """The first Via: our own, in a response to us."""
        return _top_via(self.headers)

    @property
    def cseq(self) -> CSeq:
        """The CSeq header."""
        return _cseq(self.headers)

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return _call_id(self.headers)

    def format(self) -> bytes:
        """The octets to send; Content-Length is added where it is missing."""
        return _format(f"SIP/2.0 {self.status} {self.reason}", self.headers, self.body)

    def __bytes__(self) -> bytes:
        return self.format()


def build_response(
    request: Request,
    status: int,
    reason: str | None = None,
    *,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    received: tuple[str, int] | None = None,
) -> Response:
    """The response to ``request`` (RFC 3261 §8.2.6.2): every Via in order, From, To, Call-ID and CSeq are copied.

    Args:
        request: What is answered.
        status: The status code.
        reason: The reason phrase; by default that of the status.
        to_tag: Added to a To that has none, except in a 100.
        headers: Further headers.
        body: The body; its Content-Type is one of ``headers``.
        received: The address and port the request came from, which go into the top Via (§18.2.1, RFC 3581 §4).

    Raises:
        SipError: 400 where the top Via or the To cannot be read, so that no answer can be routed.
    """
    source = request.headers
    fields = [("Via", value) for value in source.get_all("Via")]
    if received is not None:
        stamped = str(stamp_source(request.top_via, *received))
        fields[0] = ("Via", ", ".join([stamped, *split_list(fields[0][1])[1:]]))
    for name in ("From", "To", "Call-ID", "CSeq"):
        value = source.get(name)
        if value is not None:
            if name == "To" and to_tag is not None and status != 100 and request.to.tag is None:
                value = f"{value};tag={to_tag}"
            fields.append((name, value))
    response_headers = Headers.from_canonical(fields, dict(reversed(fields)))
    for name, value in headers:
        response_headers.add(name, value)
    return Response(status, reason_phrase(status) if reason is None else reason, response_headers, body)


def stamp_source(via: Via, host: str, port: int) -> Via:
    """The Via with what the server saw of the sender; a ``received`` that the sender wrote itself is dropped."""
    asks_port = via.rport is not None
    parameters = [pair for pair in via.parameters if pair[0].lower() not in ("received", "rport")]
    if asks_port:
        parameters.append(("rport", str(port)))
    if asks_port or not _same_address(via.host, host):
        parameters.append(("received", host.partition("%")[0]))
    return Via(via.transport, via.host, via.port, tuple(parameters))


def _same_address(sent_by: str, source: str) -> bool:
    if sent_by == source:
        return True
    if ":" not in sent_by or ":" not in source:
        return False
    try:
        return ip_address(sent_by) == ip_address(source.partition("%")[0])
    except ValueError:
        return False


def _get_header(headers: Headers, name: str) -> str:
    value = headers.get(name)
    if not value:
        raise SipError(400, f"Missing {name} header" if value is None else f"Malformed {name} header")
    return value


def _top_via(headers: Headers) -> Via:
    value = _get_header(headers, "Via")
    try:
        return Via.parse(split_list(value)[0] if "," in value else value)
    except (SipError, IndexError):
        raise SipError(400, "Malformed Via header") from None


def _name_address(headers: Headers, name: str) -> NameAddress:
    value = _get_header(headers, name)
    try:
        return NameAddress.parse(value)
    except SipError:
        raise SipError(400, f"Malformed {name} header") from None


def _cseq(headers: Headers) -> CSeq:
    return CSeq.parse(_get_header(headers, "CSeq"))


def _call_id(headers: Headers) -> str:
    value = _get_header(headers, "Call-ID")
    if " " in value or "\t" in value:
        raise SipError(400, "Malformed Call-ID header")
    return value


def _format(start_line: str, headers: Headers, body: bytes) -> bytes:
    lines = [start_line, *[f"{name}: {value}" for name, value in headers]]
    if "Content-Length" not in headers:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise ValueError("a header value holds a line break; take it out before it is put into a message")
    return f"{head}\r\n\r\n".encode() + body
