"""Where the daemon listens, and what of that it tells to people and phones."""

import errno
import os
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import structlog

from offhook import __version__
from offhook.admin.ports import Listening
from offhook.config.schema import Config
from offhook.endpoint import Endpoint, HostPort
from offhook.errors import OffhookError
from offhook.servers.admin import AdminServer, MetricsServer

log = structlog.get_logger()

Begin = Callable[[], tuple[str, int] | Awaitable[tuple[str, int]]]
#: Listens, and gives the address and port bound.

_NAMES: Final = {"sip": "SIP", "http": "HTTP", "tftp": "TFTP", "admin": "the admin API", "metrics": "/metrics"}


class CannotStart(OffhookError):
    """The daemon cannot listen where it was told to."""


class Places:
    """Everything that listens, in the order in which it began to."""

    def __init__(self) -> None:
        self.all: list[Listening] = []

    def note(self, service: str, address: str) -> None:
        """Something listens now; ``address`` is a URL."""
        self.all.append(Listening(service, address))
        log.info("server.listening", server=service, address=address)

    async def listen(self, service: str, endpoint: Endpoint, begin: Begin) -> None:
        """Begins to listen. Raises CannotStart with what to do where that is not possible."""
        try:
            begun = begin()
            host, port = await begun if isinstance(begun, Awaitable) else begun
        except OSError as error:
            raise _cannot_listen(service, endpoint, error) from None
        self.note(service, f"{endpoint.transport or service}://{HostPort(host, port)}")

    async def start(self, service: str, endpoint: Endpoint | None, server: AdminServer | MetricsServer) -> None:
        """Starts a server that knows where it listens."""
        try:
            await server.start()
        except OSError as error:
            raise _cannot_listen(service, endpoint, error) from None
        for address in server.addresses:
            self.note(service, address if "://" in address else f"http://{address}")

    def _first(self, service: str, default: str) -> str:
        return next((entry.address for entry in self.all if entry.service == service), default)

    @property
    def sip_port(self) -> int:
        """Where phones are told that the registrar is."""
        return HostPort.parse(self._first("sip", "udp://127.0.0.1:5060").partition("://")[2]).port or 5060

    def public_url(self, config: Config) -> str:
        """What provisioning URLs begin with: as configured, else an address that phones can reach."""
        if config.provisioning.public_url is not None:
            return config.provisioning.public_url
        return _reachable(self._first("http", self._first("tftp", "tftp://127.0.0.1:69")))

    def sip_proxy(self, config: Config) -> HostPort:
        """What phones are told as their outbound proxy: as configured, else an address that they can reach."""
        if config.sip.advertise is not None:
            return config.sip.advertise
        return HostPort.parse(_reachable(self._first("sip", "udp://127.0.0.1:5060")).partition("://")[2])

    def greeting(self, config_path: Path) -> str:
        """What somebody at a terminal wants to know next."""
        lines = [f"Offhook {__version__} is running. It listens on:", ""]
        lines += [f"  {entry.service:8} {entry.address}" for entry in self.all]
        if not any(entry.address.endswith(":69") for entry in self.all if entry.service == "tftp"):
            lines += [
                "",
                "Phones ask TFTP on port 69, which needs a right. To have it, set provisioning.tftp to 0.0.0.0:69 and",
                "  sudo sysctl -w net.ipv4.ip_unprivileged_port_start=69      (docs/operations.md has other ways)",
            ]
        lines += [
            "",
            "In another terminal:",
            "",
            f"  export OFFHOOK_CONFIG={config_path.resolve()} PATH={Path(sys.executable).parent}:$PATH",
            "",
            "  offhook doctor                                        is everything as it should be?",
            "  offhook apply config/inventory/first-phone.yaml       one phone, to begin with",
            "  offhook account show acme                             the URL that the phone wants",
            "",
            "Ctrl-C stops it.",
        ]
        return "\n".join(lines)


def _reachable(address: str) -> str:
    """A listener's address, with an address of this machine in place of a wildcard."""
    scheme, _, rest = address.partition("://")
    place = HostPort.parse(rest)
    if place.host in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not bound to
        place = HostPort(find_own_address(ipv6=place.host == "::"), place.port)
    return f"{scheme}://{place}"


def find_own_address(*, ipv6: bool = False) -> str:
    """The address from which this machine would reach the rest of the network; loopback where there is no network.

    Connecting a UDP socket asks the routing table and sends nothing.
    """
    family, elsewhere, loopback = (
        (socket.AF_INET6, "2000::1", "::1") if ipv6 else (socket.AF_INET, "10.255.255.255", "127.0.0.1")
    )
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((elsewhere, 9))
        except OSError:
            return loopback
        address: str = probe.getsockname()[0]
        return address


def _cannot_listen(service: str, endpoint: Endpoint | None, error: OSError) -> CannotStart:
    remedies = {
        errno.EACCES: "ports below 1024 need a right: see docs/operations.md, or choose a higher one",
        errno.EADDRINUSE: "something else listens there: stop it, or choose another port",
        errno.EADDRNOTAVAIL: "this machine has no such address: correct it",
    }
    remedy = remedies.get(error.errno or 0, "choose another address or port")
    what = _NAMES.get(service, service)
    return CannotStart(f"{what} cannot listen on {endpoint}: {os.strerror(error.errno or 0)}; {remedy}")
