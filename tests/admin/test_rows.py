import asyncio
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from tests.support.inventory import account, inventory_of, location, user

from offhook.admin.rows import RowBook
from offhook.inventory.models import Carrier, Entity, Location, User
from offhook.inventory.snapshot import Draft, Inventory


@dataclass(frozen=True)
class Row:
    id: int
    text: str
    noted: int


class Rows:
    """Users with the name of their location, and how often something was noted when they were made or renewed."""

    kind: type[Entity] = User
    sources: tuple[type[Entity], ...] = (User, Location)
    states: tuple[type[Entity], ...] = (Carrier,)

    def __init__(self) -> None:
        self.notes: dict[int, int] = {}
        self.made: list[int] = []

    def find_concerned(self, inventory: Inventory, kind: type[Entity], ids: Collection[int]) -> Iterator[int]:
        if kind is Location:
            yield from (user.id for user in inventory.all(User) if user.location_id in ids)

    def find_companions(self, inventory: Inventory, row_id: int) -> Iterable[int]:
        return [2] if row_id == 1 else []

    def make(self, inventory: Inventory, row_id: int) -> Row | None:
        self.made.append(row_id)
        found = inventory.find(User, row_id)
        if found is None:
            return None
        place = inventory.find(Location, found.location_id)
        return Row(row_id, f"{found.username} {place.name if place else ''}", self.notes.get(row_id, 0))

    def renew(self, inventory: Inventory, row_id: int, row: Row) -> Row | None:
        return replace(row, noted=self.notes.get(row_id, 0))


class Desk:
    """An inventory that changes, and its rows."""

    def __init__(self, *entities: Entity) -> None:
        self.inventory = inventory_of(*entities)
        self.rows = Rows()
        self.book: RowBook[Row] = RowBook(lambda: self.inventory, self.rows)

    def change(self, *entities: Entity, without: Iterable[Entity] = ()) -> None:
        draft: Draft = self.inventory.draft()
        for entity in entities:
            draft.put(entity)
        for entity in without:
            draft.delete(entity)
        self.inventory = draft.freeze()

    async def made(self) -> list[int]:
        """Ids of the rows that were made for somebody who asks now."""
        self.rows.made.clear()
        await self.book.settle()
        return sorted(self.rows.made)

    async def texts(self) -> dict[int, str]:
        return {row.id: row.text for row in await self.book.settle()}


def desk() -> Desk:
    return Desk(account(), location(1, name="HQ"), *(user(n, location_id=1 if n < 3 else None) for n in range(1, 5)))


async def test_only_rows_that_a_change_touches_are_made_anew() -> None:
    it = desk()
    assert await it.made() == [1, 2, 3, 4]
    assert await it.made() == []
    it.change(user(4, username="kim"))
    assert await it.made() == [4]
    it.change(location(1, name="Annex"))
    assert await it.made() == [1, 2]
    assert await it.texts() == {1: "user1 Annex", 2: "user2 Annex", 3: "user3 ", 4: "kim "}


async def test_changes_that_nobody_looked_between_are_all_found() -> None:
    it = desk()
    await it.book.settle()
    it.change(user(5), location(2, name="Store"))
    it.change(user(3, location_id=2), without=[user(1)])
    it.change(location(2, name="Shop"))
    assert await it.texts() == {2: "user2 HQ", 3: "user3 Shop", 4: "user4 ", 5: "user5 "}
    it.change(without=[user(n) for n in range(1, 6)])
    assert await it.texts() == {}
    it.change(user(7))
    assert await it.texts() == {7: "user7 "}


async def test_rows_follow_their_snapshot_while_nobody_has_asked_for_the_next() -> None:
    it = desk()
    await it.book.settle()
    before = it.inventory
    it.change(user(9))
    assert it.book.inventory is before
    await it.book.settle()
    assert it.book.inventory is it.inventory


async def test_what_is_noted_is_renewed_with_its_companions_and_not_made_anew() -> None:
    it = desk()
    await it.book.settle()
    it.rows.notes = {1: 5, 2: 6, 3: 7}
    it.book.note(1)
    it.book.note(8)
    assert await it.made() == []
    assert {row.id: row.noted for row in await it.book.settle()} == {1: 5, 2: 6, 3: 0, 4: 0}


async def test_what_is_noted_and_outdated_renews_its_companions_too() -> None:
    it = desk()
    await it.book.settle()
    it.rows.notes = {1: 5, 2: 6}
    it.book.note(1)
    it.change(user(1, username="kim"))
    assert await it.made() == [1]
    assert {row.id: row.noted for row in await it.book.settle()} == {1: 5, 2: 6, 3: 0, 4: 0}


async def test_tending_makes_some_at_a_time() -> None:
    it = Desk(account(), *(user(n) for n in range(1, 501)))
    counts: list[int] = []
    current: list[bool] = []
    for _ in range(4):
        current.append(it.book.is_current)
        await it.book.tend()
        counts.append(len(it.rows.made))
    assert counts == [200, 400, 500, 500]
    assert current == [False, False, False, True]
    it.book.note(1)
    assert not it.book.is_current


async def test_two_who_ask_at_once_make_each_row_once() -> None:
    it = Desk(account(), *(user(n) for n in range(1, 501)))
    one, other = await asyncio.gather(it.book.settle(), it.book.settle())
    assert len(it.rows.made) == len(one) == len(other) == 500


async def test_who_gives_up_waiting_loses_nothing() -> None:
    it = Desk(account(), *(user(n) for n in range(1, 501)))
    waiting = asyncio.create_task(it.book.settle())
    for _ in range(5):
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert 0 < len(it.rows.made) < 500
    assert len(await it.book.settle()) == 500


def _text(row: Row | None) -> str | None:
    return row.text if row is not None else None


async def test_who_watches_is_told_of_each_row_that_differs() -> None:
    it = desk()
    told: list[tuple[str | None, str | None]] = []
    it.book.watch(lambda before, row: told.append((_text(before), _text(row))))
    await it.book.settle()
    assert sorted(told, key=str) == [(None, "user1 HQ"), (None, "user2 HQ"), (None, "user3 "), (None, "user4 ")]
    told.clear()
    it.change(user(3, username="kim"), without=[user(4)])
    await it.book.settle()
    assert sorted(told, key=str) == [("user3 ", "kim "), ("user4 ", None)]
    told.clear()
    it.book.note(3)
    await it.book.settle()
    assert told in ([], [("kim ", "kim ")])
    await it.book.settle()
    assert len(told) <= 1


async def test_who_reaches_some_accounts_has_their_rows_only() -> None:
    it = Desk(account(), account(2), user(1), user(2, account_id=2))
    limited = it.book.limited_to(frozenset({2}), lambda row: it.inventory.get(User, row.id).account_id)
    assert [row.id for row in await limited.settle()] == [2]
    assert [found.id for found in limited.inventory.all(User)] == [2]
    it.change(user(3, account_id=2), without=[user(2, account_id=2)])
    await limited.tend(None)
    assert limited.is_current
    assert [row.id for row in await limited.settle()] == [3]
    limited.note(3)
    assert not it.book.is_current
