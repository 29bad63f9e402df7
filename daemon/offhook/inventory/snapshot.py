"""The whole inventory in memory: immutable for its readers, replaced as one by each change.

Readers hold an :class:`Inventory` and see one consistent state. A change works on a :class:`Draft`, which shares
every table and index with the snapshot that it came from until it touches it; when the draft has been committed it
becomes the snapshot.
"""

from collections.abc import Hashable, Iterable, Iterator
from itertools import islice
from typing import Final, TypeVar, cast

from offhook.errors import NotFound
from offhook.inventory.indexes import UNIQUE, Key, index_keys
from offhook.inventory.models import (
    Account,
    BaseRole,
    Carrier,
    Credential,
    CredentialState,
    DectSystem,
    Device,
    DeviceState,
    DeviceType,
    Entity,
    Line,
    Location,
    Number,
    StationType,
    User,
)
from offhook.inventory.ports import Change, Delete, Put

E = TypeVar("E", bound=Entity)
_Table = dict[int, Entity]
_Index = dict[Hashable, tuple[int, ...]]

#: Entities in a part of :meth:`Inventory.changed_since`.
_COMPARED: Final = 4096

KINDS: Final[tuple[type[Entity], ...]] = (
    Account,
    Location,
    StationType,
    User,
    Number,
    DectSystem,
    Device,
    Line,
    Credential,
    Carrier,
)


