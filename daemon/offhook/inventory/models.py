"""The things of the inventory, as values. What refers to what is by id; :mod:`offhook.inventory.snapshot` joins them.

Ids are integers that rise with time. Secrets appear sealed (AES-GCM) and are opened where they are used.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from offhook.inventory.address import EmergencyAddress


class AccessLevel(StrEnum):
    """What a device must show to be given its file, strictest first."""

    CERTIFICATE = "certificate"
    DEVICE = "device"
    TOKEN = "token"
    LAN = "lan"


class DeviceType(StrEnum):
    DESKPHONE = "deskphone"
    DECT_BASE = "dect_base"
    DECT_HANDSET = "dect_handset"
    ATA = "ata"
    SOFTPHONE = "softphone"
    GENERIC = "generic"


class DeviceState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


class BaseRole(StrEnum):
    """What a DECT base is in its system. Single and master carry the lines of the system's handsets."""

    SINGLE = "single"
    MASTER = "master"
    MEMBER = "member"


class Plan(StrEnum):
    PRO = "pro"
    PLUS = "plus"
    BASIC = "basic"

    @property
    def allows_physical_phone(self) -> bool:
        return self is not Plan.BASIC


class NumberStatus(StrEnum):
    RESERVED = "reserved"
    ACTIVE = "active"
    PENDING = "pending"


class Feature(StrEnum):
    """What a number can do beside being called (E6); a station type names those that it allows."""

    FORWARD_ALWAYS = "forward_always"
    FORWARD_BUSY = "forward_busy"
    FORWARD_NO_ANSWER = "forward_no_answer"
    VOICEMAIL = "voicemail"
    VOICEMAIL_TO_EMAIL = "voicemail_to_email"
    HIDE_CALLER_ID = "hide_caller_id"
    CALL_WAITING = "call_waiting"
    DO_NOT_DISTURB = "do_not_disturb"
    CALLER_IDENTITY = "caller_identity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """The features of a number as they are set; :mod:`offhook.inventory.features` says which of them are in force."""

    forward_always: str | None = None
    #: E.164 number or extension that every call goes to.
    forward_busy: str | None = None
    forward_no_answer: str | None = None
    #: After three rings.
    voicemail: bool = False
    voicemail_to_email: bool = False
    #: To the address of the user whom the number is assigned to.
    hide_caller_id: bool = False
    call_waiting: bool = True
    do_not_disturb: bool = False
    #: Callers get voicemail where there is one, else busy.
    caller_identity: str | None = None
    #: E.164 number, of the site's active ones, that is shown to those who are called.
    authorisation_code: bool = False
    #: Calls to the outside want a code; forwarding, which could not give it, is off.

    @property
    def forward_targets(self) -> frozenset[str]:
        """Where calls are forwarded to, on whatever occasion."""
        return frozenset(filter(None, (self.forward_always, self.forward_busy, self.forward_no_answer)))


class CredentialState(StrEnum):
    """``active`` is what the device's file holds; ``staged`` is accepted already, ``retiring`` still."""

    STAGED = "staged"
    ACTIVE = "active"
    RETIRING = "retiring"


