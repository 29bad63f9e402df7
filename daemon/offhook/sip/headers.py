"""Header fields and the structured values inside them, RFC 3261 §7.3 and §20.

Each value class has ``parse()`` and a ``__str__`` that is its inverse. Parameter values stay as they were written,
quotes included; ``parameter()`` gives them without. Every function here is linear in its input: the patterns are
possessive, so none of them goes back over what it has read.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self

from offhook.errors import SipError
from offhook.sip.header_names import is_token
from offhook.sip.uri import parse_host_port

MAX_CONTACTS: Final = 16
MAX_VIAS: Final = 8
MAX_EXPIRES: Final = 2**32 - 1
DEFAULT_EXPIRES: Final = 3600

Parameters = tuple[tuple[str, str | None], ...]

_COMMON_PARAMETERS: Final = frozenset(
    {"branch", "expires", "lr", "maddr", "q", "received", "reg-id", "rport", "tag", "+sip.instance"}
)
_PROTOCOLS: Final = {f"SIP/2.0/{transport}": transport for transport in ("UDP", "TCP", "TLS", "WS", "WSS")}

_AUTH_NAMES: Final = {
    space + name: name
    for space in ("", " ")
    for name in ("username", "realm", "nonce", "uri", "response", "algorithm", "cnonce", "opaque", "qop", "nc")
}

_QUOTED: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_LIST_ITEM: Final = re.compile(rf'(?:[^",<]++|{_QUOTED}|<[^<>]*+>)*+')
_PARAMETER: Final = re.compile(rf'(?:[^";]++|{_QUOTED})*+')
_QUOTED_PREFIX: Final = re.compile(rf"({_QUOTED})[ \t]*+")
_ESCAPED: Final = re.compile(r"\\(.)")
_AUTH_PARAMETER: Final = re.compile(
    rf"[ \t,]*+([A-Za-z0-9\-.!%*_+`'~]++)[ \t]*+=[ \t]*+(?:({_QUOTED})|([^\s,\"]++))[ \t]*+(?:,[ \t,]*+|$)"
)
_VIA_PROTOCOL: Final = re.compile(r"SIP[ \t]*+/[ \t]*+2\.0[ \t]*+/[ \t]*+([A-Za-z0-9\-.!%*_+`'~]++)[ \t]++", re.I)
_URI: Final = re.compile(r'[A-Za-z][A-Za-z0-9+\-.]*+:[^\x00-\x20\x7f<>"]*+')


def quote_string(text: str) -> str:
    """A quoted-string, RFC 3261 §25.1."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote_string(text: str) -> str:
    """The text inside a quoted-string; anything else unchanged."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner


def split_list(value: str) -> list[str]:
    """The elements of a comma-separated list; commas in quotes and in angle brackets do not count.

    Raises:
        SipError: 400 for a quote or bracket that is not closed.
    """
    if "," not in value:
        return [value.strip(" \t")]
    return [item for item in _split(value, _LIST_ITEM, ",") if item]


def parse_parameters(text: str) -> Parameters:
    """The ``;name=value`` pairs of a header, in order; the value of a parameter without ``=`` is None.

    Raises:
        SipError: 400 for a name that is not a token or a quote that is not closed.
    """
    parameters: list[tuple[str, str | None]] = []
    for piece in _split(text, _PARAMETER, ";") if '"' in text else text.split(";"):
        if not piece:
            continue
        name, equals, value = piece.partition("=")
        if name not in _COMMON_PARAMETERS:
            name = name.strip(" \t")
            if not is_token(name):
                if name or equals:
                    raise SipError(400, "Malformed header parameter")
                continue
        parameters.append((name, value.strip(" \t") if equals else None))
    return tuple(parameters)


def format_parameters(parameters: Parameters) -> str:
    """The inverse of :func:`parse_parameters`, with the leading semicolon."""
    return "".join([f";{name}" if value is None else f";{name}={value}" for name, value in parameters])


def find_parameter(parameters: Parameters, name: str) -> str | None:
    """The first parameter of that name without its quotes, ``""`` where it has no value; ``name`` in lower case."""
    for key, value in parameters:
        if key == name or key.lower() == name:
            if value is None:
                return ""
            return unquote_string(value) if value[:1] == '"' else value
    return None


def parse_auth_parameters(text: str) -> dict[str, str]:
    """The ``name=value, …`` of a challenge or of credentials after the scheme; names in lower case, values unquoted.

    Raises:
        SipError: 400 for anything that is not such a list, and for a name given twice.
    """
    if "\\" in text:
        return _parse_unusual_auth_parameters(text)
    parameters: dict[str, str] = {}
    for piece in text.split(","):
        written, _, value = piece.partition("=")
        name = _AUTH_NAMES.get(written)
        if name is None:
            name = written.strip(" \t").lower()
            if not name.isalnum():
                return _parse_unusual_auth_parameters(text)
        if value[:1] == '"' == value[-1:] and len(value) > 1:
            value = value[1:-1]
            if '"' in value:
                return _parse_unusual_auth_parameters(text)
        elif not value.isalnum():
            return _parse_unusual_auth_parameters(text)
        if name in parameters:
            raise SipError(400, "Repeated authentication parameter")
        parameters[name] = value
    return parameters


def _parse_unusual_auth_parameters(text: str) -> dict[str, str]:
    """The same for a list with commas or escapes in quotes, names that are not letters, or faults."""
    parameters: dict[str, str] = {}
    position = 0
    while position < len(text):
        match = _AUTH_PARAMETER.match(text, position)
        if match is None:
            raise SipError(400, "Malformed authentication parameters")
        name, quoted, token = match.groups()
        name = name.lower()
        if name in parameters:
            raise SipError(400, "Repeated authentication parameter")
        parameters[name] = token if quoted is None else unquote_string(quoted)
        position = match.end()
    return parameters


def parse_expires(text: str) -> int:
    """Seconds of an Expires header or ``expires`` parameter.

    A malformed value counts as 3600 (RFC 3261 §10.2.1), a larger one than 2**32-1 as that (§20.19).
    """
    digits = text.strip(" \t")
    if not digits.isascii() or not digits.isdecimal():
        return DEFAULT_EXPIRES
    digits = digits.lstrip("0") or "0"
    return MAX_EXPIRES if len(digits) > 10 else min(int(digits), MAX_EXPIRES)


@dataclass(frozen=True, slots=True)
class NameAddress:
    """The value of From, To, Contact, Route and the like: ``"display name" <uri>;parameters``."""

    display_name: str
    #: Without quotes and escapes; empty where there is none.
    uri: str
    #: As it was written; of any scheme, and not yet checked beyond that.
    parameters: Parameters = ()
    #: Of the header, not of the URI, in order; values as written, quotes included.

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads a name-addr or an addr-spec.

        Without angle brackets, what follows a semicolon is a parameter of the header, and a question mark or comma
        must not occur (RFC 3261 §20.10).

        Raises:
            SipError: 400.
        """
        display_name, uri, rest = _split_name_address(text)
        return cls(display_name, uri, parse_parameters(rest) if rest else ())

    def __str__(self) -> str:
        display_name = f"{quote_string(self.display_name)} " if self.display_name else ""
        return f"{display_name}<{self.uri}>{format_parameters(self.parameters)}"

    def parameter(self, name: str) -> str | None:
        """The first parameter of that name without its quotes, ``""`` where it has no value, None where absent."""
        return find_parameter(self.parameters, name.lower())

    @property
    def tag(self) -> str | None:
        """The ``tag`` parameter of a From or To."""
        return find_parameter(self.parameters, "tag")


