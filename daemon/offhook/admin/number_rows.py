"""The row of a number: what numbers are searched, filtered and sorted by (E1)."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from offhook.admin.paging import Order, SortKey, text_key
from offhook.admin.search import EVERYTHING, Search, fold
from offhook.inventory.models import Device, Entity, Line, Location, Number, User
from offhook.inventory.numbers import assignment_of
from offhook.inventory.snapshot import Inventory

#: What the number that a site is known by is assigned to.


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRow:
    """What a list of numbers needs of one."""

    id: int
    account_id: int
    location_id: int | None
    user_id: int | None
    status: str
    is_main: bool
    is_logged_in: bool
    #: Whether a device has it.
    assigned_to: str
    #: User, label or main number; empty where it is free.
    text: str
    codes: str
    extension_key: str
    assigned_key: str
    location_key: str


NUMBER_ORDER: Final[Order[NumberRow]] = Order(
    name="numbers",
    id_of=attrgetter("id"),
    keys={
        "number": SortKey(attrgetter("codes")),
        "extension": SortKey(attrgetter("extension_key")),
        "assigned_to": SortKey(attrgetter("assigned_key")),
        "status": SortKey(attrgetter("status")),
        "location": SortKey(attrgetter("location_key")),
    },
    default="number",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberFilter:
    """Which numbers a list is to show. All conditions hold together; the default of each is none."""

    search: Search = EVERYTHING
    account_id: int | None = None
    locations: frozenset[int | None] = frozenset()
    #: Any of these; None for numbers without one.
    statuses: frozenset[str] = frozenset()
    user_id: int | None = None
    is_assigned: bool | None = None
    is_logged_in: bool | None = None

    def narrow(self, rows: list[NumberRow]) -> list[NumberRow]:
        """The rows that meet them."""
        if self.account_id is not None:
            rows = [row for row in rows if row.account_id == self.account_id]
        if self.locations:
            rows = [row for row in rows if row.location_id in self.locations]
        if self.statuses:
            rows = [row for row in rows if row.status in self.statuses]
        if self.user_id is not None:
            rows = [row for row in rows if row.user_id == self.user_id]
        if self.is_assigned is not None:
            rows = [row for row in rows if bool(row.assigned_to) is self.is_assigned]
        if self.is_logged_in is not None:
            rows = [row for row in rows if row.is_logged_in is self.is_logged_in]
        return self.search.narrow(rows)


class NumberRows:
    """Makes them."""

    kind: type[Entity] = Number
    sources: tuple[type[Entity], ...] = (Number, User, Line, Device, Location)
    states: tuple[type[Entity], ...] = ()

    def find_concerned(self, inventory: Inventory, kind: type[Entity], ids: Collection[int]) -> Iterator[int]:
        if kind is Location:
            yield from (number.id for number in inventory.all(Number) if number.location_id in ids)
            return
        for entity_id in ids:
            if kind is User:
                yield from inventory.ids_under("number.user", entity_id)
            elif kind is Device:
                numbers = (line.number_id for line in inventory.lines_of(entity_id))
                yield from (number_id for number_id in numbers if number_id is not None)
            elif kind is Line:
                line = inventory.find(Line, entity_id)
                if line is not None and line.number_id is not None:
                    yield line.number_id
            else:
                yield entity_id

    def find_companions(self, inventory: Inventory, row_id: int) -> Iterable[int]:
        return ()

    def make(self, inventory: Inventory, row_id: int) -> NumberRow | None:
        number = inventory.find(Number, row_id)
        if number is None:
            return None
        user = inventory.find(User, number.user_id)
        line = inventory.line_of_number(row_id)
        location = inventory.find(Location, number.location_id)
        assigned_to = assignment_of(inventory, number).text
        extension = user.extension if user is not None and user.extension is not None else number.extension
        words = [assigned_to, number.display_name, extension, user.username if user is not None else None]
        return NumberRow(
            id=row_id,
            account_id=number.account_id,
            location_id=number.location_id,
            user_id=number.user_id,
            status=number.status.value,
            is_main=number.is_main,
            is_logged_in=line is not None,
            assigned_to=assigned_to,
            text="\n".join([fold("\n".join([word for word in words if word])), number.number]),
            codes=number.number,
            extension_key=text_key(extension),
            assigned_key=text_key(assigned_to),
            location_key=text_key(location.name if location is not None else None),
        )

    def renew(self, inventory: Inventory, row_id: int, row: NumberRow) -> NumberRow | None:
        return self.make(inventory, row_id)
