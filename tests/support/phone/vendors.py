"""What differs between the vendors' phones: the files they ask for, how they read them, and what moves them.

A firmware is a set of pure functions. The order of its files is a generator: it yields the name that it wants next,
is sent the :class:`FetchedFile`, and returns the :class:`ReadFiles`.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from tests.support.phone.account import Account, Settings

from offhook.endpoint import HostPort, Transport
from offhook.inventory.identifiers import format_mac
from offhook.sip.headers import NameAddress

MAX_FILES: Final = 16
#: In one round; a list of files that names itself must end somewhere.

_DEFAULT_EXPIRES: Final = 3600
_ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, UPDATE, INFO, MESSAGE"


class Reaction(Enum):
    """What an event of a NOTIFY moves a phone to do."""

    REFETCH = "refetch"
    REBOOT = "reboot"
    REREGISTER = "reregister"
    NOTHING = "nothing"
    #: The event is known, and answered 200.
    UNKNOWN = "unknown"
    #: 489 Bad Event.


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """The answer to one request."""

    status: int | None
    #: As in :class:`~tests.support.phone.events.FileRead`.
    data: bytes = field(default=b"", repr=False)

    @property
    def found(self) -> bool:
        return self.status == 200


@dataclass(slots=True)
class ReadFiles:
    """What one round has brought."""

    values: dict[str, str] = field(default_factory=dict, repr=False)
    #: Settings in the files, later files over earlier ones.
    found: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    rejected: list[tuple[str, str]] = field(default_factory=list)
    #: Names of files that could not be read, and why.
    is_complete: bool = True
    #: False where a server did not answer: the phone tries all of it again.


FileSequence = Generator[str, FetchedFile, ReadFiles]


class MalformedFile(ValueError):
    """The phone cannot read this file."""


class Firmware(Protocol):
    """One model with one version of its firmware."""

    @property
    def sip_user_agent_name(self) -> str:
        """User-Agent of its SIP messages, without a MAC."""
        ...

    @property
    def factory_settings(self) -> Settings:
        """Values that hold where no file says otherwise."""
        ...

    def http_user_agent(self, mac: str, settings: Settings) -> str:
        """User-Agent of its HTTP requests."""
        ...

    def sip_user_agent(self, mac: str, settings: Settings) -> str:
        """User-Agent of its SIP messages."""
        ...

    def file_sequence(self, mac: str) -> FileSequence:
        """The files of one round of provisioning."""
        ...

    def merge(self, settings: Settings, values: Settings) -> dict[str, str]:
        """The settings after a round that brought ``values``."""
        ...

    def accounts(self, settings: Settings) -> tuple[Account, ...]:
        """The accounts that are switched on, by index."""
        ...

    def provisioning_url(self, settings: Settings) -> str:
        """Where the files say that files are; empty where they say nothing."""
        ...

    def fetches_at_boot(self, settings: Settings) -> bool:
        """Whether it asks for its files each time it starts."""
        ...

    def obeys_only_its_server(self, settings: Settings) -> bool:
        """Whether a NOTIFY counts only when it comes from where the phone registers."""
        ...

    def challenges(self, settings: Settings) -> bool:
        """Whether it asks the sender of a NOTIFY for credentials."""
        ...

    def react(self, event: str, settings: Settings) -> Reaction:
        """What the Event header of a NOTIFY does to it."""
        ...

    def contact(self, account: Account, sent_by: HostPort, mac: str) -> NameAddress:
        """The Contact that it registers for an account."""
        ...

    def register_headers(self, account: Account, mac: str, settings: Settings) -> tuple[tuple[str, str], ...]:
        """What it adds to a REGISTER."""
        ...


def parse_event(value: str) -> tuple[str, dict[str, str]]:
    """Name and parameters of an Event header, all in lower case (RFC 6665 §8.2.1)."""
    name, *parameters = [part.strip().lower() for part in value.split(";")]
    pairs = (parameter.partition("=") for parameter in parameters if parameter)
    return name, {key.strip(): text.strip() for key, _, text in pairs}


@dataclass(frozen=True, slots=True)
class Yealink:
    """A T-series desk phone with firmware 81 or later.

    Order of files and format: Yealink SIP-T2/T3/T4/T5 series administrator guides, "Boot Files, Configuration Files".
    """

    model: str = "T46U"
    version: str = "108.86.0.20"
    code: str = "108"
    accounts_count: int = 16

    @property
    def sip_user_agent_name(self) -> str:
        return f"Yealink SIP-{self.model} {self.version}"

    @property
    def factory_settings(self) -> Settings:
        return {
            "static.auto_provision.power_on": "1",
            "static.auto_provision.user_agent_mac.enable": "1",
            "sip.notify_reboot_enable": "1",
            "sip.trust_ctrl": "0",
            "sip.mac_in_ua": "0",
        }

    def http_user_agent(self, mac: str, settings: Settings) -> str:
        if settings.get("static.auto_provision.user_agent_mac.enable") == "1":
            return f"{self.sip_user_agent_name} {format_mac(mac)}"
        return self.sip_user_agent_name

    def sip_user_agent(self, mac: str, settings: Settings) -> str:
        if settings.get("sip.mac_in_ua") == "1":
            return f"{self.sip_user_agent_name} {mac}"
        return self.sip_user_agent_name

    def file_sequence(self, mac: str) -> FileSequence:
        """A boot file says which files to read; without one it is the common file and the phone's own."""
        read = ReadFiles()
        names = [f"y000000000{self.code}.cfg", f"{mac}.cfg"]
        for boot_name in (f"{mac}.boot", "y000000000000.boot"):
            boot = yield boot_name
            if boot.status is None:
                read.is_complete = False
                return read
            if not boot.found:
                read.missing.append(boot_name)
                continue
            read.found.append(boot_name)
            try:
                names = parse_boot(boot.data, self.model)
            except MalformedFile as error:
                read.rejected.append((boot_name, str(error)))
            break
        for name in names[:MAX_FILES]:
            file = yield name
            if file.status is None:
                read.is_complete = False
                return read
            if not file.found:
                read.missing.append(name)
                continue
            try:
                read.values.update(parse_cfg(file.data))
            except MalformedFile as error:
                read.rejected.append((name, str(error)))
            else:
                read.found.append(name)
        return read

    def merge(self, settings: Settings, values: Settings) -> dict[str, str]:
        """What a file does not mention stays; ``%NULL%`` brings the factory's value back."""
        merged = {**settings, **values}
        for key, value in values.items():
            if value == "%NULL%":
                del merged[key]
                if key in self.factory_settings:
                    merged[key] = self.factory_settings[key]
        return merged

    def accounts(self, settings: Settings) -> tuple[Account, ...]:
        numbers = range(1, self.accounts_count + 1)
        return tuple(account for n in numbers if (account := self._account(n, settings)) is not None)

    def _account(self, n: int, settings: Settings) -> Account | None:
        def get(name: str, default: str = "") -> str:
            return settings.get(f"account.{n}.{name}", default)

        if get("enable") != "1" or not get("user_name") or not get("sip_server.1.address"):
            return None
        proxy = None
        if get("outbound_proxy_enable") == "1" and get("outbound_proxy.1.address"):
            proxy = HostPort(get("outbound_proxy.1.address"), _port(get("outbound_proxy.1.port", "5060")))
        return Account(
            index=n,
            user=get("user_name"),
            auth_name=get("auth_name") or get("user_name"),
            password=get("password"),
            registrar=HostPort(get("sip_server.1.address"), _port(get("sip_server.1.port", "5060"))),
            outbound_proxy=proxy,
            transport={"1": Transport.TCP, "2": Transport.TLS}.get(get("sip_server.1.transport_type"), Transport.UDP),
            expires_seconds=_number(get("sip_server.1.expires"), _DEFAULT_EXPIRES),
            display_name=get("display_name"),
            label=get("label"),
        )

    def provisioning_url(self, settings: Settings) -> str:
        return settings.get("static.auto_provision.server.url", "")

    def fetches_at_boot(self, settings: Settings) -> bool:
        return settings.get("static.auto_provision.power_on") == "1"

    def obeys_only_its_server(self, settings: Settings) -> bool:
        return settings.get("sip.trust_ctrl") == "1"

    def challenges(self, settings: Settings) -> bool:
        return False

    def react(self, event: str, settings: Settings) -> Reaction:
        """``sip.notify_reboot_enable``: 1 reboots at every check-sync, 0 only where it says so, 2 never obeys.

        Yealink T5 series administrator guide, "Notify Reboot".
        """
        name, parameters = parse_event(event)
        if name not in ("check-sync", "resync"):
            return Reaction.UNKNOWN
        mode = settings.get("sip.notify_reboot_enable")
        if mode == "2":
            return Reaction.NOTHING
        return Reaction.REBOOT if mode == "1" or parameters.get("reboot") == "true" else Reaction.REFETCH

    def contact(self, account: Account, sent_by: HostPort, mac: str) -> NameAddress:
        transport = "" if account.transport is Transport.UDP else f";transport={account.transport.value.upper()}"
        return NameAddress("", f"sip:{account.user}@{sent_by}{transport}")

    def register_headers(self, account: Account, mac: str, settings: Settings) -> tuple[tuple[str, str], ...]:
        headers = [("Allow", _ALLOW), ("Allow-Events", "talk, hold, conference, refer, check-sync")]
        if settings.get(f"account.{account.index}.register_mac") == "1":
            headers.append(("Mac", format_mac(mac)))
        return tuple(headers)


