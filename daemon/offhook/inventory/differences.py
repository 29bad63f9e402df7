"""Changes in words: what ``plan`` prints and the audit keeps. Secrets are hidden, ids are names."""

from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, fields
from dataclasses import field as dataclass_field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from offhook.inventory.address import CivicAddress, EmergencyAddress
from offhook.inventory.emergency.parse import format_address
from offhook.inventory.identifiers import format_ipei, format_mac
from offhook.inventory.models import (
    PIN_ATTEMPTS,
    Account,
    Carrier,
    Credential,
    CredentialState,
    DectSystem,
    Device,
    Entity,
    Features,
    Line,
    Location,
    Number,
    StationType,
    User,
)
from offhook.inventory.ports import Change, Put
from offhook.inventory.rules import describe
from offhook.inventory.snapshot import Inventory
from offhook.secret import Secret


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class FieldDifference:
    """A field before and after; empty where it was, or is, not set."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that changes."""

    action: Action
    kind: str
    key: str
    #: Kind and natural key, e.g. ``device Reception (00:15:65:12:34:56)``.
    fields: tuple[FieldDifference, ...]
    account: str = dataclass_field(default="", compare=False)
    #: The account that it belongs to, by name.


#: In the order in which people think.
_KIND_NAMES: Final[dict[type[Entity], str]] = {
    Account: "account",
    Location: "location",
    StationType: "station_type",
    DectSystem: "dect_system",
    User: "user",
    Number: "number",
    Device: "device",
    Line: "line",
    Credential: "credential",
}
#: Fields that say nothing to a person, or must not be said.
_HIDDEN: Final = frozenset(
    {"id", "account_id", "phone_id", "token_digest", "former_token_digest", "created_at", "slot", "logged_in_at"}
)
_SECRET: Final = frozenset({"sealed_token", "sealed_secret", "sealed_default_pin", "ha1"})
_REFERENCES: Final[dict[str, type[Entity]]] = {
    "location_id": Location,
    "station_type_id": StationType,
    "user_id": User,
    "number_id": Number,
    "system_id": DectSystem,
    "base_id": Device,
    "device_id": Device,
    "line_id": Line,
}


def find_differences(before: Inventory, after: Inventory, changes: Iterable[Change]) -> list[Difference]:
    """The changes in words: accounts first, credentials last."""
    order = list(_KIND_NAMES)
    found: list[tuple[int, str, Difference]] = []
    for change in changes:
        entity = change.entity
        if isinstance(entity, Carrier) or _is_implied(entity, before, after):
            continue
        old = before.find(type(entity), entity.id)
        new = entity if isinstance(change, Put) else None
        action = Action.DELETE if new is None else Action.CREATE if old is None else Action.UPDATE
        parts = tuple(_fields(change, before, after))
        if action is Action.UPDATE and not parts:
            continue
        known = before if new is None else after
        key = describe(entity, known)
        difference = Difference(action, _KIND_NAMES[type(entity)], key, parts, name_account(entity, known))
        found.append((order.index(type(entity)), key, difference))
    return [difference for _, _, difference in sorted(found, key=lambda item: item[:2])]


def name_kind(entity: Entity) -> str:
    """What kind of thing it is, as the audit names it."""
    return _KIND_NAMES[type(entity)]


def name_account(entity: Entity, inventory: Inventory) -> str:
    """The account that a thing belongs to; empty where it is gone."""
    match entity:
        case Account():
            return entity.name
        case Carrier():
            device = inventory.find(Device, entity.id)
            account_id = device.account_id if device is not None else None
        case Credential():
            line = inventory.find(Line, entity.line_id)
            account_id = line.account_id if line is not None else None
        case _:
            account_id = entity.account_id
    account = inventory.find(Account, account_id)
    return account.name if account is not None else ""


