"""Rows of a list, made from the inventory and kept: a list of 50,000 cannot be made anew for everyone who looks.

Nobody has to tell which rows a change of the inventory touches. Snapshots never change, and a change shares with the
one before everything that it leaves alone: so comparing by identity the snapshot that the rows were made from with the
present one finds exactly what differs, however many changes lie in between. What a row takes from elsewhere is marked
with :meth:`RowBook.note`, which does no more than add an id to a set. The rows are made when somebody asks for them,
and a few at a time meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from itertools import islice
from typing import Final, Generic, Protocol, TypeVar

from offhook.inventory.models import Entity
from offhook.inventory.reach import LimitedInventory, Reach
from offhook.inventory.snapshot import Inventory

R = TypeVar("R")

#: Rows made before others may run: about a millisecond's work.
_BATCH: Final = 25
#: Entities that differ, before others may run.
_COMPARED: Final = 250
#: Rows made by one :meth:`RowBook.tend`.
_TENDED: Final = 200


class RowMaker(Protocol[R]):
    """Makes rows of one kind. It holds nothing that depends on which rows were made before."""

    @property
    def kind(self) -> type[Entity]:
        """What a row is of; they share their id."""
        ...

    @property
    def sources(self) -> Collection[type[Entity]]:
        """All that rows are made of, ``kind`` among it."""
        ...

    @property
    def states(self) -> Collection[type[Entity]]:
        """Kinds that share their id with a row as well; a change of theirs is as good as a note."""
        ...

    def find_concerned(self, inventory: Inventory, kind: type[Entity], ids: Collection[int]) -> Iterable[int]:
        """Ids of rows that these entities have a part in, as one side of a change sees it."""
        ...

    def make(self, inventory: Inventory, row_id: int) -> R | None:
        """The row, made anew; None where there is no such entity."""
        ...

    def renew(self, inventory: Inventory, row_id: int, row: R) -> R | None:
        """The row with what does not come from the inventory brought up to date; None where there is no entity."""
        ...

    def find_companions(self, inventory: Inventory, row_id: int) -> Iterable[int]:
        """Other rows that show what was noted of this one."""
        ...


class RowBook(Generic[R]):
    """All rows of a kind."""

    def __init__(self, current: Callable[[], Inventory], maker: RowMaker[R]) -> None:
        self._current = current
        self._maker = maker
        self._inventory = Inventory()
        self._rows: dict[int, R] = {}
        self._outdated: set[int] = set()
        #: To be made anew.
        self._noted: set[int] = set()
        #: To be renewed, with their companions. Both sets hold each device once at most.
        self._settling = asyncio.Lock()
        self._watchers: list[Callable[[R | None, R | None], None]] = []

    def watch(self, tell: Callable[[R | None, R | None], None]) -> None:
        """Calls ``tell`` with a row as it was and as it is, whenever it differs; None where there is none."""
        self._watchers.append(tell)

    @property
    def inventory(self) -> Inventory:
        """The snapshot that the rows are made from."""
        return self._inventory

    def limited_to(self, reach: Reach, account_of: Callable[[R], int]) -> "RowBook[R]":
        """The rows of these accounts only."""
        return _LimitedRowBook(self, reach, account_of)

    def note(self, row_id: int) -> None:
        """Something that a row shows beside the inventory may be different now."""
        self._noted.add(row_id)

    @property
    def is_current(self) -> bool:
        """Whether nothing is known that has to be done."""
        return self._inventory is self._current() and not (self._outdated or self._noted)

    async def settle(self) -> Sequence[R]:
        """All rows, brought up to date; in no order that matters."""
        await self._settle(None)
        return list(self._rows.values())

    async def tend(self, most: int | None = _TENDED) -> None:
        """Brings some rows up to date, so that whoever asks next need not wait for all of them; None: all of them."""
        await self._settle(most)

    async def _settle(self, most: int | None) -> None:
        async with self._settling:
            await self._compare()
            made = 0
            while (self._outdated or self._noted) and (most is None or made < most):
                for _ in range(_BATCH):
                    self._make_one()
                made += _BATCH
                await asyncio.sleep(0)

    def _make_one(self) -> None:
        inventory, maker = self._inventory, self._maker
        if self._outdated:
            row_id = self._outdated.pop()
            is_noted = row_id in self._noted
            self._noted.discard(row_id)
            row = maker.make(inventory, row_id)
        elif self._noted:
            row_id = self._noted.pop()
            is_noted = True
            former = self._rows.get(row_id)
            row = maker.renew(inventory, row_id, former) if former is not None else None
        else:
            return
        if is_noted:
            self._noted.update(maker.find_companions(inventory, row_id))
        before = self._rows.pop(row_id, None) if row is None else self._rows.get(row_id)
        if row is not None:
            self._rows[row_id] = row
        if row is not before:
            for tell in self._watchers:
                tell(before, row)

    async def _compare(self) -> None:
        """Finds what differs from the snapshot that the rows were made from."""
        before, after, maker = self._inventory, self._current(), self._maker
        if after is before:
            return
        outdated: set[int] = set()
        noted: set[int] = set()
        if not self._rows:
            outdated.update(entity.id for entity in after.all(maker.kind))
        else:
            for kind in maker.sources:
                async for ids in _differing(before, after, kind):
                    outdated.update(ids if kind is maker.kind else ())
                    for side in (before, after):
                        outdated.update(maker.find_concerned(side, kind, ids))
                        await asyncio.sleep(0)
            for kind in maker.states:
                async for ids in _differing(before, after, kind):
                    noted.update(ids)
        self._outdated |= outdated
        self._noted |= noted
        self._inventory = after


class _LimitedRowBook(RowBook[R]):
    """Another one's rows, without those of other accounts."""

    def __init__(self, whole: RowBook[R], reach: Reach, account_of: Callable[[R], int]) -> None:
        self._whole = whole
        self._reach = reach
        self._account_of = account_of

    @property
    def inventory(self) -> Inventory:
        return LimitedInventory(self._whole.inventory, self._reach)

    @property
    def is_current(self) -> bool:
        return self._whole.is_current

    def watch(self, tell: Callable[[R | None, R | None], None]) -> None:
        raise NotImplementedError("who is told of rows is told of all")

    def note(self, row_id: int) -> None:
        self._whole.note(row_id)

    async def settle(self) -> Sequence[R]:
        return [row for row in await self._whole.settle() if self._account_of(row) in self._reach]

    async def tend(self, most: int | None = _TENDED) -> None:
        await self._whole.tend(most)


async def _differing(before: Inventory, after: Inventory, kind: type[Entity]) -> AsyncIterator[tuple[int, ...]]:
    """Ids of entities that are not in both as they are, some at a time."""
    for part in after.changed_since(before, kind):
        await asyncio.sleep(0)
        ids = iter(part)
        while some := tuple(islice(ids, _COMPARED)):
            yield some
