"""What a carrier's file says, drawn from the inventory: the values, and two digests by which a change is noticed.

What depends on the request (the URL that the phone came by, the address of our SIP port) is not among them: it is
given to the renderer beside them, and does not make a revision.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from offhook.endpoint import HostPort, Transport
from offhook.inventory.features import NO_ANSWER_RINGS, DoNotDisturb, features_of_line
from offhook.inventory.models import AccessLevel, Account, Device, Line, Location, User
from offhook.inventory.numbers import display_names
from offhook.inventory.ports import ConfigDigests
from offhook.inventory.snapshot import Inventory
from offhook.provisioning.catalog import Catalog
from offhook.provisioning.ports import SecretBox
from offhook.provisioning.timezones import ClockRule, find_clock_rule
from offhook.provisioning.vendors import ModelSpec, Vendor
from offhook.secret import Secret

_UTC = ClockRule("UTC", 0)


@dataclass(frozen=True, slots=True)
class FeatureParameters:
    """What a phone itself does with the calls of a line (E6), all of it stated: it keeps what it is not told anew.

    The voicemail that a call is sent to, and the identity that is shown to others, are a matter of the PBX.
    """

    forward_always: str
    #: E.164 number or extension; empty where nothing is forwarded.
    forward_busy: str
    forward_no_answer: str
    no_answer_rings: int
    hides_caller_id: bool
    call_waiting: bool
    do_not_disturb: bool
    #: It refuses calls (Yealink with 486, Snom with 480), and the PBX offers the voicemail that there is.


@dataclass(frozen=True, slots=True)
class LineParameters:
    """One registration."""

    index: int
    label: str
    #: For the key beside the screen: the line's own label, else its extension. Where a number can log in, it tells the
    #: phone ID that this takes; while one is logged in, whose line it is now (E5).
    display_name: str
    #: For the From header and the screen: the number's before the user's name (E3).
    extension: str
    user_name: str
    #: User part of the address of record.
    auth_name: str
    password: Secret
    domain: str
    registrar_host: str
    registrar_port: int | None
    is_external: bool
    #: Registers elsewhere, hence without our outbound proxy.
    transport: Transport
    expires_seconds: int
    appearances: int
    features: FeatureParameters


@dataclass(frozen=True, slots=True)
class HandsetParameters:
    """A handset that the carrier serves, and the indexes of its lines among the carrier's."""

    slot: int | None
    ipei: str | None
    name: str
    phone_id: str
    line_indexes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class DeviceParameters:
    """Everything that a carrier's revision stands for."""

    carrier_id: int
    mac: str | None
    name: str
    phone_id: str
    vendor: str
    model: ModelSpec
    lines: tuple[LineParameters, ...]
    #: By index, which may leave gaps.
    handsets: tuple[HandsetParameters, ...]
    language: str
    #: BCP 47 tag.
    clock: ClockRule
    ntp_server: str | None
    tones: str
    config_digest: str
    registration_digest: str


def build_parameters(
    inventory: Inventory,
    carrier: Device,
    secrets: SecretBox,
    catalog: Catalog,
    *,
    model: ModelSpec | None = None,
    expires_seconds: int = 3600,
) -> DeviceParameters:
    """The parameters of a carrier's files.

    ``model`` is what the device reports; without it, that which was typed in counts. Both digests are keyed by the
    secret box, since passwords go into them. Raises KeyUnusable where a password cannot be opened.
    """
    account = inventory.get(Account, carrier.account_id)
    vendor = find_vendor_of(catalog, carrier)
    lines: list[LineParameters] = []
    handsets: list[HandsetParameters] = []
    for device in inventory.carried_devices(carrier):
        first = len(lines)
        for line in inventory.lines_of(device.id):
            index = line.index if device is carrier else len(lines) + 1
            built = _build_line(inventory, account, device, line, index, secrets, expires_seconds)
            if built is not None:
                lines.append(built)
        if device is not carrier:
            indexes = tuple(line.index for line in lines[first:])
            handsets.append(
                HandsetParameters(device.slot, device.ipei, one_line(device.name or ""), device.phone_id, indexes)
            )
    chosen = model or (vendor.find_model(carrier.model) if vendor else None)
    values = DeviceParameters(
        carrier_id=carrier.id,
        mac=carrier.mac,
        name=one_line(carrier.name or ""),
        phone_id=carrier.phone_id,
        vendor=vendor.name if vendor else "",
        model=chosen or ModelSpec(carrier.model or "", max([line.index for line in lines], default=1)),
        lines=tuple(lines),
        handsets=tuple(handsets),
        language=account.language,
        clock=_find_clock(inventory, account, carrier),
        ntp_server=account.ntp_server,
        tones=account.tones,
        config_digest="",
        registration_digest="",
    )
    registration = [
        (line.index, line.domain, line.user_name, line.auth_name, line.password, line.registrar_host,
         line.registrar_port)
        for line in lines
    ]  # fmt: skip
    return replace(
        values,
        config_digest=_digest(secrets, (values, vendor.digest if vendor else "")),
        registration_digest=_digest(secrets, registration),
    )


@dataclass(frozen=True, slots=True)
class EveryPhone:
    """What the configuration puts into every phone's files; a phone has to fetch again when it changes."""

    expires_seconds: int = 3600
    sip_advertise: HostPort | None = None
    #: None stands for the address that a request arrived on, which is no reason to fetch.
    public_url: str | None = None


