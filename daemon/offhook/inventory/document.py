"""The inventory document: what administrators write for ``plan`` and ``apply``, and ``export`` gives back.

A field that is absent leaves things as they are; ``null`` clears. Everything is checked here as far as it can be
without looking at the inventory, all faults at once, each with its line.
"""

from functools import cache
from typing import Annotated, Any, Final
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from offhook.errors import Invalid, SipError
from offhook.inventory import identifiers
from offhook.inventory.models import AccessLevel, BaseRole, DeviceState, DeviceType, Feature, NumberStatus, Plan
from offhook.secret import Secret
from offhook.sip.digest import Algorithm
from offhook.sip.uri import SipUri


def _checked(parse: Any) -> AfterValidator:
    """Makes an identifier parser a validator: its refusal, with the remedy, becomes the fault's message."""

    def validate(text: str) -> str:
        try:
            return str(parse(text))
        except Invalid as error:
            raise ValueError(f"{error.message}; {error.remedy}") from None

    return AfterValidator(validate)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


def parse_timezone(text: str) -> str:
    """An IANA time zone name."""
    if text not in _timezones():
        raise Invalid(
            f"{text!r} is not a time zone", field="timezone", rule="IANA", remedy="write it like America/New_York"
        )
    return text


def parse_gateway(text: str) -> str:
    """The SIP URI of a PBX: host, port and parameters, without a user."""
    try:
        uri = SipUri.parse(text)
    except SipError:
        uri = None
    if uri is None or uri.user is not None or uri.headers is not None:
        raise Invalid(
            f"{text!r} cannot be a gateway", field="gateway", rule="", remedy="write it like sip:pbx.acme.test"
        )
    return text


#: A name of 253 characters (RFC 1035 §2.3.4), and a port.
_HOST_LIMIT: Final = 259


def parse_host(text: str) -> str:
    """``host`` or ``host:port`` of a registrar or time server."""
    try:
        uri = SipUri.parse(f"sip:{text}")
    except SipError:
        uri = None
    if uri is None or uri.user is not None or uri.parameters or uri.headers is not None or len(text) > _HOST_LIMIT:
        raise Invalid(f"{text[:64]!r} is not a host", field="host", rule="", remedy="write it as host or host:port")
    return text


def parse_language(text: str) -> str:
    """A language tag."""
    tag = text.strip()
    if not tag.replace("-", "").isalpha() or not 2 <= len(tag) <= 12:
        raise Invalid(f"{text!r} is not a language", field="language", rule="", remedy="write it like en or de-CH")
    return tag


def parse_country(text: str) -> str:
    """A two-letter country."""
    if not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise Invalid(f"{text!r} is not a country", field="country", rule="", remedy="write two letters, e.g. US")
    return text.upper()


def parse_algorithm(text: str) -> str:
    """A digest algorithm that Offhook speaks (RFC 8760)."""
    for algorithm in Algorithm:
        if algorithm.value.upper() == text.upper():
            return algorithm.value
    names = ", ".join(algorithm.value for algorithm in Algorithm)
    raise Invalid(f"{text!r} is not a digest algorithm", field="digest_algorithms", rule="", remedy=f"use {names}")


def parse_nothing(text: str) -> str:
    """Free text on one line; may be empty."""
    return identifiers.parse_label(text, "text") if text.strip() else ""


def _access(value: object) -> object:
    choices = [level.value for level in AccessLevel if level is not AccessLevel.CERTIFICATE]
    if value == AccessLevel.CERTIFICATE:
        raise ValueError("certificate needs HTTPS, which is not in this version; use device or token")
    if value not in choices:
        shown = f", not {value[:60]!r}" if isinstance(value, str) else ""
        raise ValueError(f"wants one of {', '.join(choices)}{shown}")
    return value


def _secret(value: object) -> object:
    return Secret(value) if isinstance(value, str) else value


