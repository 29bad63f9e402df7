"""What ``offhook doctor`` looks at. A check says what it found and, unless all is well, what to do."""

import ipaddress
import os
import shutil
import socket
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from offhook.cli.ports import find_holder, is_free
from offhook.config.load import find_warnings
from offhook.config.schema import Config
from offhook.endpoint import Endpoint, Transport
from offhook.errors import CatalogError, ConfigError

_LITTLE_SPACE: Final = 100 * 1024 * 1024
_SOME_SPACE: Final = 1024 * 1024 * 1024
_FIRST_YEAR: Final = 2025
_LAST_YEAR: Final = 2100
_STEP_SECONDS: Final = 5.0
_CONNECT_SECONDS: Final = 2.0
_NAMED: Final = 5
_WITH_FILES: Final = ("deskphone", "ata", "dect_base", "generic")
_TFTP_PORT: Final = 69
_TFTP_REMEDY: Final = (
    "have it by one of: the systemd unit (AmbientCapabilities=CAP_NET_BIND_SERVICE); "
    "authbind; setcap cap_net_bind_service=+ep on the Python of the virtual environment; "
    "or a redirect: nft add rule ip nat prerouting udp dport 69 redirect to :{port} "
    "(iptables -t nat -A PREROUTING -p udp --dport 69 -j REDIRECT --to-ports {port})"
)


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    check: str
    level: Level
    text: str
    remedy: str = ""


def findings_of_faults(error: ConfigError) -> list[Finding]:
    """A configuration that cannot be used; nothing else can be looked at then."""
    return [
        Finding("configuration", Level.FAIL, str(fault), "correct it, then: offhook check-config")
        for fault in error.faults
    ]


def examine(
    file: Path,
    config: Config,
    status: Mapping[str, Any] | None,
    accounts: Sequence[Mapping[str, Any]],
    devices: Sequence[Mapping[str, Any]],
    no_daemon: str = "",
) -> Iterator[Finding]:
    """Every check. ``status``: what the daemon says of itself, None where none runs, for the reason ``no_daemon``."""
    yield from _configuration(file, config)
    yield from _templates(config)
    yield from _daemon(status, no_daemon)
    yield from _state_dir(config.state_dir, running=status is not None)
    yield from _key(config.state_dir, running=status is not None)
    yield from _listeners(config, status)
    yield from _tftp_port(config)
    yield from _clock(config.state_dir, status)
    yield from _advertised(config)
    # What follows is known to the daemon alone.
    if status is not None:
        yield from _accounts(accounts)
        yield from _devices(devices)


def _configuration(file: Path, config: Config) -> Iterator[Finding]:
    yield Finding("configuration", Level.OK, f"{file} can be used")
    # Ports below 1024 are looked at one by one further down.
    for warning in find_warnings(config, lowest_port=1):
        text, _, remedy = warning.partition("; ")
        yield Finding("configuration", Level.WARN, text, remedy)


def _templates(config: Config) -> Iterator[Finding]:
    from offhook.app import read_catalog

    try:
        read_catalog(config)
    except CatalogError as error:
        for fault in error.faults:
            yield Finding("templates", Level.FAIL, str(fault), "correct it, or restore the file that was delivered")
    else:
        yield Finding("templates", Level.OK, "every vendor folder can be used")


def _daemon(status: Mapping[str, Any] | None, no_daemon: str) -> Iterator[Finding]:
    if status is None:
        yield Finding("daemon", Level.WARN, no_daemon, "start it, and run this again: it sees more then")
        return
    yield Finding("daemon", Level.OK, f"version {status['version']} runs as process {status['pid']}")
    for check in status["checks"]:
        if not check["ok"]:
            yield Finding(f"daemon {check['name']}", Level.FAIL, check["text"], "see the daemon's log")


def _state_dir(path: Path, *, running: bool) -> Iterator[Finding]:
    if not os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where a parent may not be entered
        yield Finding("state", Level.WARN, f"{path} is not there yet", "the daemon makes it at its first start")
        return
    if not os.access(path, os.W_OK | os.X_OK) and not running:
        owner = path.stat().st_uid
        yield Finding("state", Level.WARN, f"{path} belongs to uid {owner}, not to you", "run this as that user")
        return
    free = shutil.disk_usage(path).free
    text = f"{path} has {free // (1024 * 1024)} MiB free"
    if free < _LITTLE_SPACE:
        yield Finding("state", Level.FAIL, text, "make room: registrations are refused when the disk is full")
    elif free < _SOME_SPACE:
        yield Finding("state", Level.WARN, text, "make room before the databases need it")
    else:
        yield Finding("state", Level.OK, text)
    if not running and (holder := find_lock_holder(path)) is not None:
        yield Finding(
            "state",
            Level.FAIL,
            f"process {holder} holds {path}, but does not answer on the admin socket",
            f"see its log, or stop it: kill {holder}",
        )


