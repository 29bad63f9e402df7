"""The row of a user: what users are searched, filtered and sorted by (E2, N1)."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

from offhook.admin.paging import Order, SortKey, text_key
from offhook.admin.search import EVERYTHING, Search, fold
from offhook.inventory.models import Entity, Line, Location, Number, User
from offhook.inventory.rules import physical_devices_of
from offhook.inventory.snapshot import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRow:
    """What a list of users needs of one."""

    id: int
    account_id: int
    location_id: int | None
    plan: str
    has_number: bool
    has_phone: bool
    text: str
    codes: str
    name_key: str
    username_key: str
    email_key: str
    extension_key: str
    location_key: str


USER_ORDER: Final[Order[UserRow]] = Order(
    name="users",
    id_of=attrgetter("id"),
    keys={
        "name": SortKey(attrgetter("name_key")),
        "username": SortKey(attrgetter("username_key")),
        "email": SortKey(attrgetter("email_key")),
        "extension": SortKey(attrgetter("extension_key")),
        "location": SortKey(attrgetter("location_key")),
        "plan": SortKey(attrgetter("plan")),
    },
    default="name",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFilter:
    """Which users a list is to show. All conditions hold together; the default of each is none."""

    search: Search = EVERYTHING
    account_id: int | None = None
    locations: frozenset[int | None] = frozenset()
    #: Any of these; None for users without one.
    plans: frozenset[str] = frozenset()
    without_number: bool = False
    #: Those that a number can be assigned to (E2).
    without_phone: bool = False

    def narrow(self, rows: list[UserRow]) -> list[UserRow]:
        """The rows that meet them."""
        if self.account_id is not None:
            rows = [row for row in rows if row.account_id == self.account_id]
        if self.locations:
            rows = [row for row in rows if row.location_id in self.locations]
        if self.plans:
            rows = [row for row in rows if row.plan in self.plans]
        if self.without_number:
            rows = [row for row in rows if not row.has_number]
        if self.without_phone:
            rows = [row for row in rows if not row.has_phone]
        return self.search.narrow(rows)


class UserRows:
    """Makes them."""

    kind: type[Entity] = User
    sources: tuple[type[Entity], ...] = (User, Number, Line, Location)
    states: tuple[type[Entity], ...] = ()

    def find_concerned(self, inventory: Inventory, kind: type[Entity], ids: Collection[int]) -> Iterator[int]:
        if kind is Location:
            yield from (user.id for user in inventory.all(User) if user.location_id in ids)
            return
        for entity_id in ids:
            if kind is Line:
                line = inventory.find(Line, entity_id)
                number = inventory.find(Number, line.number_id) if line is not None else None
                owners = (line.user_id if line is not None else None, number.user_id if number is not None else None)
            elif kind is Number:
                number = inventory.find(Number, entity_id)
                owners = (number.user_id if number is not None else None, None)
            else:
                owners = (entity_id, None)
            yield from (user_id for user_id in owners if user_id is not None)

    def find_companions(self, inventory: Inventory, row_id: int) -> Iterable[int]:
        return ()

    def make(self, inventory: Inventory, row_id: int) -> UserRow | None:
        user = inventory.find(User, row_id)
        if user is None:
            return None
        numbers = [number.number for number in inventory.numbers_of_user(row_id)]
        location = inventory.find(Location, user.location_id)
        words = [user.full_name, user.username, user.email, user.extension]
        codes = "\n".join(numbers)
        return UserRow(
            id=row_id,
            account_id=user.account_id,
            location_id=user.location_id,
            plan=user.plan.value,
            has_number=bool(numbers),
            has_phone=bool(physical_devices_of(inventory, row_id)),
            text="\n".join([fold("\n".join([word for word in words if word])), codes]),
            codes=codes,
            name_key=text_key(user.full_name),
            username_key=text_key(user.username),
            email_key=text_key(user.email),
            extension_key=text_key(user.extension),
            location_key=text_key(location.name if location is not None else None),
        )

    def renew(self, inventory: Inventory, row_id: int, row: UserRow) -> UserRow | None:
        return self.make(inventory, row_id)
