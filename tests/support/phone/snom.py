"""Snom desk phones: settings in XML, and lists of further files."""

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass

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
from offhook.sip.headers import NameAddress


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
            expires_seconds=parse_number(get("user_expiry"), DEFAULT_EXPIRES),
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
