"""The configuration, a class per section. What a value means stands in ``config/offhook.yaml``, beside its default."""

import ipaddress
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    model_validator,
)

from offhook.endpoint import Endpoint, HostPort, Transport
from offhook.observability.log_settings import LogFormat, LogLevel

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Reserved for documents (RFC 5737, RFC 3849, RFC 9637): nothing can be reached there.
_DOCUMENTATION: Final = tuple(
    ipaddress.ip_network(network)
    for network in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")
)


def _text(value: object, wanted: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"wants {wanted}")
    return value


def _parse_endpoint(value: object) -> Endpoint:
    if isinstance(value, Endpoint):
        return value
    return Endpoint.parse(_text(value, "address:port"))


def _sip_listener(endpoint: Endpoint) -> Endpoint:
    if endpoint.transport is None:
        raise ValueError(f"{endpoint} has no transport; write udp://{endpoint} or tcp://{endpoint}")
    if endpoint.transport is Transport.TLS:
        raise ValueError("TLS is not in this version; listen on udp:// and tcp://")
    return endpoint


def _plain_listener(endpoint: Endpoint) -> Endpoint:
    if endpoint.transport is not None:
        raise ValueError(f"only one transport is possible here; write {Endpoint(None, endpoint.host, endpoint.port)}")
    return endpoint


def _parse_network(value: object) -> Network:
    if isinstance(value, (ipaddress.IPv4Network, ipaddress.IPv6Network)):
        return value
    text = _text(value, "a network such as 10.0.0.0/8")
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is no network; write it as 10.0.0.0/8 or fd00::/8, or one address") from None
    raise ValueError(f"{text!r} has bits set behind its prefix; did you mean {meant}?")


def _reachable(host: str) -> None:
    """Refuses what no phone can connect to."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    if address.is_unspecified or address.is_multicast or str(address) == "255.255.255.255":
        raise ValueError(f"phones cannot connect to {address}; write an address or name of this machine, or null")
    if any(address in network for network in _DOCUMENTATION):
        raise ValueError(f"{address} is reserved for documentation; write an address of this machine, or null")


def _parse_advertise(value: object) -> HostPort | None:
    if value is None or isinstance(value, HostPort):
        return value
    advertised = HostPort.parse(_text(value, "host or host:port, or null"))
    _reachable(advertised.host)
    return advertised


def _public_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is no URL; write it as http://host:port") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("must begin with http:// or https:// and a host")
    if "?" in url or "#" in url or "@" in parts.netloc:
        raise ValueError("must have no user, query or fragment: phones append /p/<token>/<file> to it")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("has characters that a URL cannot have")
    try:
        _reachable(HostPort.parse(f"[{host}]" if ":" in host else host).host)
    except ValueError as error:
        raise ValueError(str(error)) from None
    if port == 0:
        raise ValueError("port 0 cannot be connected to; write a port from 1 to 65535")
    return url.rstrip("/")


def _service_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is no URL; write it as https://host/path") from None
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise ValueError("must begin with https:// or http:// and a host")
    if "@" in parts.netloc or "#" in url:
        raise ValueError("must have no user and no fragment; a credential belongs in token_file")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError("has characters that a URL cannot have")
    return url


def _store_url(url: str) -> str:
    if url.startswith("postgresql"):
        raise ValueError("PostgreSQL is not in this version; write sqlite:///")
    if url != "sqlite:///":
        raise ValueError("write sqlite:///, without a path: the databases are files in state_dir")
    return url


def _not_in_this_version(what: str) -> BeforeValidator:
    def refuse(value: object) -> object:
        if value not in (None, [], ()):
            raise ValueError(f"{what} is not in this version; remove it")
        return value

    return BeforeValidator(refuse)


def _resolve(path: Path, info: ValidationInfo) -> Path:
    """Relative paths count from the configuration file's folder, which the validation context names."""
    folder = info.context["folder"] if info.context else Path()
    return Path(folder, path).resolve()


def _list_or_off(value: object) -> object:
    if value is None:
        raise ValueError("is empty; write [] to turn it off, or leave the key out for its default")
    return value


def _socket_path(value: object) -> object:
    if value == "":
        raise ValueError("is empty; write a file name such as admin.sock, or leave the key out")
    return value


_AnyListener = Annotated[Endpoint, PlainValidator(_parse_endpoint)]
SipListener = Annotated[_AnyListener, AfterValidator(_sip_listener)]
Listener = Annotated[_AnyListener, AfterValidator(_plain_listener)]
Listeners = Annotated[tuple[Listener, ...], BeforeValidator(_list_or_off)]
Networks = tuple[Annotated[Network, PlainValidator(_parse_network)], ...]
ResolvedPath = Annotated[Path, AfterValidator(_resolve)]
Seconds = Annotated[int, Field(ge=1, le=86_400)]
Count = Annotated[int, Field(ge=1, le=10_000_000)]
Size = Annotated[ByteSize, Field(ge=1, le=2**32)]


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


class ValidatorKind(StrEnum):
    """Who judges whether an emergency address exists."""

    NONE = "none"
    STREET_RANGES = "street_ranges"
    HTTP = "http"


