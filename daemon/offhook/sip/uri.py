"""SIP and SIPS URIs, RFC 3261 §19.1.

A :class:`SipUri` keeps every part as it was written, escapes included, so that ``str()`` gives a URI back that a
phone recognises as its own. Comparison (§19.1.4) and the address-of-record (§10.3 step 5) look through the escapes.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import Final, Self
from urllib.parse import quote, unquote_to_bytes

from offhook.errors import SipError

#: What no part of a URI may hold, however lenient: it would end the URI in a header, or hide something in a log.
_FORBIDDEN: Final = re.compile(r'[\x00-\x20\x7f<>"\\]|%(?![0-9A-Fa-f]{2})')
_HOSTNAME: Final = re.compile(r"[A-Za-z0-9._\-]++")
_IPV6: Final = re.compile(r"[0-9A-Fa-f:.]++")
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_USER_UNRESERVED: Final = "-_.!~*'()&=+$,;?/"
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()")
_NEVER_DEFAULTED: Final = frozenset({"user", "ttl", "method", "maddr"})


@dataclass(frozen=True, slots=True)
class SipUri:
    """One ``sip:`` or ``sips:`` URI, as it was written."""

    scheme: str
    #: ``sip`` or ``sips``.
    user: str | None
    password: str | None
    #: Still escaped; None where there is no ``@`` or no ``:`` before it.
    host: str
    #: Lower case; an IPv6 literal without its brackets.
    port: int | None
    parameters: tuple[tuple[str, str | None], ...]
    #: In order, still escaped; a parameter without ``=`` has the value None.
    headers: str | None
    #: What follows ``?``, still escaped.

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads a SIP or SIPS URI.

        Raises:
            SipError: 416 for another scheme (RFC 3261 §8.2.2.1), 400 for anything that is not a URI.
        """
        scheme, colon, rest = text.partition(":")
        if scheme != "sip":
            scheme = scheme.lower()
            if not colon or not scheme.isascii() or not scheme.replace("+", "a").replace("-", "a").isalnum():
                raise SipError(400, "Malformed URI")
            if scheme not in ("sip", "sips"):
                raise SipError(416, "Unsupported URI Scheme")
        if _FORBIDDEN.search(rest):
            raise SipError(400, "Malformed URI")
        user = password = headers = None
        userinfo, at, address = rest.partition("@")
        if at:
            if "@" in address:
                raise SipError(400, "Malformed URI")
            user, has_password, password_text = userinfo.partition(":")
            password = password_text if has_password else None
        else:
            address = rest
        if "?" in address:
            address, _, headers = address.partition("?")
        address, _, parameter_text = address.partition(";")
        host, port = parse_host_port(address)
        parameters = _parse_parameters(parameter_text) if parameter_text else ()
        return cls(scheme, user, password, host, port, parameters, headers)

    def __str__(self) -> str:
        userinfo = ""
        if self.user is not None:
            userinfo = f"{self.user}@" if self.password is None else f"{self.user}:{self.password}@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        parameters = "".join(f";{name}" if value is None else f";{name}={value}" for name, value in self.parameters)
        headers = "" if self.headers is None else f"?{self.headers}"
        return f"{self.scheme}:{userinfo}{host}{port}{parameters}{headers}"

    def parameter(self, name: str) -> str | None:
        """The value of the first parameter of that name, ``""`` if it has none, None if it is absent."""
        wanted = name.lower()
        for key, value in self.parameters:
            if key.lower() == wanted:
                return value or ""
        return None

    def matches(self, other: "SipUri") -> bool:
        """Whether both are the same URI by the rules of RFC 3261 §19.1.4, which are not those of equal text.

        The relation is not transitive: a parameter that only one URI has is ignored unless it is one of four.
        """
        return (
            self.scheme == other.scheme
            and self.port == other.port
            and _comparable_host(self.host) == _comparable_host(other.host)
            and _comparable(self.user) == _comparable(other.user)
            and _comparable(self.password) == _comparable(other.password)
            and self._parameters_match(other)
            and _comparable_headers(self.headers) == _comparable_headers(other.headers)
        )

    def _parameters_match(self, other: "SipUri") -> bool:
        mine, theirs = _comparable_parameters(self.parameters), _comparable_parameters(other.parameters)
        for name in mine.keys() | theirs.keys():
            if name in mine and name in theirs:
                if mine[name] != theirs[name]:
                    return False
            elif name in _NEVER_DEFAULTED:
                return False
        return True

    def address_of_record(self) -> str:
        """The canonical ``sip:user@host`` under which bindings are kept (RFC 3261 §10.3 step 5).

        Parameters, password and port are dropped and escapes are brought to one form. ``sips:`` names the same
        resource as ``sip:`` (RFC 5630), so it gives the same text.
        """
        host = _comparable_host(self.host)
        if ":" in host:
            host = f"[{host}]"
        return f"sip:{host}" if self.user is None else f"sip:{canonical_user(self.user)}@{host}"


def canonical_user(user: str) -> str:
    """The user part with every needless escape undone and every needed one written as upper-case ``%HH``."""
    if user.isascii() and user.isalnum():
        return user
    return quote(unquote_to_bytes(user), safe=_USER_UNRESERVED)


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Splits ``host[:port]``; the host comes back in lower case, an IPv6 literal without its brackets.

    Raises:
        SipError: 400.
    """
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or not _IPV6.fullmatch(host) or (rest and rest[0] != ":"):
            raise SipError(400, "Malformed host")
        colon, port_text = rest[:1], rest[1:]
    else:
        host, colon, port_text = text.partition(":")
        if not _HOSTNAME.fullmatch(host):
            raise SipError(400, "Malformed host")
    if not colon:
        return host.lower(), None
    if len(port_text) > 5 or not port_text.isdecimal() or not port_text.isascii() or not 0 < int(port_text) < 65536:
        raise SipError(400, "Malformed port")
    return host.lower(), int(port_text)


def _parse_parameters(text: str) -> tuple[tuple[str, str | None], ...]:
    parameters: list[tuple[str, str | None]] = []
    for piece in text.split(";"):
        name, equals, value = piece.partition("=")
        if name:
            parameters.append((name, value if equals else None))
        elif equals:
            raise SipError(400, "Malformed URI")
    return tuple(parameters)


def _unescape_unreserved(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if character in _UNRESERVED else match[0].upper()


def _comparable(part: str | None) -> str | None:
    """A part with the escapes of unreserved characters undone: only those equal their escape (§19.1.4)."""
    return part if part is None or "%" not in part else _ESCAPE.sub(_unescape_unreserved, part)


@lru_cache(maxsize=1024)
def _comparable_host(host: str) -> str:
    """An IPv6 literal in its one canonical form (RFC 5954 §4.2); a name or anything else unchanged."""
    if ":" not in host:
        return host
    try:
        return str(IPv6Address(host))
    except AddressValueError:
        return host


def _comparable_parameters(parameters: tuple[tuple[str, str | None], ...]) -> dict[str, str]:
    return {
        (_comparable(name) or "").lower(): (_comparable(value) or "").lower() for name, value in reversed(parameters)
    }


def _comparable_headers(headers: str | None) -> list[tuple[str, str]]:
    if not headers:
        return []
    pairs = (piece.partition("=") for piece in headers.split("&"))
    return sorted(((_comparable(name) or "").lower(), _comparable(value) or "") for name, _, value in pairs)
