"""The row of a device: what it is searched, filtered, sorted and counted by (R1-R4, U1, U5).

A row takes from three places, and each says when it may be different:

- the inventory: the device and its base, lines, numbers, users and location; for the status the account's registrar
  and the carrier's revision too. :class:`~offhook.admin.rows.RowBook` compares snapshots.
- what devices reported: revision fetched, why a file could not be rendered, address, model. A carrier's counts for its
  handsets. :meth:`offhook.inventory.facts.FactBook.watch` tells every change.
- bindings: made, refreshed, removed, expired and swept, moved by a change of the inventory, or unreachable since a
  connection is gone. :meth:`offhook.registrar.bindings.BindingTable.watch` tells every change. One that runs out is
  not swept at once, and not live from that moment on: :meth:`DeviceRows.take_expired` names its device then.

That is all that :func:`offhook.inventory.state.find_status` looks at. How a reload goes is no part of it.
"""

import heapq
import math
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Final

from offhook.admin.paging import LAST_TEXT, LAST_TIME, Order, SortKey, text_key, time_key
from offhook.admin.search import fold
from offhook.clock import Clock
from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.resolve import find_user, resolve_address
from offhook.inventory.facts import DeviceFacts
from offhook.inventory.identifiers import format_ipei
from offhook.inventory.models import (
    Account,
    Carrier,
    Device,
    DeviceState,
    DeviceType,
    Entity,
    Line,
    Location,
    Number,
    User,
)
from offhook.inventory.rules import PHYSICAL_PHONES
from offhook.inventory.snapshot import Inventory
from offhook.inventory.state import LineBinding, find_status
from offhook.registrar.bindings import Binding

_PSN_DIGITS: Final = 7


class Assigned(StrEnum):
    """What a phone is for (U1). Softphones are no user phones, and bases no phones at all: they are neither."""

    YES = "yes"
    #: To a user.
    COMMON_AREA = "common_area"
    #: Its lines are assigned, to no user.
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRow:
    """What a list of devices needs of one."""

    id: int
    account_id: int
    base_id: int | None
    location_id: int | None
    #: A handset counts at its base's location (R4).
    type: str
    status: str
    facet: str
    #: Status and type.
    assigned: Assigned | None
    is_active: bool
    civic: CivicAddress | None
    #: The emergency address in force.
    reported: tuple[str, str, str]
    #: Vendor, model and address, as the device says.
    vendors: tuple[str, ...]
    models: tuple[str, ...]
    #: What the device reports, and what was typed in; folded.
    text: str
    codes: str
    name_key: str
    identifier_key: str
    vendor_key: str
    model_key: str
    location_key: str
    user_key: str
    provisioned_key: float
    created_key: float


DEVICE_ORDER: Final[Order[DeviceRow]] = Order(
    name="devices",
    id_of=attrgetter("id"),
    keys={
        "name": SortKey(attrgetter("name_key")),
        "identifier": SortKey(attrgetter("identifier_key")),
        "type": SortKey(attrgetter("type")),
        "vendor": SortKey(attrgetter("vendor_key")),
        "model": SortKey(attrgetter("model_key")),
        "status": SortKey(attrgetter("status")),
        "location": SortKey(attrgetter("location_key")),
        "user": SortKey(attrgetter("user_key")),
        "last_provisioned": SortKey(attrgetter("provisioned_key"), LAST_TIME),
        "created": SortKey(attrgetter("created_key"), LAST_TIME),
    },
    default="name",
)


