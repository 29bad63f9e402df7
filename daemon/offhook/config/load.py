"""From the file to a :class:`Config`, or to every fault it has."""

import ipaddress
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from offhook import yamldoc
from offhook.config.schema import NOT_IN_THIS_VERSION, Config, Emergency, ValidatorKind
from offhook.endpoint import Endpoint, Transport
from offhook.errors import ConfigError, DocumentError, Fault

_BOUNDS = yamldoc.Bounds(document_bytes=1024 * 1024, nodes=100_000)
#: What the kernel takes as the name of a Unix socket: sun_path of unix(7) less its final NUL.
_SOCKET_PATH_BYTES = 107
_CAP_NET_BIND_SERVICE = 1 << 10


def load_config(path: Path) -> Config:
    """Reads and checks a configuration file. Raises :class:`ConfigError` with everything that is wrong with it."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ConfigError([Fault(f"cannot be read: {error.strerror}; is --config right?", file=str(path))]) from None
    return parse_config(text, path)


def parse_config(text: str | bytes, path: Path) -> Config:
    """As :func:`load_config`, of a text that is or would be the file ``path``."""
    try:
        document = yamldoc.read(text, str(path), _BOUNDS)
    except DocumentError as error:
        raise ConfigError(error.faults) from None
    faults = list(document.faults)
    keys_refused = {refused.path for refused in document.refused if document.known(refused.path) != refused.path}
    left = yamldoc.take_out(document, keys_refused)
    context = {"folder": path.parent}
    try:
        config = Config.model_validate(document.data, context=context)
    except ValidationError as error:
        faults = yamldoc.faults_of(error, document, Config, NOT_IN_THIS_VERSION)
        left = yamldoc.take_out(document, yamldoc.paths_of(error, document) | keys_refused)
        try:
            config = Config.model_validate(left.data, context=context)
        except ValidationError:
            raise ConfigError(faults) from None
    socket = config.admin.socket
    config = config.model_copy(
        update={"admin": config.admin.model_copy(update={"socket": config.state_dir / config.admin.socket})}
    )
    faults += [document.fault(where, message) for where, message in _contradictions(config, socket, left)]
    if faults:
        raise ConfigError(sorted(faults, key=lambda fault: (fault.line, fault.column)))
    return config


def _listeners(config: Config) -> list[tuple[yamldoc.Path, Transport, Endpoint]]:
    """Everything that listens: its place in the file, the transport it uses, its address."""
    found: list[tuple[yamldoc.Path, Transport, Endpoint]] = []
    for index, endpoint in enumerate(config.sip.listen):
        found.append((("sip", "listen", index), endpoint.transport or Transport.UDP, endpoint))
    for index, endpoint in enumerate(config.provisioning.http):
        found.append((("provisioning", "http", index), Transport.TCP, endpoint))
    for index, endpoint in enumerate(config.provisioning.tftp):
        found.append((("provisioning", "tftp", index), Transport.UDP, endpoint))
    if config.admin.listen:
        found.append((("admin", "listen"), Transport.TCP, config.admin.listen))
    if config.metrics.listen:
        found.append((("metrics", "listen"), Transport.TCP, config.metrics.listen))
    return found


def _contradictions(config: Config, socket: Path, left: yamldoc.Remainder) -> Iterator[tuple[yamldoc.Path, str]]:
    """What no single key is to blame for, with the place to name. ``left``: what ``config`` was read from."""
    expires = config.sip.expires
    bounds = {"min": expires.min, "default": expires.default, "max": expires.max}
    for (low, at_least), (high, at_most) in combinations(bounds.items(), 2):
        doubtful = any(left.is_doubtful(("sip", "expires", name)) for name in (low, high))
        if at_least > at_most and not doubtful:
            yield ("sip", "expires"), f"must have min <= default <= max, but {low} {at_least} > {high} {at_most}"
            break
    for (one, its_transport, its), (other, transport, endpoint) in combinations(_stated_listeners(config, left), 2):
        if its_transport is transport and its.port and its.port == endpoint.port and _overlap(its, endpoint):
            where = yamldoc.format_path(one)
            yield other, f"{endpoint} is taken by {where} ({its}); choose another port"
    for place, folder in left.each(("templates", "paths"), config.templates.paths):
        if not folder.is_dir():
            yield place, f"{folder} is no folder; create it or remove it here"
    yield from _missing_for_validator(config.emergency, left)
    if left.is_doubtful(("state_dir",)) or left.is_doubtful(("admin", "socket")):
        return
    if config.admin.socket.is_dir():
        yield ("admin", "socket"), f"{config.admin.socket} is a folder; name a file in it, such as {socket}/admin.sock"
    length = len(bytes(config.admin.socket))
    if length > _SOCKET_PATH_BYTES:
        yield (
            ("admin", "socket"),
            f"{config.admin.socket} has {length} bytes, and a socket's path at most {_SOCKET_PATH_BYTES}; "
            f"shorten state_dir, or name a place outside it in place of {socket}",
        )


def _missing_for_validator(emergency: Emergency, left: yamldoc.Remainder) -> Iterator[tuple[yamldoc.Path, str]]:
    keys: tuple[str, ...] = ()
    if emergency.validator is ValidatorKind.STREET_RANGES and emergency.street_ranges is None:
        keys = ("street_ranges",)
    elif emergency.validator is ValidatorKind.HTTP and emergency.http.url is None:
        keys = ("http", "url")
    if keys and not left.is_doubtful(("emergency", *keys)):
        yield ("emergency", "validator"), f"{emergency.validator.value} needs emergency.{'.'.join(keys)}; add it"


def _stated_listeners(config: Config, left: yamldoc.Remainder) -> list[tuple[yamldoc.Path, Transport, Endpoint]]:
    """Those that were meant: not the defaults of keys at fault, and each where it stands in the file."""
    found = []
    for path, transport, endpoint in _listeners(config):
        index = path[-1]
        place = left.place(path[:-1], index) if isinstance(index, int) else path
        if not left.is_doubtful(place):
            found.append((place, transport, endpoint))
    return found


def _overlap(one: Endpoint, other: Endpoint) -> bool:
    if one.host == other.host:
        return True
    return (one.is_wildcard or other.is_wildcard) and (":" in one.host) == (":" in other.host)


def find_warnings(config: Config, lowest_port: int) -> list[str]:
    """What may be meant, and should be looked at. ``lowest_port``: of those this process may listen on."""
    warnings = []
    for path, _, endpoint in _listeners(config):
        if 0 < endpoint.port < lowest_port:
            warnings.append(
                f"{yamldoc.format_path(path)}: {endpoint} needs the right to listen below port {lowest_port}; "
                "the systemd unit grants it, else use a higher port"
            )
    if config.admin.listen and not config.admin.listen.is_loopback:
        warnings.append(
            f"admin.listen: {config.admin.listen} is open to other machines, and is not encrypted; "
            "listen on 127.0.0.1 behind a proxy with TLS"
        )
    url = config.emergency.http.url
    if config.emergency.validator is ValidatorKind.HTTP and url and not _is_private(url):
        warnings.append(
            f"emergency.http.url: {url} is not encrypted: addresses and the token can be read on their way; use https"
        )
    for index, network in enumerate(config.provisioning.lan_networks):
        if network.prefixlen == 0:
            warnings.append(f"provisioning.lan_networks[{index}]: {network} hands secrets to every address there is")
    return warnings


def _is_private(url: str) -> bool:
    """Whether nobody else sees what is sent there: it is encrypted, or stays on this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        return parts.scheme == "https" or host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_lowest_port() -> int:
    """The lowest port that this process may listen on: ip_unprivileged_port_start, or 1 with CAP_NET_BIND_SERVICE."""
    try:
        status = Path("/proc/self/status").read_text()
        effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
        if int(effective.split()[1], 16) & _CAP_NET_BIND_SERVICE:
            return 1
        return int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    except (OSError, StopIteration, ValueError):
        return 1024


def compare_for_reload(old: Config, new: Config) -> list[str]:
    """The keys that differ and cannot change while the daemon runs; empty when ``new`` can take ``old``'s place."""
    fixed = {
        "state_dir": (old.state_dir, new.state_dir),
        "sip.listen": (old.sip.listen, new.sip.listen),
        "provisioning.http": (old.provisioning.http, new.provisioning.http),
        "provisioning.tftp": (old.provisioning.tftp, new.provisioning.tftp),
        "admin.listen": (old.admin.listen, new.admin.listen),
        "admin.socket": (old.admin.socket, new.admin.socket),
        "metrics.listen": (old.metrics.listen, new.metrics.listen),
        "store.url": (old.store.url, new.store.url),
    }
    return [key for key, (before, after) in fixed.items() if before != after]