class Section(BaseModel):
    """One mapping of the file: frozen, complete by its defaults, without unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _nothing_below(cls, value: object) -> object:
        """A section whose keys are all commented out is null in YAML, and means its defaults."""
        return {} if value is None else value


class Expires(Section):
    """Seconds that a registration lasts; ``load`` sees to it that min <= default <= max."""

    min: Annotated[int, Field(ge=1, le=2**32 - 1)] = 60
    default: Annotated[int, Field(ge=1, le=2**32 - 1)] = 3600
    max: Annotated[int, Field(ge=1, le=2**32 - 1)] = 7200


class Sip(Section):
    """The registrar."""

    listen: Annotated[tuple[SipListener, ...], Field(min_length=1)] = (
        Endpoint(Transport.UDP, "0.0.0.0", 5060),  # noqa: S104 # phones are in the network, not on this machine
        Endpoint(Transport.TCP, "0.0.0.0", 5060),  # noqa: S104
    )
    advertise: Annotated[HostPort | None, PlainValidator(_parse_advertise)] = None
    expires: Expires = Expires()
    trusted_peers: Networks = ()


class Pnp(Section):
    """Answers to phones that ask by multicast where their configuration is."""

    interfaces: Annotated[tuple[str, ...], _not_in_this_version("plug and play by multicast")] = ()


class Provisioning(Section):
    """What hands out configuration files."""

    public_url: Annotated[str, AfterValidator(_public_url)] | None = None
    http: Listeners = (Endpoint(None, "0.0.0.0", 8080),)  # noqa: S104
    tftp: Listeners = (Endpoint(None, "0.0.0.0", 69),)  # noqa: S104
    lan_networks: Networks = _networks(
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"
    )
    trusted_proxies: Networks = ()
    pnp: Pnp = Pnp()


class Admin(Section):
    """The API, and the socket of the command line."""

    listen: Listener | None = Endpoint(None, "127.0.0.1", 8000)
    socket: Annotated[Path, BeforeValidator(_socket_path)] = Path("admin.sock")
    #: Absolute once the file is loaded.


class Metrics(Section):
    """What Prometheus and load balancers read."""

    listen: Listener | None = Endpoint(None, "127.0.0.1", 9161)


class Store(Section):
    """Where everything is kept."""

    url: Annotated[str, AfterValidator(_store_url)] = "sqlite:///"


class Templates(Section):
    """The site's own templates."""

    paths: tuple[ResolvedPath, ...] = ()


class HttpService(Section):
    """A service that is asked whether addresses exist."""

    url: Annotated[str, AfterValidator(_service_url)] | None = None
    token_file: ResolvedPath | None = None
    timeout_seconds: Annotated[int, Field(ge=1, le=10)] = 10


class Emergency(Section):
    """Who judges emergency addresses."""

    validator: ValidatorKind = ValidatorKind.NONE
    street_ranges: ResolvedPath | None = None
    http: HttpService = HttpService()
    recheck_days: Annotated[int, Field(ge=1, le=3650)] = 365


class Log(Section):
    """What is written to standard error."""

    format: LogFormat = LogFormat.AUTO
    level: LogLevel = LogLevel.INFO


class SipLimits(Section):
    """Bounds of the SIP servers and the registrar."""

    datagram_bytes: Annotated[ByteSize, Field(ge=1300, le=65_535)] = ByteSize(16_384)
    stream_message_bytes: Annotated[ByteSize, Field(ge=1300, le=2**24)] = ByteSize(65_536)
    connections: Count = 10_000
    connections_per_source: Count = 512
    first_byte_seconds: Seconds = 5
    message_seconds: Seconds = 10
    transactions: Count = 65_536
    contacts_per_aor: Annotated[int, Field(ge=1, le=100)] = 10
    commit_queue: Count = 4096


class TftpLimits(Section):
    """Bounds of the TFTP server."""

    sessions: Count = 2000
    sessions_per_source_listed: Count = 64
    sessions_per_source_other: Count = 4


class HttpLimits(Section):
    """Bounds of the HTTP provisioning server."""

    connections: Count = 2000
    request_seconds: Seconds = 10


class ProvisioningLimits(Section):
    """Bounds of what renders."""

    render_cache_bytes: Size = ByteSize(64 * 1024 * 1024)


class InventoryLimits(Section):
    """Bounds of the inventory document."""

    document_bytes: Size = ByteSize(64 * 1024 * 1024)


class AdminLimits(Section):
    """Bounds of the admin server."""

    listeners: Count = 100
    events: Annotated[int, Field(ge=10, le=100_000)] = 1000
    body_bytes: Size = ByteSize(64 * 1024 * 1024)


class ReloadLimits(Section):
    """How many reloads are under way, and how long each step of one may take."""

    in_flight: Count = 500
    answer_seconds: Annotated[int, Field(ge=1, le=32)] = 32
    fetch_seconds: Seconds = 30
    register_seconds: Seconds = 60


class Limits(Section):
    """Every bound."""

    sip: SipLimits = SipLimits()
    tftp: TftpLimits = TftpLimits()
    http: HttpLimits = HttpLimits()
    provisioning: ProvisioningLimits = ProvisioningLimits()
    inventory: InventoryLimits = InventoryLimits()
    admin: AdminLimits = AdminLimits()
    reload: ReloadLimits = ReloadLimits()


class Config(Section):
    """The whole file."""

    state_dir: ResolvedPath = Path("../var")
    sip: Sip = Sip()
    provisioning: Provisioning = Provisioning()
    admin: Admin = Admin()
    metrics: Metrics = Metrics()
    store: Store = Store()
    templates: Templates = Templates()
    emergency: Emergency = Emergency()
    limits: Limits = Limits()
    smtp: Annotated[None, _not_in_this_version("mail")] = None
    log: Log = Log()


#: Keys that the file may have in later versions, and what to do until then.
NOT_IN_THIS_VERSION: Final = {
    "sip.tls": "TLS is not in this version; remove it, and listen on udp:// and tcp://",
    "provisioning.tls": "HTTPS is not in this version; remove it, or put a proxy with TLS in front of http",
    "provisioning.https": "HTTPS is not in this version; remove it, or put a proxy with TLS in front of http",
    "admin.tls": "HTTPS is not in this version; remove it, or put a proxy with TLS in front of admin.listen",
}
