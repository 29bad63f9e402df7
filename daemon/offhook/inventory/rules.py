"""The rules between things, each in one place: they look at a draft and give what it breaks, and change nothing."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Final

from offhook.inventory.identifiers import format_ipei, format_mac
from offhook.inventory.models import (
    Account,
    BaseRole,
    Credential,
    DectSystem,
    Device,
    DeviceType,
    Entity,
    Line,
    Location,
    Number,
    User,
)
from offhook.inventory.ports import Delete, Put
from offhook.inventory.snapshot import Draft, Inventory

PHYSICAL_PHONES: Final = frozenset({DeviceType.DESKPHONE, DeviceType.DECT_HANDSET, DeviceType.ATA, DeviceType.GENERIC})
#: In one message.
_NAMES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule broken by an entity. ``field`` is the one to change."""

    entity: Entity
    field: str
    message: str
    is_conflict: bool = False
    #: The value is right in itself, but contradicts what else is there.
    rests_on: tuple[Hashable, ...] = ()
    #: Ids of what else has a part in it; ``("numbers", user id)`` where it is all numbers of a user.


def default_extension(number: str) -> str:
    """N2: the last four digits of the number."""
    return number[-4:]


def name_type(kind: DeviceType) -> str:
    """A type with its article, as sentences have it."""
    return f"{'an' if kind is DeviceType.ATA else 'a'} {kind.value}"


def describe_device(device: Device) -> str:
    """A device as people know it: its name and identifier."""
    identifier = (
        format_mac(device.mac)
        if device.mac
        else f"IPEI {format_ipei(device.ipei)}"
        if device.ipei
        else device.type.value
    )
    return f"{device.name} ({identifier})" if device.name else identifier


def describe(entity: Entity, inventory: Inventory) -> str:
    """Kind and natural key, as messages and the audit name a thing."""
    match entity:
        case Account():
            return f"account {entity.name}"
        case Location():
            return f"location {entity.name}"
        case User():
            return f"user {entity.username}"
        case Number():
            return f"number {entity.number}"
        case DectSystem():
            return f"DECT system {entity.name}"
        case Device():
            return f"device {describe_device(entity)}"
        case Line():
            device = inventory.find(Device, entity.device_id)
            return f"line {entity.index} of {describe_device(device) if device else 'a deleted device'}"
        case Credential():
            return f"credential {entity.auth_username}"
        case _:
            return f"revision of device {entity.id}"


def physical_devices_of(inventory: Inventory, user_id: int) -> list[Device]:
    """The phones a user has; a softphone is none (U1)."""
    devices = {
        device.id: device
        for line in lines_of_person(inventory, user_id)
        if (device := inventory.find(Device, line.device_id)) is not None and device.type in PHYSICAL_PHONES
    }
    return [devices[device_id] for device_id in sorted(devices)]


def lines_of_person(inventory: Inventory, user_id: int) -> list[Line]:
    """The lines of a user: assigned to the user, or to one of the user's numbers."""
    lines = list(inventory.lines_of_user(user_id))
    for number_id in inventory.ids_under("number.user", user_id):
        line = inventory.line_of_number(number_id)
        if line is not None:
            lines.append(line)
    return lines


def users_concerned(draft: Draft) -> list[int]:
    """Users whose phones, or right to have one, a draft's changes may have altered."""
    users: set[int | None] = set()
    for change in draft.changes:
        match change.entity:
            case User(id=user_id):
                users.add(user_id)
            case Number(user_id=user_id):
                users.add(user_id)
            case Line(user_id=user_id, number_id=number_id):
                users.add(user_id)
                number = draft.find(Number, number_id)
                users.add(number.user_id if number is not None else None)
    return sorted(user_id for user_id in users if user_id is not None)


def find_breaches(draft: Draft) -> list[Breach]:
    """Everything that the draft's changes break."""
    breaches = list(_duplicates(draft))
    lines: dict[int, Line] = {}
    for change in draft.changes:
        entity = change.entity
        if isinstance(change, Delete):
            if isinstance(entity, Location):
                breaches.extend(_of_deleted_location(entity, draft))
        elif isinstance(entity, Line):
            lines[entity.id] = entity
        else:
            breaches.extend(_of_entity(entity, draft))
        if isinstance(change, Put) and isinstance(entity, Number):
            line = draft.line_of_number(entity.id)
            lines.update({line.id: line} if line is not None else {})
    for user_id in users_concerned(draft):
        lines.update({line.id: line for line in lines_of_person(draft, user_id)})
        breaches.extend(_of_users_phones(user_id, draft))
    for line in lines.values():
        breaches.extend(_of_line(line, draft))
    return breaches