@dataclass(frozen=True, slots=True)
class Contact(NameAddress):
    """One element of a Contact header: an address, or the ``*`` of a REGISTER that removes everything."""

    is_wildcard: bool = False

    @property
    def expires(self) -> int | None:
        """The ``expires`` parameter in seconds, None where absent."""
        value = find_parameter(self.parameters, "expires")
        return None if value is None else parse_expires(value)

    def __str__(self) -> str:
        return "*" if self.is_wildcard else NameAddress.__str__(self)


def parse_contacts(values: Iterable[str]) -> tuple[Contact, ...]:
    """Every contact of all Contact headers of a message, in order.

    Raises:
        SipError: 400, also for more than :data:`MAX_CONTACTS`.
    """
    contacts: list[Contact] = []
    for value in values:
        for item in split_list(value):
            if len(contacts) == MAX_CONTACTS:
                raise SipError(400, "Too many contacts")
            if item == "*":
                contacts.append(Contact("", "*", (), is_wildcard=True))
            else:
                display_name, uri, rest = _split_name_address(item)
                contacts.append(Contact(display_name, uri, parse_parameters(rest) if rest else ()))
    return tuple(contacts)


@dataclass(frozen=True, slots=True)
class Via:
    """One element of a Via header, RFC 3261 §20.42."""

    transport: str
    #: As written, usually upper case.
    host: str
    #: Lower case; an IPv6 literal without its brackets.
    port: int | None
    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads one element.

        Raises:
            SipError: 400.
        """
        protocol, _, remainder = text.partition(" ")
        transport = _PROTOCOLS.get(protocol)
        if transport is None:
            match = _VIA_PROTOCOL.match(text)
            if match is None:
                raise SipError(400, "Malformed Via header")
            transport = match[1]
            remainder = text[match.end() :]
        address, _, rest = remainder.partition(";")
        if " " in address or "\t" in address:
            before, colon, port_text = address.strip(" \t").rpartition(":")
            address = before.rstrip(" \t") + colon + port_text.lstrip(" \t")
        host, port = parse_host_port(address)
        return cls(transport, host, port, parse_parameters(rest) if rest else ())

    def __str__(self) -> str:
        return f"SIP/2.0/{self.transport} {self.sent_by}{format_parameters(self.parameters)}"

    @property
    def sent_by(self) -> str:
        """``host[:port]`` as the sender names itself."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def branch(self) -> str | None:
        """The transaction's name, RFC 3261 §8.1.1.7."""
        return find_parameter(self.parameters, "branch")

    @property
    def received(self) -> str | None:
        """The source address that a server on the way has seen, RFC 3261 §18.2.1."""
        return find_parameter(self.parameters, "received")

    @property
    def rport(self) -> str | None:
        """The source port, ``""`` where the client only asks for it (RFC 3581 §3)."""
        return find_parameter(self.parameters, "rport")


