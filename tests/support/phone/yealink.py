"""Yealink desk phones: files of ``name = value`` lines, led by a version line."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tests.support.phone.account import Account, Settings
from tests.support.phone.vendors import (
    DEFAULT_EXPIRES,
    MAX_FILES,
    FileSequence,
    MalformedFile,
    Reaction,
    ReadFiles,
    parse_event,
    parse_number,
)

from offhook.endpoint import HostPort, Transport
from offhook.inventory.identifiers import format_mac
from offhook.sip.headers import NameAddress

_ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, UPDATE, INFO, MESSAGE"


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
            expires_seconds=parse_number(get("sip_server.1.expires"), DEFAULT_EXPIRES),
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


def _port(text: str) -> int | None:
    """A port; None where it is 0 or no port, so that the default counts."""
    return parse_number(text, 0) or None