class Inventory:
    """One state of everything. Never changed after it has been handed out."""

    __slots__ = ("_index", "_tables")

    def __init__(self, entities: Iterable[Entity] = ()) -> None:
        self._tables: dict[type, _Table] = {kind: {} for kind in KINDS}
        found: dict[str, dict[Hashable, list[int]]] = {}
        for entity in entities:
            self._tables[type(entity)][entity.id] = entity
            for name, value in index_keys(entity):
                found.setdefault(name, {}).setdefault(value, []).append(entity.id)
        self._index: dict[str, _Index] = {
            name: {value: tuple(ids) for value, ids in index.items()} for name, index in found.items()
        }

    def draft(self) -> "Draft":
        """A copy to change."""
        return Draft(self)

    # -- tables ---------------------------------------------------------------------------------------------------

    def all(self, kind: type[E]) -> Iterable[E]:
        """Every entity of a kind, in no order that matters."""
        return cast("Iterable[E]", self._tables[kind].values())

    def count(self, kind: type[Entity]) -> int:
        return len(self._tables[kind])

    def changed_since(self, before: "Inventory", kind: type[Entity]) -> Iterator[list[int]]:
        """Ids of a kind's entities that were added, replaced or removed since an earlier snapshot.

        They come in parts, empty ones too, so that others may run meanwhile: a table that any change has touched is
        compared from end to end. A draft shares what it leaves alone, so comparing by identity is enough.
        """
        ours, theirs = self._tables[kind], before._tables[kind]
        if ours is theirs:
            return
        entities, find, added = iter(ours.items()), theirs.get, 0
        for _ in range(0, len(ours), _COMPARED):
            part = [entity_id for entity_id, entity in islice(entities, _COMPARED) if find(entity_id) is not entity]
            added += sum(entity_id not in theirs for entity_id in part)
            yield part
        former = iter(theirs)
        for _ in range(0, len(theirs) if len(theirs) + added > len(ours) else 0, _COMPARED):
            yield [entity_id for entity_id in islice(former, _COMPARED) if entity_id not in ours]

    def find(self, kind: type[E], entity_id: int | None) -> E | None:
        return self._tables[kind].get(entity_id)  # type: ignore[return-value, arg-type]  # nothing is under None

    def get(self, kind: type[E], entity_id: int) -> E:
        """The entity; NotFound where there is none."""
        entity = self.find(kind, entity_id)
        if entity is None:
            raise NotFound(f"there is no {kind.__name__.lower()} with id {entity_id}")
        return entity

    def ids_under(self, name: str, value: Hashable) -> tuple[int, ...]:
        """Ids that stand under a key of one of the indexes."""
        index = self._index.get(name)
        return index.get(value, ()) if index is not None else ()

    def _first(self, kind: type[E], name: str, value: Hashable) -> E | None:
        ids = self.ids_under(name, value)
        return self.find(kind, ids[0]) if ids else None

    def _each(self, kind: type[E], name: str, value: Hashable) -> tuple[E, ...]:
        return tuple([self.get(kind, entity_id) for entity_id in self.ids_under(name, value)])

    # -- by natural key -------------------------------------------------------------------------------------------

    def find_account(self, name: str) -> Account | None:
        return self._first(Account, "account.name", name.casefold())

    def find_domain(self, host: str) -> Account | None:
        """The account whose SIP domain, present or former, this is."""
        return self._first(Account, "account.domain", host)

    def find_account_by_token(self, digest: bytes, now: float) -> Account | None:
        """The account of a provisioning token that is valid now."""
        account = self._first(Account, "account.token", digest)
        if account is None or account.token_digest == digest:
            return account
        return account if now < (account.former_token_until or 0.0) else None

    def find_location(self, account_id: int, name: str) -> Location | None:
        return self._first(Location, "location.name", (account_id, name.casefold()))

    def find_station_type(self, account_id: int, name: str) -> StationType | None:
        return self._first(StationType, "station_type.name", (account_id, name.casefold()))

    def find_user(self, username: str) -> User | None:
        return self._first(User, "user.username", username.casefold())

    def find_number(self, number: str) -> Number | None:
        return self._first(Number, "number.number", number)

    def find_system(self, account_id: int, name: str) -> DectSystem | None:
        return self._first(DectSystem, "system.name", (account_id, name.casefold()))

    def find_device_by_mac(self, mac: str) -> Device | None:
        return self._first(Device, "device.mac", mac)

    def find_device_by_ipei(self, ipei: str) -> Device | None:
        return self._first(Device, "device.ipei", ipei)

    def find_device_by_token(self, digest: bytes) -> Device | None:
        return self._first(Device, "device.token", digest)

    def find_device_by_phone_id(self, phone_id: str) -> Device | None:
        return self._first(Device, "device.phone_id", phone_id)

    def devices_named(self, name: str) -> tuple[Device, ...]:
        return self._each(Device, "device.name", name.casefold())

    # -- relations ------------------------------------------------------------------------------------------------

    def lines_of(self, device_id: int) -> tuple[Line, ...]:
        """A device's own lines by index."""
        return tuple(sorted(self._each(Line, "line.device", device_id), key=lambda line: line.index))

    def lines_of_user(self, user_id: int) -> tuple[Line, ...]:
        return self._each(Line, "line.user", user_id)

    def line_of_number(self, number_id: int) -> Line | None:
        return self._first(Line, "line.number", number_id)

    def numbers_of_user(self, user_id: int) -> tuple[Number, ...]:
        return self._each(Number, "number.user", user_id)

    def numbers_of_station_type(self, station_type_id: int) -> tuple[Number, ...]:
        return self._each(Number, "number.station_type", station_type_id)

    def handsets_of(self, base_id: int) -> tuple[Device, ...]:
        return self._each(Device, "device.base", base_id)

    def bases_of(self, system_id: int) -> tuple[Device, ...]:
        return self._each(Device, "device.system", system_id)

    def credentials_of(self, line_id: int) -> tuple[Credential, ...]:
        return self._each(Credential, "credential.line", line_id)

    def active_credential(self, line_id: int) -> Credential | None:
        """The one that the device's file holds."""
        for credential in self.credentials_of(line_id):
            if credential.state is CredentialState.ACTIVE:
                return credential
        return None

    def credentials_named(self, auth_username: str) -> tuple[Credential, ...]:
        """All credentials under an authentication name; they belong to one line."""
        return self._each(Credential, "credential.username", auth_username)

    def carrier_of(self, device: Device) -> Device | None:
        """The device whose file holds this device's lines: itself, or for a handset the master of its base's system."""
        if device.type is not DeviceType.DECT_HANDSET:
            return device
        base = self.find(Device, device.base_id)
        return (self.leader_of(base) or base) if base is not None else None

    def leader_of(self, base: Device) -> Device | None:
        """The base that carries the lines of a whole system: the one that is no member."""
        bases = self.bases_of(base.system_id) if base.system_id is not None else ()
        return next((other for other in bases if other.role is not BaseRole.MEMBER), None)

    def carried_devices(self, carrier: Device) -> tuple[Device, ...]:
        """The devices whose lines stand in this device's file: itself, and the handsets that it carries, by slot.

        A handset that is disabled, or whose base is, is not among them.
        """
        if carrier.state is not DeviceState.ACTIVE:
            return (carrier,)
        handsets = self.carried_handsets(carrier)
        bases = [self.find(Device, base_id) for base_id in {handset.base_id for handset in handsets}]
        working = {base.id for base in bases if base is not None and base.state is DeviceState.ACTIVE}
        active = (handset for handset in handsets if handset.state is DeviceState.ACTIVE)
        return (carrier, *(handset for handset in active if handset.base_id in working))

    def carried_handsets(self, carrier: Device) -> tuple[Device, ...]:
        """The handsets that have a place in this device's file, by slot, whether it is filled or not.

        In a system that has lost its master each base carries its own handsets.
        """
        if carrier.type is not DeviceType.DECT_BASE:
            return ()
        leader = self.leader_of(carrier)
        if leader is not None and leader.id != carrier.id:
            return ()
        bases = (carrier,) if leader is None or carrier.system_id is None else self.bases_of(carrier.system_id)
        handsets = [handset for base in bases for handset in self.handsets_of(base.id)]
        return tuple(sorted(handsets, key=lambda handset: (handset.slot or 0, handset.id)))

    def handsets_relying_on(self, base: Device) -> tuple[Device, ...]:
        """The handsets whose credentials a base knows: those paired with it, and those whose lines it carries."""
        relying = (*self.handsets_of(base.id), *self.carried_handsets(base))
        return tuple({handset.id: handset for handset in relying}.values())

    def is_in_service(self, device: Device) -> bool:
        """Whether a device may hold secrets (R14): it is not disabled, nor is a handset's base, nor what carries it."""
        if device.state is not DeviceState.ACTIVE:
            return False
        if device.type is not DeviceType.DECT_HANDSET:
            return True
        holders = (self.find(Device, device.base_id), self.carrier_of(device))
        return all(holder is None or holder.state is DeviceState.ACTIVE for holder in holders)

    # -- what follows from them -----------------------------------------------------------------------------------

    def extension_of(self, line: Line) -> str | None:
        """The extension that a line answers: its number's, else its user's, else its own."""
        number = self.find(Number, line.number_id)
        if number is not None:
            owner = self.find(User, number.user_id)
            if owner is not None and owner.extension is not None:
                return owner.extension
            return number.extension
        user = self.find(User, line.user_id)
        return user.extension if user is not None else line.extension

    def service_user(self, line: Line) -> str:
        """User part of the line's service address: NOTIFY reaches the device there, calls do not."""
        device = self.get(Device, line.device_id)
        return f"dev-{device.phone_id}" if line.index == 1 else f"dev-{device.phone_id}-{line.index}"

    def aor_user(self, line: Line) -> str:
        """User part of the line's address of record."""
        return self.extension_of(line) or self.service_user(line)

    def account_of(self, line: Line) -> Account:
        return self.get(Account, self.get(Device, line.device_id).account_id)

    def address_of_record(self, line: Line) -> str:
        """``sip:<extension>@<domain>``, or the service address of a line without assignment."""
        return f"sip:{self.aor_user(line)}@{self.account_of(line).sip_domain}"

    def find_extension(self, account_id: int, user_part: str) -> str | None:
        """The extension that the user part of a SIP URI names: itself, or an E.164 number that is an alias of it."""
        if self.ids_under("extension", (account_id, user_part)):
            return user_part
        number = self.find_number(user_part if user_part.startswith("+") else "+" + user_part)
        if number is None or number.account_id != account_id:
            return None
        owner = self.find(User, number.user_id)
        return owner.extension if owner is not None and owner.extension is not None else number.extension