def _is_implied(entity: Entity, before: Inventory, after: Inventory) -> bool:
    """Lines and credentials come and go with their device, and need no lines of their own then."""
    if isinstance(entity, Credential):
        line = after.find(Line, entity.line_id) or before.find(Line, entity.line_id)
        fresh = before.find(Line, entity.line_id) is None or after.find(Line, entity.line_id) is None
        return fresh or line is None or entity.state is CredentialState.RETIRING
    if isinstance(entity, Line):
        gone = after.find(Device, entity.device_id) is None
        bare = entity.user_id is None and entity.number_id is None and entity.extension is None
        return gone or (bare and before.find(Line, entity.id) is None)
    return False


#: By kind, the names of the fields that are shown, and what each is by itself.
_SHOWN: Final = {
    kind: tuple(
        (part.name, part.default if part.default is not MISSING else None)
        for part in fields(kind)
        if part.name not in _HIDDEN
    )
    for kind in _KIND_NAMES
}


def _fields(change: Change, before: Inventory, after: Inventory) -> Iterable[FieldDifference]:
    """What differs; of a thing that comes or goes, what is not as it would be by itself."""
    entity = change.entity
    old, new = before.find(type(entity), entity.id), entity if isinstance(change, Put) else None
    for field, absent in _SHOWN[type(entity)]:
        was = getattr(old, field) if old is not None else absent
        is_now = getattr(new, field) if new is not None else absent
        if was == is_now:
            continue
        if field in ("pin_hash", "pin_failures"):
            continue  # Both make one difference.
        if field == "sealed_default_pin" and (not was or new is None):
            continue  # Everybody gets one.
        if field in _SECRET:
            if field.startswith("sealed"):
                name = field.removeprefix("sealed_")
                yield FieldDifference(name, Secret.MASK if was else "", Secret.MASK if is_now else "")
            continue
        shown_was = _show(field, was, before) if old is not None else ""
        shown_is = _show(field, is_now, after) if new is not None else ""
        if shown_was != shown_is:
            yield FieldDifference(field.removesuffix("_id"), shown_was, shown_is)
    if isinstance(old, (User, Number)) and isinstance(new, (User, Number)):
        pin_was, pin_is = _show_pin(old), _show_pin(new)
        if pin_was != pin_is or old.pin_hash != new.pin_hash:
            yield FieldDifference("pin", pin_was, pin_is)


def _show_pin(entity: User | Number) -> str:
    """Which PIN is in force, and whether it is locked; wrong attempts before that are told one by one elsewhere."""
    kind = "default" if entity.pin_hash is None else "own"
    return f"{kind}, locked" if entity.pin_failures >= PIN_ATTEMPTS else kind


#: Texts that people write otherwise than they are kept.
_WRITTEN: Final[dict[str, Callable[[str], str]]] = {"mac": format_mac, "ipei": format_ipei}


def _name(entity: Entity, inventory: Inventory) -> str:
    """What it is called, without its kind."""
    return (
        entity.name if isinstance(entity, (DectSystem, StationType)) else describe(entity, inventory).partition(" ")[2]
    )


def _show(name: str, value: object, inventory: Inventory) -> str:
    if type(value) is str:
        write = _WRITTEN.get(name)
        return write(value) if write is not None and value else value
    match value:
        case None | ():
            return ""
        case int() if name in _REFERENCES:
            entity = inventory.find(_REFERENCES[name], value)
            return _name(entity, inventory) if entity is not None else ""
        case bool():
            return "yes" if value else "no"
        case float() if name.endswith("_until"):
            return datetime.fromtimestamp(value, UTC).isoformat(timespec="seconds")
        case EmergencyAddress():
            return f"{_show('', value.entered, inventory)} ({value.state.value})"
        case Features():
            by_itself = Features()
            return ", ".join(
                f"{part.name} {_show('', held, inventory) or 'none'}"
                for part in fields(value)
                if (held := getattr(value, part.name)) != getattr(by_itself, part.name)
            )
        case CivicAddress():
            return format_address(value)
        case tuple():
            return ", ".join("=".join(item) if isinstance(item, tuple) else str(item) for item in value)
        case _:
            return str(value)