@dataclass(frozen=True, slots=True)
class Snom:
    """A D-series desk phone whose ``setting_server`` ends in a slash.

    Snom service hub, "Auto Provisioning"; ``checksync_action`` and ``filter_registrar`` are pages of its wiki.
    """

    model: str = "D785"
    version: str = "10.1.169.16"
    identities_count: int = 12

    @property
    def sip_user_agent_name(self) -> str:
        return f"snom{self.model}/{self.version}"

    @property
    def factory_settings(self) -> Settings:
        return {"filter_registrar": "off", "challenge_response": "off", "checksync_action": ""}

    def http_user_agent(self, mac: str, settings: Settings) -> str:
        build = "2010.12-00001-gd311851f1 (Feb 25 2019 - 14:19:43)"
        return f"Mozilla/4.0 (compatible; snom{self.model}-SIP {self.version} {build} {mac.upper()} SXM:0 UXM:0 UXMC:0)"

    def sip_user_agent(self, mac: str, settings: Settings) -> str:
        return self.sip_user_agent_name

    def file_sequence(self, mac: str) -> FileSequence:
        """The model's file, then the phone's own; either may be a list of others, which are read in its place."""
        read = ReadFiles()
        wanted = [f"snom{self.model}.htm", f"snom{self.model}-{mac.upper()}.htm"]
        asked = 0
        while wanted and asked < MAX_FILES:
            name = wanted.pop(0)
            asked += 1
            file = yield name
            if file.status is None:
                read.is_complete = False
                return read
            if not file.found:
                read.missing.append(name)
                continue
            try:
                values, others = parse_snom_xml(file.data)
            except MalformedFile as error:
                read.rejected.append((name, str(error)))
                continue
            read.found.append(name)
            read.values.update(values)
            wanted[:0] = others
        return read

    def merge(self, settings: Settings, values: Settings) -> dict[str, str]:
        return {**settings, **values}

    def accounts(self, settings: Settings) -> tuple[Account, ...]:
        numbers = range(1, self.identities_count + 1)
        return tuple(account for n in numbers if (account := self._account(n, settings)) is not None)

    def _account(self, n: int, settings: Settings) -> Account | None:
        def get(name: str) -> str:
            return settings.get(f"{name}[{n}]", "")

        if get("user_active") != "on" or not get("user_name") or not get("user_host"):
            return None
        outbound, _, options = get("user_outbound").partition(";")
        transport = re.search(r"\btransport=(udp|tcp|tls)\b", options, re.IGNORECASE)
        try:
            registrar = HostPort.parse(get("user_host"))
            proxy = HostPort.parse(outbound) if outbound else None
        except ValueError:
            return None
        return Account(
            index=n,
            user=get("user_name"),
            auth_name=get("user_pname") or get("user_name"),
            password=get("user_pass"),
            registrar=registrar,
            outbound_proxy=proxy,
            transport=Transport(transport[1].lower()) if transport else Transport.UDP,
            expires_seconds=_number(get("user_expiry"), _DEFAULT_EXPIRES),
            display_name=get("user_realname"),
            label=get("user_idle_text"),
        )

    def provisioning_url(self, settings: Settings) -> str:
        return settings.get("setting_server", "")

    def fetches_at_boot(self, settings: Settings) -> bool:
        return True

    def obeys_only_its_server(self, settings: Settings) -> bool:
        return settings.get("filter_registrar") == "on"

    def challenges(self, settings: Settings) -> bool:
        return settings.get("challenge_response") == "on"

    def react(self, event: str, settings: Settings) -> Reaction:
        name, parameters = parse_event(event)
        if name == "reboot":
            return Reaction.REBOOT
        if name != "check-sync":
            return Reaction.UNKNOWN
        action = settings.get("checksync_action") or {
            "false": "sync",
            "reregister-only": "reregister",
        }.get(parameters.get("reboot", ""), "reboot")
        reactions = {"sync": Reaction.REFETCH, "reregister": Reaction.REREGISTER, "reboot": Reaction.REBOOT}
        return reactions.get(action, Reaction.NOTHING)

    def contact(self, account: Account, sent_by: HostPort, mac: str) -> NameAddress:
        """Every identity has a ``line`` of its own, by which the phone knows what it is called for."""
        line = f"{mac[-5:]}{account.index:02d}"
        uri = f"sip:{account.user}@{sent_by};transport={account.transport.value};line={line}"
        instance = f'"<urn:uuid:00000000-0000-1000-8000-{mac}>"'
        return NameAddress("", uri, (("reg-id", "1"), ("q", "1.0"), ("+sip.instance", instance), ("audio", None)))

    def register_headers(self, account: Account, mac: str, settings: Settings) -> tuple[tuple[str, str], ...]:
        return (("Allow-Events", "dialog"), ("Supported", "path, gruu"))