class ParameterDigests:
    """Tells whether a carrier's files would change. Satisfies :class:`offhook.inventory.ports.DigestSource`."""

    def __init__(self, catalog: Catalog, secrets: SecretBox, told: EveryPhone | None = None) -> None:
        self._secrets = secrets
        self.use(catalog, told or EveryPhone())

    def use(self, catalog: Catalog, told: EveryPhone) -> None:
        """Takes another catalog and other settings; carriers are revised when they are asked about next."""
        self._catalog = catalog
        self._told = told

    def digests(self, inventory: Inventory, carrier: Device) -> ConfigDigests | None:
        """The digests of a carrier's files; None where its vendor has no templates for such a device."""
        vendor = find_vendor_of(self._catalog, carrier)
        if vendor is None or carrier.type not in vendor.device_types:
            return None
        told = self._told
        values = build_parameters(
            inventory, carrier, self._secrets, self._catalog, expires_seconds=told.expires_seconds
        )
        proxy = str(told.sip_advertise or "")
        account = inventory.get(Account, carrier.account_id)
        # The URL that the file names holds the account's token where that opens anything.
        token = account.token_digest.hex() if account.access in (AccessLevel.TOKEN, AccessLevel.LAN) else ""
        return ConfigDigests(
            config=_digest(self._secrets, (values.config_digest, proxy, told.public_url, token)),
            registration=_digest(self._secrets, (values.registration_digest, proxy)),
        )


def find_vendor_of(catalog: Catalog, device: Device) -> Vendor | None:
    """The vendor typed in, else the one to whom the MAC belongs."""
    if device.vendor is not None:
        return catalog.find_vendor(device.vendor)
    return catalog.vendor_of_mac(device.mac) if device.mac else None


def one_line(text: str) -> str:
    """A text for a screen: whatever is no printable character, line ends included, becomes one blank."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _build_line(
    inventory: Inventory,
    account: Account,
    device: Device,
    line: Line,
    index: int,
    secrets: SecretBox,
    expires_seconds: int,
) -> LineParameters | None:
    credential = inventory.active_credential(line.id)
    if credential is None:
        return None
    extension = inventory.extension_of(line) or ""
    registrar = HostPort.parse(account.external_registrar) if account.external_registrar else None
    return LineParameters(
        index=index,
        label=_label(inventory, account, device, line) or one_line(credential.aor_user),
        display_name=_first_shown(*display_names(inventory, line), device.name, extension or credential.aor_user),
        extension=extension,
        user_name=credential.aor_user,
        auth_name=credential.auth_username,
        password=secrets.open(credential.sealed_secret, f"credential:{credential.id}:secret"),
        domain=registrar.host if registrar else account.sip_domain,
        registrar_host=registrar.host if registrar else account.sip_domain,
        registrar_port=registrar.port if registrar else None,
        is_external=registrar is not None,
        transport=Transport.UDP,
        expires_seconds=expires_seconds,
        appearances=line.appearances,
        features=_build_features(inventory, line),
    )


def _label(inventory: Inventory, account: Account, device: Device, line: Line) -> str:
    extension = inventory.extension_of(line)
    if line.logged_in_at is not None:
        return _first_shown(extension)
    shown = _first_shown(line.label, extension, device.name)
    is_taken = any(part.user_id is not None or part.number_id is not None for part in inventory.lines_of(device.id))
    if is_taken or line.index != 1 or account.external_registrar is not None:
        return shown
    return one_line(f"{shown} ID {device.phone_id}")


def _build_features(inventory: Inventory, line: Line) -> FeatureParameters:
    force = features_of_line(inventory, line)
    return FeatureParameters(
        forward_always=force.forward_always or "",
        forward_busy=force.forward_busy or "",
        forward_no_answer=force.forward_no_answer or "",
        no_answer_rings=NO_ANSWER_RINGS,
        hides_caller_id=force.hides_caller_id,
        call_waiting=force.call_waiting,
        do_not_disturb=force.do_not_disturb is not DoNotDisturb.OFF,
    )


def _first_shown(*texts: str | None) -> str:
    """The first text of which something is left to show."""
    return next((shown for text in texts if text and (shown := one_line(text))), "")


def _find_clock(inventory: Inventory, account: Account, carrier: Device) -> ClockRule:
    """Where the phone stands, else where its first user is, else the account's zone."""
    candidates = []
    place = inventory.find(Location, carrier.location_id)
    candidates.append(place.timezone if place else None)
    for line in inventory.lines_of(carrier.id):
        user = inventory.find(User, line.user_id)
        if user is not None:
            home = inventory.find(Location, user.location_id)
            candidates.extend((user.timezone, home.timezone if home else None))
            break
    candidates.append(account.timezone)
    for name in candidates:
        rule = find_clock_rule(name) if name else None
        if rule is not None:
            return rule
    return _UTC


def _digest(secrets: SecretBox, value: object) -> str:
    return secrets.digest(_ENCODER.encode(value)).hex()


def _canonical(value: Any) -> object:
    """What JSON has no form for: a secret is its text, a dataclass its fields by name."""
    if isinstance(value, Secret):
        return value.reveal()
    # As dataclasses.fields() has them, which would look at each of them every time.
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


#: One for all: thousands of digests are taken in one change.
_ENCODER: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=_canonical)
