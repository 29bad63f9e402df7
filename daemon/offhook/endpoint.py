"""Where something listens, and what others are told to connect to."""

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

_PORT: Final = re.compile(r"[0-9]{1,5}", re.ASCII)
_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?", re.ASCII)


class Transport(StrEnum):
    """What carries the bytes."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to listen on, such as ``udp://0.0.0.0:5060``, ``tcp://[::]:5060`` or ``0.0.0.0:8080``."""

    transport: Transport | None
    #: None where the text has no scheme, because only one transport is possible.
    host: str
    #: An IP address in its canonical form, without brackets.
    port: int
    #: 0 lets the system choose.

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads an endpoint; raises ValueError saying what is wrong with it."""
        scheme, separator, rest = text.rpartition("://")
        transport = None
        if separator:
            try:
                transport = Transport(scheme)
            except ValueError:
                raise ValueError(f"{scheme!r} is no transport; write udp://, tcp:// or tls://") from None
        host, port = _split(rest)
        if port is None:
            raise ValueError(f"{text!r} has no port; write address:port")
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            raise ValueError(
                f"{host!r} is no IP address; listen on an address of this machine, or on 0.0.0.0 or [::] for all"
            ) from None
        return cls(transport, str(address), port)

    def __str__(self) -> str:
        scheme = f"{self.transport}://" if self.transport else ""
        return f"{scheme}{_bracket(self.host)}:{self.port}"

    @property
    def is_wildcard(self) -> bool:
        """Whether it stands for all addresses of the machine."""
        return ipaddress.ip_address(self.host).is_unspecified

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ipaddress.ip_address(self.host).is_loopback


@dataclass(frozen=True, slots=True)
class HostPort:
    """A name or address that others are told, with or without a port: ``pbx.acme.test``, ``[2001:470::1]:5060``."""

    host: str
    #: A host name in lower case, or an IP address in its canonical form, without brackets.
    port: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``host[:port]``; raises ValueError saying what is wrong with it."""
        host, port = _split(text)
        if port == 0:
            raise ValueError("port 0 cannot be connected to; write a port from 1 to 65535")
        try:
            return cls(str(ipaddress.ip_address(host)), port)
        except ValueError:
            if "[" in text or re.fullmatch(r"[0-9.]+", host) or len(host) > 253 or not _HOST_NAME.fullmatch(host):
                raise ValueError(f"{text!r} is neither a host name nor an IP address, with or without :port") from None
        return cls(host.lower(), port)

    def __str__(self) -> str:
        return _bracket(self.host) if self.port is None else f"{_bracket(self.host)}:{self.port}"


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _split(text: str) -> tuple[str, int | None]:
    """Host without brackets, and port. An IPv6 address with a port must have brackets (RFC 3986 §3.2.2)."""
    if text.startswith("["):
        host, separator, rest = text[1:].partition("]")
        if not separator or ":" not in host or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is no address; an IPv6 address is written [::1]:port")
        port = rest[1:] if rest else None
    elif text.count(":") > 1:
        raise ValueError(f"{text!r} needs brackets around its IPv6 address: [address]:port")
    else:
        host, separator, rest = text.partition(":")
        port = rest if separator else None
    if port is None:
        return host, None
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise ValueError(f"{port!r} is no port; write a number up to 65535")
    return host, int(port)
