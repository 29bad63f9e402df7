"""What a phone knows about one of its lines once it has read its files."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from offhook.endpoint import HostPort, Transport
from offhook.sip.message import DEFAULT_PORT

#: Names and values as the vendor writes them; those that are indexed as ``name[index]``.
Settings = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Account:
    """One SIP account, as the vendor's settings describe it."""

    index: int
    #: Counted from 1, as on the phone's own pages.
    user: str
    auth_name: str
    password: str = field(repr=False)
    registrar: HostPort
    outbound_proxy: HostPort | None
    transport: Transport
    expires_seconds: int
    display_name: str = ""
    label: str = ""

    @property
    def address_of_record(self) -> str:
        """Who registers: To and From of the REGISTER."""
        return f"sip:{self.user}@{self.registrar.host}"

    @property
    def registrar_uri(self) -> str:
        """Request-URI of the REGISTER."""
        port = self.registrar.port
        shown = HostPort(self.registrar.host, None if port == DEFAULT_PORT else port)
        return f"sip:{shown}"

    @property
    def destination(self) -> tuple[str, int]:
        """Host and port that every request goes to: the outbound proxy, else the registrar (RFC 3261 §8.1.2)."""
        next_hop = self.outbound_proxy or self.registrar
        return next_hop.host, next_hop.port or DEFAULT_PORT

    def registers_like(self, other: "Account") -> bool:
        """Whether nothing differs but what is shown on the screen."""
        return replace(self, display_name="", label="") == replace(other, display_name="", label="")

    def is_same_address(self, other: "Account") -> bool:
        """Whether both bind the same address-of-record at the same server, whatever their credentials are."""
        mine = (self.address_of_record, self.registrar_uri, self.destination, self.transport)
        return mine == (other.address_of_record, other.registrar_uri, other.destination, other.transport)
