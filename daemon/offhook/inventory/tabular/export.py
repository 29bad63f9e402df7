"""The inventory as tables: imported into what it came from, each changes nothing. No secret is ever in one.

A table is UTF-8 with a byte order mark, without which Excel takes it for Windows-1252, and has commas between cells
(RFC 4180). What a spreadsheet would take for something else is guarded by :mod:`offhook.inventory.tabular.spreadsheet`.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Final, TypeVar

from offhook.inventory.address import EmergencyAddress
from offhook.inventory.identifiers import format_ipei, format_mac
from offhook.inventory.models import Account, DectSystem, Device, DeviceType, Line, Location, Number, StationType, User
from offhook.inventory.snapshot import Inventory
from offhook.inventory.tabular.columns import ACCOUNT, TABLES, Field, Kind, Thing
from offhook.inventory.tabular.reading import CLEAR
from offhook.inventory.tabular.spreadsheet import guard

P = TypeVar("P", Location, User, Number, Device)

_CLEARED: Final = object()
#: A bool is written where it is true; None is an empty cell.
_Cell = object
_Row = dict[tuple[Thing, Field], _Cell]

_BASES_FIRST: Final[Mapping[DeviceType, int]] = {DeviceType.DECT_BASE: 0, DeviceType.DECT_HANDSET: 2}


def export_table(inventory: Inventory, kind: Kind, accounts: Sequence[Account]) -> bytes:
    """A table of these accounts. One without rows has every column, to be filled in."""
    columns = [column for column in TABLES[kind] if not column.is_secret]
    rows = [
        [_format(account.name if column is ACCOUNT else row.get(column.says[0])) for column in columns]
        for account in sorted(accounts, key=lambda account: account.name.casefold())
        for row in _rows(inventory, kind, account)
    ]
    shown = [
        index
        for index, column in enumerate(columns)
        if not (rows and column.is_rare) or any(row[index] for row in rows)
    ]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns[index].name for index in shown)
    writer.writerows([row[index] for index in shown] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _format(cell: _Cell) -> str:
    if cell is _CLEARED:
        return CLEAR
    if cell is None or cell is False:
        return ""
    return "true" if cell is True else guard(str(cell))


def _rows(inventory: Inventory, kind: Kind, account: Account) -> Iterable[_Row]:
    match kind:
        case Kind.LOCATIONS:
            return (_location(location) for location in _of(inventory, Location, account))
        case Kind.USERS:
            return (_user(inventory, user) for user in _of(inventory, User, account))
        case Kind.NUMBERS:
            return (_number(inventory, number) for number in _of(inventory, Number, account))
        case Kind.DEVICES:
            return (_device(inventory, device) for device in _of(inventory, Device, account))
        case Kind.ASSIGNMENTS:
            return (
                _known_device(device) | _line(inventory, line)
                for device in _of(inventory, Device, account)
                for line in inventory.lines_of(device.id)
            )
        case Kind.ALL:
            return _Everything(inventory).rows(account)


def _of(inventory: Inventory, kind: type[P], account: Account) -> list[P]:
    """What an account has of a kind, as people look for it; handsets after their bases."""
    return sorted((part for part in inventory.all(kind) if part.account_id == account.id), key=_place)


def _place(part: Location | User | Number | Device) -> tuple[int, str, int]:
    match part:
        case Location():
            return 0, part.name.casefold(), part.id
        case User():
            return 0, part.username.casefold(), part.id
        case Number():
            return 0, part.number, part.id
        case Device():
            return _BASES_FIRST.get(part.type, 1), (part.name or "").casefold(), part.id


# -- things -----------------------------------------------------------------------------------------------------------


def _said(thing: Thing, **cells: _Cell) -> _Row:
    return {(thing, (name,)): cell for name, cell in cells.items()}


def _address(thing: Thing, field: str, address: EmergencyAddress | None) -> _Row:
    elements = address.entered.elements() if address is not None else {}
    return {(thing, (field, name)): text for name, text in elements.items()}


def _location(location: Location) -> _Row:
    named = _said(Thing.LOCATION, name=location.name, timezone=location.timezone)
    return named | _address(Thing.LOCATION, "address", location.address)


def _known_user(user: User) -> _Row:
    return _said(Thing.USER, username=user.username)


def _user(inventory: Inventory, user: User) -> _Row:
    location = inventory.find(Location, user.location_id)
    return (
        _known_user(user)
        | _said(
            Thing.USER,
            first_name=user.first_name,
            last_name=user.last_name,
            email=user.email,
            plan=user.plan.value,
            extension=user.extension,
            location=location.name if location else None,
            timezone=user.timezone,
            forward_unreachable=user.forward_unreachable,
            voicemail_to_email=user.voicemail_to_email,
            authorised=user.is_authorised,
        )
        | _address(Thing.USER, "offsite_address", user.offsite_address)
    )


def _known_number(number: Number) -> _Row:
    return _said(Thing.NUMBER, number=number.number)


def _number(inventory: Inventory, number: Number) -> _Row:
    location = inventory.find(Location, number.location_id)
    user = inventory.find(User, number.user_id)
    kind = inventory.find(StationType, number.station_type_id)
    features = number.features
    return (
        _known_number(number)
        | _said(
            Thing.NUMBER,
            status=number.status.value,
            main=number.is_main,
            user=user.username if user else None,
            # Empty, it would be made of the last four digits where the number is new.
            extension=number.extension or _CLEARED,
            location=location.name if location else None,
            station_type=kind.name if kind else None,
        )
        | {
            (Thing.NUMBER, ("display_name", "first")): number.display_first,
            (Thing.NUMBER, ("display_name", "last")): number.display_last,
        }
        | {
            (Thing.NUMBER, ("features", field.name)): _switch(getattr(features, field.name), field.default)
            for field in fields(features)
        }
    )


def _switch(value: object, by_itself: object) -> _Cell:
    """A feature that is set otherwise than by itself."""
    if value == by_itself:
        return None
    return "false" if value is False else value


def _known_device(device: Device) -> _Row:
    return _said(
        Thing.DEVICE,
        mac=format_mac(device.mac) if device.mac else None,
        ipei=format_ipei(device.ipei) if device.ipei else None,
        name=device.name,
    )


def _device(inventory: Inventory, device: Device) -> _Row:
    location = inventory.find(Location, device.location_id)
    base = inventory.find(Device, device.base_id)
    system = inventory.find(DectSystem, device.system_id)
    first = next(iter(inventory.lines_of(device.id)), None)
    user = inventory.find(User, first.user_id) if first is not None and first.index == 1 else None
    return (
        _known_device(device)
        | _said(
            Thing.DEVICE,
            type=device.type.value,
            # Empty, it would be told by the MAC where the device is new.
            vendor=device.vendor or (_CLEARED if device.mac else None),
            model=device.model,
            user=user.username if user else None,
            location=location.name if location else None,
            state=device.state.value,
            base=(format_mac(base.mac) if base.mac else base.name) if base is not None else None,
            system=system.name if system else None,
            role=device.role.value if device.role else None,
        )
        | _address(Thing.DEVICE, "address", device.address)
    )


def _line(inventory: Inventory, line: Line) -> _Row:
    user = inventory.find(User, line.user_id)
    number = inventory.find(Number, line.assigned_number_id)
    return _said(
        Thing.LINE,
        index=line.index,
        user=user.username if user else None,
        number=number.number if number else None,
        extension=line.extension,
        label=line.label,
        appearances=line.appearances,
    )


# -- everything -------------------------------------------------------------------------------------------------------


class _Everything:
    """Rows that state a line with whom it is for, then whoever and whatever has none.

    What a thing is stands in the first of its rows, those after it only name it. A row with a user and a number says
    that the number is the user's, and one with a user and a line that the line is: so a line that has the number of a
    user stands apart from both.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self._told: set[int] = set()
        self._given: set[int] = set()
        #: Numbers of users that stand beside their user.

    def rows(self, account: Account) -> Iterator[_Row]:
        inventory = self._inventory
        for device in _of(inventory, Device, account):
            lines: Sequence[Line | None] = inventory.lines_of(device.id) or (None,)
            for line in lines:
                row = self._told_once(device.id, _device(inventory, device), _known_device(device))
                yield row | self._assigned(line) if line is not None else row
        for user in _of(inventory, User, account):
            if user.id not in self._told:
                yield self._user_with_number(user)
        for number in _of(inventory, Number, account):
            owner = inventory.find(User, number.user_id)
            if owner is not None and number.id not in self._given:
                yield _known_user(owner) | self._number(number)
            elif number.id not in self._told:
                yield self._number(number)

    def _assigned(self, line: Line) -> _Row:
        row = _line(self._inventory, line)
        user = self._inventory.find(User, line.user_id)
        number = self._inventory.find(Number, line.assigned_number_id)
        if user is not None:
            return row | self._user_with_number(user)
        return row | self._number(number) if number is not None else row

    def _user_with_number(self, user: User) -> _Row:
        row = self._told_once(user.id, _user(self._inventory, user), _known_user(user))
        for number in sorted(self._inventory.numbers_of_user(user.id), key=lambda number: number.id):
            if number.id not in self._given:
                self._given.add(number.id)
                return row | self._number(number)
        return row

    def _number(self, number: Number) -> _Row:
        return self._told_once(number.id, _number(self._inventory, number), _known_number(number))

    def _told_once(self, entity_id: int, whole: _Row, known: _Row) -> _Row:
        if entity_id in self._told:
            return known
        self._told.add(entity_id)
        return whole