def _of_deleted_location(location: Location, draft: Draft) -> Iterator[Breach]:
    kinds: tuple[type[Device | User | Number], ...] = (Device, User, Number)
    users = [entity for kind in kinds for entity in draft.all(kind) if entity.location_id == location.id]
    if users:
        names = ", ".join(describe(entity, draft) for entity in users[:_NAMES_SHOWN])
        more = f" and {len(users) - _NAMES_SHOWN} more" if len(users) > _NAMES_SHOWN else ""
        yield Breach(
            location,
            "location",
            f"location {location.name} is used by {names}{more}, so it cannot be deleted: move them first",
            is_conflict=True,
            rests_on=_ids(*users),
        )


def _ids(*entities: Entity) -> tuple[Hashable, ...]:
    return tuple(entity.id for entity in entities)


def _duplicates(draft: Draft) -> Iterator[Breach]:
    what = {
        "account.name": ("name", "the account name {} is taken"),
        "account.domain": ("sip_domain", "the SIP domain {} belongs to another account already"),
        "location.name": ("name", "the account has a location {} already"),
        "user.username": ("username", "the user name {} is taken; user names are unique in the daemon"),
        "number.number": ("number", "the number {} stands in the inventory already"),
        "system.name": ("name", "the account has a DECT system {} already"),
        "device.mac": ("mac", "the MAC {} belongs to another device already"),
        "device.ipei": ("ipei", "the IPEI {} belongs to another handset already"),
        "device.phone_id": ("phone_id", "the phone ID {} is taken"),
        "line.place": ("index", "line {} exists twice on this device"),
        "line.number": ("number", "the number is logged in on another line already"),
        "extension": ("extension", "the extension {} is taken"),
    }
    crowded = [key for key in draft.touched_keys() if len(draft.ids_under(*key)) > 1]
    for name, value in sorted(crowded, key=repr):
        owners = _owners(draft, name, value)
        shown = value[-1] if isinstance(value, tuple) else value
        shown = format_mac(str(shown)) if name == "device.mac" else shown
        field, message = what[name]
        culprit = max(owners, key=lambda owner: (_novelty(owner, draft), owner.id))
        others = ", ".join(describe(owner, draft) for owner in owners if owner is not culprit)
        yield Breach(culprit, field, f"{message.format(shown)}: by {others}", is_conflict=True, rests_on=_ids(*owners))


def _novelty(entity: Entity, draft: Draft) -> int:
    """New things are at fault before changed ones, and those before what was there."""
    before = draft.base.find(type(entity), entity.id)
    return 2 if before is None else 1 if before != entity else 0


_OWNERS: Final[dict[str, tuple[type[Entity], ...]]] = {
    "account": (Account,),
    "location": (Location,),
    "user": (User,),
    "number": (Number,),
    "system": (DectSystem,),
    "device": (Device,),
    "line": (Line,),
    "extension": (User, Number, Line),
}


def _owners(draft: Draft, name: str, value: Hashable) -> list[Entity]:
    """Who stands under a unique key. Extensions belong to users, numbers and lines alike."""
    kinds = _OWNERS[name.partition(".")[0]]
    ids = draft.ids_under(name, value)
    return [entity for entity_id in ids for kind in kinds if (entity := draft.find(kind, entity_id)) is not None]


def _of_entity(entity: Entity, draft: Draft) -> Iterator[Breach]:
    match entity:
        case Device():
            yield from _of_device(entity, draft)
        case Credential(is_external=False):
            lines = {
                credential.line_id
                for credential in draft.credentials_named(entity.auth_username)
                if not credential.is_external
            }
            if len(lines) > 1:
                yield Breach(
                    entity,
                    "auth_username",
                    f"the authentication name {entity.auth_username} is used by another line already; "
                    "it is unique in the daemon",
                    is_conflict=True,
                    rests_on=tuple(lines),
                )
        case Number():
            if entity.user_id is not None and (user := draft.find(User, entity.user_id)) is not None:
                yield from _same_account(entity, "user", user.account_id, entity.account_id, f"user {user.username}")
        case _:
            return


def _same_account(entity: Entity, field: str, one: int, other: int, what: str) -> Iterator[Breach]:
    if one != other:
        yield Breach(entity, field, f"{what} belongs to another account")