def find_lock_holder(state_dir: Path) -> str | None:
    """The process that has the state_dir, as flock(2) tells; its id as it was written there."""
    import fcntl

    try:
        descriptor = os.open(state_dir / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
    finally:
        os.close(descriptor)
    return None


def _key(state_dir: Path, *, running: bool) -> Iterator[Finding]:
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and Path(credentials, "offhook.key").exists():
        yield Finding("key", Level.OK, "comes from $CREDENTIALS_DIRECTORY")
        return
    path = state_dir / "secret.key"
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        if running:
            yield Finding("key", Level.OK, "the daemon was given it by systemd (LoadCredential=)")
        elif (state_dir / "inventory.db").exists():
            remedy = "put the key file back, or restore a backup that has it: without it no secret can be read"
            yield Finding("key", Level.FAIL, f"{path} is missing, but there is an inventory", remedy)
        else:
            yield Finding("key", Level.OK, "is made at the first start")
        return
    except PermissionError:
        yield Finding("key", Level.WARN, f"{path} cannot be looked at", "run this as the daemon's user, or as root")
        return
    if mode & 0o077:
        yield Finding("key", Level.FAIL, f"{path} is open to others (mode {mode:04o})", f"chmod 0400 {path}")
    else:
        yield Finding("key", Level.OK, f"{path} is the daemon's alone (mode {mode:04o})")


def _listeners(config: Config, status: Mapping[str, Any] | None) -> Iterator[Finding]:
    wanted: list[tuple[str, Transport, Endpoint]] = [
        *(("SIP", endpoint.transport or Transport.UDP, endpoint) for endpoint in config.sip.listen),
        *(("HTTP", Transport.TCP, endpoint) for endpoint in config.provisioning.http),
        *(("TFTP", Transport.UDP, endpoint) for endpoint in config.provisioning.tftp),
    ]
    ours = {_service_and_port(entry) for entry in status["listening"]} if status is not None else set()
    for service, transport, endpoint in wanted:
        where = f"{transport.value} {endpoint.host} port {endpoint.port}"
        check = f"{service} port"
        if endpoint.port == 0:
            yield Finding(check, Level.OK, f"{where}: the system chooses")
        elif (service.lower(), transport.value, endpoint.port) in ours:
            yield Finding(check, Level.OK, f"{where}: the daemon listens")
        elif (holder := find_holder(transport, endpoint.port)) is not None:
            remedy = f"stop {holder}, or choose another port"
            yield Finding(check, Level.FAIL, f"{where}: taken by {holder}", remedy)
        else:
            yield _free(check, where, transport, endpoint, running=status is not None)


def _free(check: str, where: str, transport: Transport, endpoint: Endpoint, *, running: bool) -> Finding:
    try:
        is_free(transport, endpoint.host, endpoint.port)
    except PermissionError:
        remedy = "the systemd unit has it; else choose a port from 1024 on"
        return Finding(check, Level.FAIL, f"{where}: you have no right to listen there", remedy)
    except OSError as error:
        remedy = "choose an address of this machine, and a port that is free"
        return Finding(check, Level.FAIL, f"{where}: {error.strerror}", remedy)
    if running:
        return Finding(check, Level.FAIL, f"{where}: the daemon does not listen", "restart it: addresses changed")
    return Finding(check, Level.OK, f"{where}: free")


def _service_and_port(entry: Mapping[str, str]) -> tuple[str, str, int]:
    """Of ``sip udp://0.0.0.0:5060``; a listener for all addresses may be reported one address at a time."""
    scheme, _, rest = entry["address"].rpartition("://")
    service = entry["service"].lower()
    transport = "udp" if service == "tftp" or scheme == "udp" else "tcp"
    port = rest.rpartition(":")[2]
    return service, transport, int(port) if port.isdecimal() else 0


def _tftp_port(config: Config) -> Iterator[Finding]:
    ports = [endpoint.port for endpoint in config.provisioning.tftp]
    if ports and _TFTP_PORT not in ports:
        text = f"TFTP listens on {', '.join(map(str, ports))}, and phones ask on {_TFTP_PORT}"
        yield Finding("TFTP port", Level.WARN, text, _TFTP_REMEDY.format(port=ports[0]))


def _clock(state_dir: Path, status: Mapping[str, Any] | None) -> Iterator[Finding]:
    now = time.time()
    today = datetime.fromtimestamp(now, UTC)
    remedy = "set the clock, and keep it with NTP (timedatectl set-ntp true); certificates and expiry depend on it"
    if not _FIRST_YEAR <= today.year <= _LAST_YEAR:
        yield Finding("clock", Level.FAIL, f"this machine believes that it is {today:%Y-%m-%d}", remedy)
        return
    try:
        written = max((file.stat().st_mtime for file in state_dir.glob("*.db")), default=0.0)
    except OSError:
        written = 0.0
    if written > now + _STEP_SECONDS:
        then = datetime.fromtimestamp(written, UTC)
        text = f"it is {today:%Y-%m-%d %H:%M:%S}Z, but a database was written at {then:%Y-%m-%d %H:%M:%S}Z"
        yield Finding("clock", Level.FAIL, text, remedy)
        return
    stepped = _stepped_since_start(status) if status is not None else None
    if stepped is not None and abs(stepped) > _STEP_SECONDS:
        text = f"the clock was set by {stepped:+.0f} s since the daemon started"
        yield Finding("clock", Level.WARN, text, "keep it with NTP; registrations may have expired early or late")
        return
    yield Finding("clock", Level.OK, f"{today:%Y-%m-%d %H:%M:%S}Z is plausible")


def _stepped_since_start(status: Mapping[str, Any]) -> float | None:
    """By how much wall time went on more than time itself since the daemon started; None where /proc does not tell."""
    try:
        fields = Path(f"/proc/{status['pid']}/stat").read_text().rpartition(")")[2].split()
        # starttime is field 22 of proc_pid_stat(5), in ticks since boot; the split begins with field 3.
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return None
    elapsed = time.clock_gettime(time.CLOCK_BOOTTIME) - started
    wall = time.time() - datetime.fromisoformat(status["started_at"]).timestamp()
    return wall - elapsed


def _advertised(config: Config) -> Iterator[Finding]:
    advertise, url = config.sip.advertise, config.provisioning.public_url
    if advertise is not None:
        port = advertise.port or next((endpoint.port for endpoint in config.sip.listen if endpoint.port), 5060)
        yield _reach("sip.advertise", advertise.host, port)
    if url is not None:
        parts = urlsplit(url)
        yield _reach(
            "provisioning.public_url", parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        )
    if advertise is None and url is None:
        text = "phones are told the address that their request arrived on"
        yield Finding("addresses given out", Level.OK, text)


def _reach(check: str, host: str, port: int) -> Finding:
    """Whether what phones are told leads anywhere: to this machine, or to something that takes connections."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        remedy = "correct the name, or have the DNS know it"
        return Finding(check, Level.FAIL, f"the name {host} leads to no address", remedy)
    addresses = sorted({str(entry[4][0]) for entry in found})
    if any(is_local(address) for address in addresses):
        if all(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in addresses):
            remedy = "name an address that phones can reach"
            return Finding(check, Level.WARN, f"{host} is the loopback address: only this machine gets there", remedy)
        return Finding(check, Level.OK, f"{host} is this machine")
    try:
        socket.create_connection((host, port), _CONNECT_SECONDS).close()
    except OSError as error:
        text = f"{host} is not this machine, and port {port} there does not answer: {error.strerror or 'no answer'}"
        return Finding(check, Level.WARN, text, "correct it, unless a router forwards it to here")
    return Finding(
        check, Level.OK, f"{host} port {port} answers; it is another machine, which must forward to this one"
    )


def is_local(address: str) -> bool:
    """Whether it is an address of this machine: only such can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True


def _accounts(accounts: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    without = [it["name"] for it in accounts if not it["gateway"] and not it["external_registrar"]]
    if without:
        text = f"{_some(without, 'account')} without gateway: calls of their phones fail"
        yield Finding("gateways", Level.WARN, text, "set gateway: sip:pbx.example.net in the document, and apply it")
    elif accounts:
        yield Finding("gateways", Level.OK, "every account has one")


def _devices(devices: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    without = [it["device"] for it in devices if it["type"] in _WITH_FILES and it["carrier"] is None]
    if without:
        text = f"{_some(without, 'device')} without templates: nothing can be provisioned there"
        yield Finding("devices", Level.WARN, text, "set vendor and model, or add a vendor folder (templates.paths)")
    failed = [it["device"] for it in devices if it["config"] == "failed"]
    if failed:
        remedy = f"see why: offhook device show {failed[0]}"
        yield Finding("devices", Level.FAIL, f"the file of {_some(failed, 'device')} cannot be rendered", remedy)
    if devices and not without and not failed:
        yield Finding("devices", Level.OK, "every device that fetches has templates")


def _some(names: Sequence[str], noun: str) -> str:
    shown = ", ".join(names[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} {noun}{'s' if len(names) > 1 else ''} ({shown}{more})"