class DeviceRows:
    """Makes them."""

    kind: type[Entity] = Device
    sources: tuple[type[Entity], ...] = (Device, Line, Number, User, Location, Account)
    states: tuple[type[Entity], ...] = (Carrier,)

    def __init__(
        self,
        facts: Callable[[int], DeviceFacts],
        bindings: Callable[[int, float], Sequence[Binding]],
        clock: Clock,
    ) -> None:
        """``bindings`` are the live ones of a device at a time."""
        self._facts = facts
        self._bindings = bindings
        self._clock = clock
        self._expiries: list[tuple[float, int]] = []
        self._awaited: dict[int, float] = {}
        #: The earliest that stands in the heap, by device.

    def take_expired(self) -> Iterator[int]:
        """Devices of which a binding may have run out since."""
        now = self._clock.now()
        while self._expiries and self._expiries[0][0] <= now:
            expires_at, device_id = heapq.heappop(self._expiries)
            if self._awaited.get(device_id) == expires_at:
                del self._awaited[device_id]
            yield device_id

    # -- what belongs together ------------------------------------------------------------------------------------

    def find_concerned(self, inventory: Inventory, kind: type[Entity], ids: Collection[int]) -> Iterator[int]:
        for device in self._devices_of(inventory, kind, ids):
            yield device.id
            for handset in self._handsets(inventory, device):
                yield handset.id

    def _devices_of(self, inventory: Inventory, kind: type[Entity], ids: Collection[int]) -> Iterator[Device]:
        if kind is Account or kind is Location:
            for device in inventory.all(Device):
                if (device.account_id if kind is Account else device.location_id) in ids:
                    yield device
            return
        for entity_id in ids:
            if kind is Device:
                device_ids = [entity_id]
            elif kind is Line:
                device_ids = [line.device_id] if (line := inventory.find(Line, entity_id)) is not None else []
            else:
                device_ids = [line.device_id for line in _lines_of(inventory, kind, entity_id)]
            for device_id in device_ids:
                found = inventory.find(Device, device_id)
                if found is not None:
                    yield found

    def find_companions(self, inventory: Inventory, row_id: int) -> Iterator[int]:
        """The handsets whose configuration this device may carry."""
        device = inventory.find(Device, row_id)
        if device is not None and device.type is DeviceType.DECT_BASE:
            for handset in self._handsets(inventory, device):
                if handset.type is DeviceType.DECT_HANDSET:
                    yield handset.id

    def _handsets(self, inventory: Inventory, base: Device) -> Iterator[Device]:
        """Those of all bases of its system: any of them may be, or may have been, the one that carries them."""
        bases = [it.id for it in inventory.bases_of(base.system_id)] if base.system_id is not None else []
        for base_id in {base.id, *bases}:
            yield from inventory.handsets_of(base_id)

    # -- rows -----------------------------------------------------------------------------------------------------

    def make(self, inventory: Inventory, row_id: int) -> DeviceRow | None:
        device = inventory.find(Device, row_id)
        if device is None:
            return None
        facts = self._facts(row_id)
        base = inventory.find(Device, device.base_id)
        location = inventory.find(Location, base.location_id if base is not None else device.location_id)
        lines = inventory.lines_of(row_id)
        users = [user for line in lines if (user := _user_of(inventory, line)) is not None]
        numbers = [number.number for line in lines if (number := inventory.find(Number, line.number_id)) is not None]
        words = [device.name, device.vendor, device.model, device.phone_id, facts.vendor, facts.model, facts.ip]
        words += [word for line in lines for word in (line.label, inventory.extension_of(line))]
        words += [word for user in users for word in (user.full_name, user.username, user.email)]
        codes = "\n".join([*_hardware_codes(device), *numbers])
        status = self._find_status(inventory, device)
        return DeviceRow(
            id=row_id,
            account_id=device.account_id,
            base_id=device.base_id,
            location_id=location.id if location is not None else None,
            type=device.type.value,
            status=status,
            facet=_facet(status, device.type.value),
            assigned=_find_assigned(inventory, device, lines),
            is_active=device.state is DeviceState.ACTIVE,
            civic=resolve_address(inventory, device, self._clock.now(), judge=lambda _: ()).civic,
            reported=_reported(facts),
            vendors=_folded(facts.vendor, device.vendor),
            models=_folded(facts.model, device.model),
            text="\n".join([fold("\n".join([word for word in words if word])), codes]),
            codes=codes,
            name_key=text_key(device.name),
            identifier_key=device.mac or device.ipei or LAST_TEXT,
            vendor_key=_shared_key(facts.vendor or device.vendor),
            model_key=_shared_key(facts.model or device.model),
            location_key=_shared_key(location.name if location is not None else None),
            user_key=text_key(users[0].full_name if users else None),
            provisioned_key=self._find_provisioned(inventory, device),
            created_key=device.created_at,
        )

    def renew(self, inventory: Inventory, row_id: int, row: DeviceRow) -> DeviceRow | None:
        device = inventory.find(Device, row_id)
        if device is None or _reported(self._facts(row_id)) != row.reported:
            return self.make(inventory, row_id)
        status, provisioned = self._find_status(inventory, device), self._find_provisioned(inventory, device)
        if status == row.status and provisioned == row.provisioned_key:
            return row
        return replace(row, status=status, facet=_facet(status, row.type), provisioned_key=provisioned)

    def _find_provisioned(self, inventory: Inventory, device: Device) -> float:
        carrier = inventory.carrier_of(device)
        return time_key(self._facts(carrier.id if carrier is not None else device.id).last_provisioned_at)

    def _find_status(self, inventory: Inventory, device: Device) -> str:
        live = self._bindings(device.id, self._clock.now())
        if live:
            expires_at = min(binding.expires_at for binding in live)
            if expires_at < self._awaited.get(device.id, math.inf):
                self._awaited[device.id] = expires_at
                heapq.heappush(self._expiries, (expires_at, device.id))
        bound = [LineBinding(binding.line_id, binding.reachable) for binding in live]
        return find_status(inventory, device, self._facts, lambda _: bound).status.value


def _lines_of(inventory: Inventory, kind: type[Entity], entity_id: int) -> Iterator[Line]:
    """The lines that show a number, or a user."""
    numbers = [entity_id] if kind is Number else inventory.ids_under("number.user", entity_id)
    for number_id in numbers:
        yield from (inventory.get(Line, line_id) for line_id in inventory.ids_under("line.number", number_id))
    if kind is User:
        yield from inventory.lines_of_user(entity_id)


def _user_of(inventory: Inventory, line: Line) -> User | None:
    number = inventory.find(Number, line.number_id)
    return inventory.find(User, number.user_id if number is not None else line.user_id)


def _find_assigned(inventory: Inventory, device: Device, lines: Iterable[Line]) -> Assigned | None:
    if device.type not in PHYSICAL_PHONES:
        return None
    if find_user(inventory, device) is not None:
        return Assigned.YES
    is_used = any(
        line.number_id is not None or line.user_id is not None or line.extension is not None for line in lines
    )
    return Assigned.COMMON_AREA if is_used else Assigned.NO


def _hardware_codes(device: Device) -> list[str]:
    """Its MAC; its IPEI as it is printed, and in hexadecimal, as bases write it."""
    codes = [device.mac] if device.mac else []
    if device.ipei:
        emc, psn = int(device.ipei[:-_PSN_DIGITS]), int(device.ipei[-_PSN_DIGITS:])
        codes += [format_ipei(device.ipei), f"0{emc:04x}{psn:05x}"]
    return codes


def _reported(facts: DeviceFacts) -> tuple[str, str, str]:
    return facts.vendor, facts.model, facts.ip


def _facet(status: str, kind: str) -> str:
    return sys.intern(f"{status} {kind}")


#: Keys that many rows have in common are made, and kept, once.
_shared_key = lru_cache(maxsize=2048)(text_key)


@lru_cache(maxsize=2048)
def _folded(*texts: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fold(text) for text in texts if text))