class Draft(Inventory):
    """An inventory being changed. Remembers what was put and deleted; the latest per entity counts."""

    __slots__ = ("_changes", "_own", "base")

    def __init__(self, base: Inventory) -> None:
        self._tables = dict(base._tables)
        self._index = dict(base._index)
        self._own: set[type | str] = set()
        self._changes: dict[tuple[type, int], Change] = {}
        self.base = base

    @property
    def changes(self) -> tuple[Change, ...]:
        """What differs from the base; an entity put back as it was is no change, nor one that came and went."""
        real: list[Change] = []
        find = self.base.find
        for (kind, entity_id), change in self._changes.items():
            before = find(kind, entity_id)
            if isinstance(change, Put):
                if before is None or change.entity != before:
                    real.append(change)
            elif before is not None:
                real.append(Delete(before))
        return tuple(real)

    def freeze(self) -> Inventory:
        """The draft as a snapshot; it lets go of its base. The draft must not be changed afterwards."""
        inventory = Inventory.__new__(Inventory)
        inventory._tables = self._tables
        inventory._index = self._index
        return inventory

    def touched_keys(self) -> set[Key]:
        """Keys of everything put: where a duplicate could have arisen."""
        return {
            key
            for change in self._changes.values()
            if isinstance(change, Put)
            for key in index_keys(change.entity)
            if key[0] in UNIQUE
        }

    def put(self, entity: E) -> E:
        """Adds or replaces an entity."""
        table = self._table(type(entity))
        before = table.get(entity.id)
        if before == entity:
            return entity
        if before is not None:
            self._unindex(before)
        table[entity.id] = entity
        for name, value in index_keys(entity):
            index = self._index_named(name)
            index[value] = (*index.get(value, ()), entity.id)
        self._changes[type(entity), entity.id] = Put(entity)
        return entity

    def delete(self, entity: Entity) -> None:
        """Removes an entity, not what refers to it."""
        before = self._table(type(entity)).pop(entity.id, None)
        if before is None:
            return
        self._unindex(before)
        self._changes[type(entity), entity.id] = Delete(before)

    def _unindex(self, entity: Entity) -> None:
        for name, value in index_keys(entity):
            index = self._index_named(name)
            rest = tuple(other for other in index.get(value, ()) if other != entity.id)
            if rest:
                index[value] = rest
            else:
                index.pop(value, None)

    def _table(self, kind: type) -> _Table:
        if kind not in self._own:
            self._own.add(kind)
            self._tables[kind] = dict(self._tables[kind])
        return self._tables[kind]

    def _index_named(self, name: str) -> _Index:
        if name not in self._own:
            self._own.add(name)
            self._index[name] = dict(self._index.get(name, {}))
        return self._index[name]