@dataclass(frozen=True, slots=True)
class CSeq:
    """The value of CSeq: a number and a method."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``number method``.

        Raises:
            SipError: 400, also for a number beyond 32 bits (RFC 3261 §8.1.1.5).
        """
        digits, _, method = text.partition(" ")
        if not method.isalpha():
            digits, _, method = text.replace("\t", " ").partition(" ")
            method = method.strip(" ")
        if len(digits) > 10 or not digits.isascii() or not digits.isdecimal() or not is_token(method):
            raise SipError(400, "Malformed CSeq header")
        number = int(digits)
        if number >= 2**32:
            raise SipError(400, "Malformed CSeq header")
        return cls(number, method)

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


def _split(text: str, item: re.Pattern[str], separator: str) -> list[str]:
    pieces: list[str] = []
    position = 0
    while True:
        match = item.match(text, position)
        position = match.end() if match else position
        pieces.append(match[0].strip(" \t") if match else "")
        if position == len(text):
            return pieces
        if text[position] != separator:
            raise SipError(400, "Unbalanced quotes or brackets in header")
        position += 1


def _split_name_address(text: str) -> tuple[str, str, str]:
    """Display name, URI, and the text of the parameters after it."""
    display_name, bracket, remainder = text.partition("<")
    if '"' in display_name:
        display_name, bracket, remainder = _split_quoted_name(text)
    elif display_name:
        display_name = display_name.strip(" \t")
    if bracket:
        uri, closed, rest = remainder.partition(">")
        if rest and rest[0] != ";":
            rest = rest.lstrip(" \t")
        if not closed or (rest and rest[0] != ";"):
            raise SipError(400, "Malformed address")
    else:
        display_name = ""
        uri, _, rest = text.partition(";")
        uri = uri.strip(" \t")
        if "?" in uri or "," in uri:
            raise SipError(400, "Address with headers needs angle brackets")
    if not _URI.fullmatch(uri):
        raise SipError(400, "Malformed address")
    return display_name, uri, rest


def _split_quoted_name(text: str) -> tuple[str, str, str]:
    """What ``text.partition("<")`` would give if it knew about quotes, the display name without them."""
    if text[0] != '"':
        return "", "", ""
    match = _QUOTED_PREFIX.match(text)
    if match is None or not text.startswith("<", match.end()):
        raise SipError(400, "Malformed address")
    return unquote_string(match[1]), "<", text[match.end() + 1 :]