def _password(secret: Secret) -> Secret:
    text = secret.reveal()
    if not 1 <= len(text) <= 128 or not text.isascii() or not text.isprintable() or any(c in text for c in ' "\\'):
        raise ValueError("a password has 1 to 128 printable ASCII characters, without blanks, quotes and backslashes")
    return secret


Label = Annotated[str, _checked(identifiers.parse_label)]
Text = Annotated[str, _checked(parse_nothing)]
Mac = Annotated[str, _checked(identifiers.parse_mac)]
Ipei = Annotated[str, _checked(identifiers.parse_ipei)]
E164 = Annotated[str, _checked(identifiers.parse_e164)]
Extension = Annotated[str, _checked(identifiers.parse_extension)]
Username = Annotated[str, _checked(identifiers.parse_username)]
Email = Annotated[str, _checked(identifiers.parse_email)]
Domain = Annotated[str, _checked(identifiers.parse_domain)]
AuthUsername = Annotated[str, _checked(identifiers.parse_auth_username)]
Timezone = Annotated[str, _checked(parse_timezone)]
Gateway = Annotated[str, _checked(parse_gateway)]
Host = Annotated[str, _checked(parse_host)]
Language = Annotated[str, _checked(parse_language)]
Country = Annotated[str, _checked(parse_country)]
DigestAlgorithm = Annotated[str, _checked(parse_algorithm)]
VendorName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$"), BeforeValidator(lambda v: _lower(v))]
LineIndex = Annotated[int, Field(ge=1, le=256)]
Password = Annotated[
    Secret,
    BeforeValidator(_secret),
    AfterValidator(_password),
    WithJsonSchema({"type": "string", "format": "password", "writeOnly": True, "minLength": 1, "maxLength": 128}),
]


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _nullable(schema: JsonSchemaValue) -> JsonSchemaValue:
    bare = {name: value for name, value in schema.items() if name != "default"}
    choices = bare.get("anyOf", [bare])
    return bare if {"type": "null"} in choices else {"anyOf": [*choices, {"type": "null"}]}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _clear(cls, data: object) -> object:
        """``null`` clears: what cannot be without a value goes back to its default."""
        if not isinstance(data, dict) or None not in data.values():
            return data
        defaults = {name: field.default for name, field in cls.model_fields.items() if not field.is_required()}
        return {name: defaults.get(name) if value is None else value for name, value in data.items()}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Every field that can be left out takes ``null`` as well; what it is then is no default in JSON's sense."""
        described = handler(schema)
        properties = handler.resolve_ref_schema(described)["properties"]
        for name, field in cls.model_fields.items():
            if not field.is_required():
                properties[name] = _nullable(properties[name])
        return described

    def stated(self, *names: str) -> dict[str, Any]:
        """Those of these fields that the document states, null included."""
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}


class AddressElements(_Part):
    """Civic address elements but the country, as in :class:`offhook.inventory.address.CivicAddress`."""

    state: Text = ""
    county: Text = ""
    city: Text = ""
    community: Text = ""
    house_prefix: Text = ""
    house_number: Text = ""
    house_suffix: Text = ""
    pre_directional: Text = ""
    pre_modifier: Text = ""
    pre_type: Text = ""
    street: Text = ""
    suffix: Text = ""
    post_directional: Text = ""
    post_modifier: Text = ""
    building: Text = ""
    floor: Text = ""
    unit: Text = ""
    room: Text = ""
    seat: Text = ""
    landmark: Text = ""
    location_text: Text = ""
    name: Text = ""
    postal_code: Text = ""


class AddressPart(AddressElements):
    """A whole address."""

    country: Country


class LocationFields(_Part):
    """What a location has beside its name."""

    timezone: Timezone | None = None
    address: AddressPart | None = None


class LocationPart(LocationFields):
    """A place that phones stand in."""

    name: Label
    rename_from: Label | None = None


class StationTypeFields(_Part):
    """What a station type has beside its name."""

    features: list[Feature] = []


class StationTypePart(StationTypeFields):
    """A label for numbers, with the features that it allows."""

    name: Label
    rename_from: Label | None = None