#: Wrong PINs in a row that lock a number or user (E4).
PIN_ATTEMPTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A customer or site with a SIP domain of its own."""

    id: int
    name: str
    sip_domain: str
    #: Registrar and realm of its phones; unique in the daemon.
    former_domains: tuple[str, ...] = ()
    #: Accepted until every carrier of the account is current.
    gateway: str | None = None
    #: SIP URI of the PBX to which calls are redirected.
    external_registrar: str | None = None
    #: ``host[:port]`` of a foreign registrar that the account's phones register with instead of Offhook.
    access: AccessLevel = AccessLevel.TOKEN
    digest_algorithms: tuple[str, ...] = ("MD5",)
    language: str = "en"
    #: BCP 47 tag.
    timezone: str = "UTC"
    #: IANA name.
    ntp_server: str | None = None
    tones: str = "us"
    #: ISO 3166-1 alpha-2 country in lower case, whose call progress tones the phones play.
    token_digest: bytes = b""
    sealed_token: bytes = b""
    former_token_digest: bytes | None = None
    former_token_until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place that phones stand in: the emergency dispatch address, and a time zone."""

    id: int
    account_id: int
    name: str
    timezone: str | None = None
    address: EmergencyAddress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationType:
    """A label for numbers, with the features that it allows, e.g. premium, standard, common area (T1)."""

    id: int
    account_id: int
    name: str
    features: tuple[str, ...] = ()
    #: Values of :class:`Feature`, in the order of that enumeration.


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    id: int
    account_id: int
    username: str
    first_name: str = ""
    last_name: str = ""
    email: str | None = None
    plan: Plan = Plan.PRO
    extension: str | None = None
    location_id: int | None = None
    timezone: str | None = None
    forward_unreachable: str | None = None
    voicemail_to_email: bool = False
    offsite_address: EmergencyAddress | None = None
    is_authorised: bool = False
    #: May order changes by telephone, and shows a PIN for it (N1).
    sealed_default_pin: bytes = b""
    #: See :mod:`offhook.inventory.pins`.
    pin_hash: str | None = None
    pin_failures: int = 0

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.username


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    id: int
    account_id: int
    number: str
    #: E.164
    extension: str | None = None
    #: The last four digits where nothing else was said (N2); see ``rules.default_extension``.
    location_id: int | None = None
    status: NumberStatus = NumberStatus.ACTIVE
    is_main: bool = False
    station_type_id: int | None = None
    display_first: str = ""
    display_last: str = ""
    user_id: int | None = None
    features: Features = Features()
    sealed_default_pin: bytes = b""
    #: The PIN that is shown, and in force while there is no other.
    pin_hash: str | None = None
    #: argon2 of the PIN that its user chose; None while the default one is in force.
    pin_failures: int = 0
    #: Wrong PINs in a row; at ``PIN_ATTEMPTS`` it is locked until it is reset.

    @property
    def display_name(self) -> str:
        return f"{self.display_first} {self.display_last}".strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class DectSystem:
    """Bases that act as one; its handsets' lines are carried by its master."""

    id: int
    account_id: int
    name: str
    vendor: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    id: int
    account_id: int
    type: DeviceType
    mac: str | None = None
    ipei: str | None = None
    name: str | None = None
    vendor: str | None = None
    #: Name of a vendor folder, e.g. ``yealink``.
    model: str | None = None
    #: As typed in; what the device reports is among its facts.
    location_id: int | None = None
    state: DeviceState = DeviceState.ACTIVE
    phone_id: str = ""
    #: Six digits that the device shows on its screen, unique in the daemon (E5).
    system_id: int | None = None
    role: BaseRole | None = None
    base_id: int | None = None
    #: Of a handset: the base it is paired with.
    slot: int | None = None
    #: Of a paired handset: its place in its carrier's file, from 1.
    address: EmergencyAddress | None = None
    token_digest: bytes = b""
    sealed_token: bytes = b""
    created_at: float = 0.0
    former_identifiers: tuple[str, ...] = ()
    #: MACs or IPEIs of the hardware that this one has replaced (R13), latest last.


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A registration of a device, with at most one assignment: a number, else a user, else an extension of its own.

    A number that is logged in by the phone ID (E5) stands before an extension of the line's own until it logs out.
    """

    id: int
    account_id: int
    device_id: int
    index: int
    appearances: int = 1
    label: str | None = None
    number_id: int | None = None
    user_id: int | None = None
    extension: str | None = None
    logged_in_at: float | None = None
    #: When the number was logged in by the phone ID; None where it was assigned.

    @property
    def assigned_number_id(self) -> int | None:
        """The line's number, unless it is only logged in."""
        return self.number_id if self.logged_in_at is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What a line shows to the registrar. A line has one that is active, and others while they overlap."""

    id: int
    line_id: int
    auth_username: str
    realm: str
    aor_user: str
    #: User part of the address of record that the device's file names beside this credential.
    ha1: tuple[tuple[str, str], ...]
    #: Digest algorithm and H(username:realm:password) in hexadecimal (RFC 7616 §3.4.2); sealed at rest.
    sealed_secret: bytes
    state: CredentialState = CredentialState.ACTIVE
    is_external: bool = False
    #: Brought along from a foreign registrar, not made here.
    created_at: float = 0.0
    retire_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """The configuration of a device that fetches files: a number that rises whenever their content would change."""

    id: int
    #: The device's id.
    revision: int
    digest: str
    #: Of everything that goes into its files.
    registration_digest: str
    registration_revision: int
    #: The last revision that changed what the device registers with.


Entity = Account | Location | StationType | User | Number | DectSystem | Device | Line | Credential | Carrier