def parse_cfg(data: bytes) -> dict[str, str]:
    """The settings of a Yealink file: ``name = value`` lines after the version line.

    Raises:
        MalformedFile: where it does not begin with ``#!version:1.0.0.1``, or is not UTF-8.
    """
    settings: dict[str, str] = {}
    for line in _cfg_lines(data):
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            settings[name.strip()] = value.strip()
    return settings


def parse_boot(data: bytes, model: str) -> list[str]:
    """The files that a Yealink boot file includes for this model, in order.

    Raises:
        MalformedFile: as :func:`parse_cfg`.
    """
    names: list[str] = []
    for line in _cfg_lines(data):
        include = re.fullmatch(r'(?:\[([^\]]*)\])?\s*include:config\s+<?"?([^">]+)"?>?', line)
        if include and (include[1] is None or model in re.split(r"[,\s]+", include[1])):
            names.append(include[2].strip())
    return names


def _cfg_lines(data: bytes) -> Iterable[str]:
    try:
        lines = re.split(r"[\r\n]+", data.decode())
    except UnicodeDecodeError as error:
        raise MalformedFile(f"not UTF-8: {error}") from error
    if lines[0].strip() != "#!version:1.0.0.1":
        raise MalformedFile("the first line is not #!version:1.0.0.1")
    return [line.strip() for line in lines[1:]]


def parse_snom_xml(data: bytes) -> tuple[dict[str, str], list[str]]:
    """Settings, and the files to read besides.

    Raises:
        MalformedFile: for what is not well-formed, or neither ``<settings>`` nor ``<setting-files>``.
    """
    try:
        root = ET.fromstring(data)
    except ET.ParseError as error:
        raise MalformedFile(str(error)) from error
    if root.tag == "setting-files":
        return {}, [url for file in root.iter("file") if (url := file.get("url"))]
    if root.tag != "settings":
        raise MalformedFile(f"its root is <{root.tag}>, neither <settings> nor <setting-files>")
    settings: dict[str, str] = {}
    for section in root:
        if section.tag in ("phone-settings", "functionKeys"):
            for element in section:
                index = element.get("idx")
                settings[element.tag if index is None else f"{element.tag}[{index}]"] = element.text or ""
    return settings, []


def _port(text: str) -> int | None:
    """A port; None where it is 0 or no port, so that the default counts."""
    return _number(text, 0) or None


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else default