class UserFields(_Part):
    """What a user has beside the user name."""

    first_name: Text = ""
    last_name: Text = ""
    email: Email | None = None
    plan: Plan = Plan.PRO
    extension: Extension | None = None
    location: Label | None = None
    timezone: Timezone | None = None
    forward_unreachable: E164 | Extension | None = None
    voicemail_to_email: bool = False
    authorised: bool = False
    offsite_address: AddressPart | None = None


class UserPart(UserFields):
    """A user."""

    username: Username
    rename_from: Username | None = None


class DisplayNamePart(_Part):
    """E3: the two-part display name of a number."""

    first: Text = ""
    last: Text = ""


class FeaturesPart(_Part):
    """E6: the features of a number; one that is absent stays as it is."""

    forward_always: E164 | Extension | None = None
    forward_busy: E164 | Extension | None = None
    forward_no_answer: E164 | Extension | None = None
    voicemail: bool = False
    voicemail_to_email: bool = False
    hide_caller_id: bool = False
    call_waiting: bool = True
    do_not_disturb: bool = False
    caller_identity: E164 | None = None
    authorisation_code: bool = False


class NumberFields(_Part):
    """What a number has beside itself."""

    location: Label | None = None
    status: NumberStatus = NumberStatus.ACTIVE
    main: bool = False
    extension: Extension | None = None
    station_type: Label | None = None
    display_name: DisplayNamePart | None = None
    features: FeaturesPart | None = None
    user: Username | None = None


class NumberPart(NumberFields):
    """A number."""

    number: E164


class SystemFields(_Part):
    """What a DECT system has beside its name."""

    vendor: VendorName | None = None
    model: Label | None = None


class SystemPart(SystemFields):
    """DECT bases that act as one."""

    name: Label
    rename_from: Label | None = None


class LineFields(_Part):
    """What a line has beside its index."""

    user: Username | None = None
    number: E164 | None = None
    extension: Extension | None = None
    label: Label | None = None
    appearances: Annotated[int, Field(ge=1, le=24)] = 1
    auth_username: AuthUsername | None = None
    password: Password | None = None


class LinePart(LineFields):
    """A line of a device."""

    index: LineIndex


class DeviceFields(_Part):
    """What a device has beside what it is known by, its type and its lines."""

    vendor: VendorName | None = None
    model: Label | None = None
    location: Label | None = None
    state: DeviceState = DeviceState.ACTIVE
    user: Username | None = None
    base: Label | None = None
    system: Label | None = None
    role: BaseRole | None = None
    address: AddressPart | None = None


class DevicePart(DeviceFields):
    """A device: known by its MAC, its IPEI, or a softphone by its name."""

    type: DeviceType | None = None
    mac: Mac | None = None
    ipei: Ipei | None = None
    name: Label | None = None
    rename_from: Label | None = None
    lines: Annotated[list[LinePart] | None, BeforeValidator(lambda value: value or [])] = None


class AccountFields(_Part):
    """What an account has beside its name and its lists."""

    sip_domain: Domain | None = None
    gateway: Gateway | None = None
    external_registrar: Host | None = None
    access: Annotated[AccessLevel, BeforeValidator(_access)] = AccessLevel.TOKEN
    digest_algorithms: Annotated[list[DigestAlgorithm], Field(min_length=1)] = ["MD5"]
    language: Language = "en"
    timezone: Timezone = "UTC"
    ntp_server: Host | None = None
    tones: Country = "us"


class AccountPart(AccountFields):
    """An account, and what belongs to it."""

    name: Label
    rename_from: Label | None = None
    locations: list[LocationPart] = []
    station_types: list[StationTypePart] = []
    users: list[UserPart] = []
    numbers: list[NumberPart] = []
    dect_systems: list[SystemPart] = []
    devices: list[DevicePart] = []


class InventoryPart(_Part):
    """The whole document."""

    accounts: list[AccountPart]


#: Lists that hold parts, by the name of the field; what ``--prune`` looks through.
LISTS: Final = ("locations", "station_types", "users", "numbers", "dect_systems", "devices")