def _of_device(device: Device, draft: Draft) -> Iterator[Breach]:
    if device.type is DeviceType.DECT_HANDSET:
        if device.ipei is None:
            yield Breach(device, "ipei", "a DECT handset needs its IPEI: dial *#06# on it")
        if device.mac is not None:
            yield Breach(device, "mac", "a DECT handset has an IPEI and no MAC")
        if device.location_id is not None:
            yield Breach(device, "location", "a handset has the location of its base; leave it out")
        if device.address is not None:
            yield Breach(device, "address", "a handset has the emergency address of its base; leave it out")
        base = draft.find(Device, device.base_id)
        if base is not None and base.type is not DeviceType.DECT_BASE:
            message = f"{describe_device(base)} is {name_type(base.type)}, not a DECT base"
            yield Breach(device, "base", message, rests_on=_ids(base))
        if base is not None:
            yield from _same_account(device, "base", base.account_id, device.account_id, describe_device(base))
    else:
        if device.ipei is not None:
            yield Breach(device, "ipei", "only DECT handsets have an IPEI")
        if device.base_id is not None:
            yield Breach(device, "base", "only DECT handsets are paired with a base")
        if device.type is DeviceType.SOFTPHONE:
            if device.mac is not None:
                yield Breach(device, "mac", "a softphone has no MAC; leave it out")
            if device.name is None:
                yield Breach(device, "name", "a softphone is known by its name; give it one")
            elif any(
                other.id != device.id and other.account_id == device.account_id and other.type is device.type
                for other in draft.devices_named(device.name)
            ):
                yield Breach(device, "name", f"the account has a softphone {device.name} already", is_conflict=True)
        elif device.mac is None:
            yield Breach(device, "mac", f"{name_type(device.type)} needs its MAC, which is on the label")
    if device.type is not DeviceType.DECT_BASE and (device.system_id is not None or device.role is not None):
        yield Breach(device, "system", "only DECT bases belong to a DECT system and have a role")
    if device.system_id is not None and device.type is DeviceType.DECT_BASE:
        bases = draft.bases_of(device.system_id)
        if device.role is BaseRole.SINGLE and len(bases) > 1:
            message = f"the DECT system has {len(bases)} bases, so this one is master or member, not single"
            yield Breach(device, "role", message, rests_on=_ids(*bases))
        leaders = [base for base in bases if base.role is not BaseRole.MEMBER]
        if len(leaders) > 1:
            names = ", ".join(describe_device(base) for base in leaders)
            message = f"a DECT system has one base that is single or master, not {names}"
            yield Breach(device, "role", message, rests_on=_ids(*leaders))
    location = draft.find(Location, device.location_id)
    if location is not None:
        yield from _same_account(
            device, "location", location.account_id, device.account_id, f"location {location.name}"
        )


def _of_line(line: Line, draft: Draft) -> Iterator[Breach]:
    device = draft.get(Device, line.device_id)
    if device.type is DeviceType.DECT_BASE:
        yield Breach(line, "lines", "a DECT base has no lines of its own: give them to its handsets")
    if device.type is DeviceType.DECT_HANDSET and line.index != 1:
        yield Breach(line, "index", "a handset has one line, with index 1")
    if sum(value is not None for value in (line.user_id, line.number_id, line.extension)) > 1:
        yield Breach(line, "user", "a line has one assignment: a number, a user, or an extension of its own")
    user = draft.find(User, line.user_id)
    if user is not None:
        yield from _same_account(line, "user", user.account_id, device.account_id, f"user {user.username}")
        yield from _of_plan(line, "user", device, user)
        if draft.extension_of(line) is None:
            message = f"user {user.username} has no extension: give the user one, or a number"
            yield Breach(line, "user", message, rests_on=(device.id, user.id, ("numbers", user.id)))
    number = draft.find(Number, line.number_id)
    if number is not None:
        yield from _same_account(line, "number", number.account_id, device.account_id, f"number {number.number}")
        if (owner := draft.find(User, number.user_id)) is not None:
            yield from _of_plan(line, "number", device, owner)
        if draft.extension_of(line) is None:
            message = f"number {number.number} has no extension: give it one"
            yield Breach(line, "number", message, rests_on=_ids(device, number))


def _of_plan(line: Line, field: str, device: Device, user: User) -> Iterator[Breach]:
    """U2."""
    if device.type in PHYSICAL_PHONES and not user.plan.allows_physical_phone:
        yield Breach(
            line,
            field,
            f"user {user.username} has plan {user.plan.value}, which allows no physical phone; "
            "change the plan to plus or pro",
            rests_on=_ids(device, user),
        )


def _of_users_phones(user_id: int, draft: Draft) -> Iterator[Breach]:
    user = draft.find(User, user_id)
    devices = physical_devices_of(draft, user_id)
    lines = lines_of_person(draft, user_id)
    if user is None or len(devices) < 2:
        return
    had = {device.id for device in physical_devices_of(draft.base, user_id)}
    held = [device for device in devices if device.id in had] or devices[:1]
    new = [device for device in devices if device.id not in had] or devices[1:]
    yield Breach(
        new[0],
        "user",
        f"user {user.username} has {describe_device(held[0])} already, and a user has one device at a time; "
        "--confirm-moves moves the user and releases the old device",
        is_conflict=True,
        rests_on=_ids(user, *devices, *lines),
    )
