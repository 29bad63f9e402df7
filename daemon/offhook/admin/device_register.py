"""The list of devices, answered from rows that are kept current (R1-R4)."""

import asyncio
import copy
from collections.abc import Callable, Sequence
from itertools import islice
from operator import attrgetter
from typing import Final, TypeVar

from offhook.admin.device_filter import DeviceFilter, IsDispatchable
from offhook.admin.device_rows import DEVICE_ORDER, DeviceRow, DeviceRows
from offhook.admin.paging import CountedPage, Facets, page_of
from offhook.admin.query import Query
from offhook.admin.rows import RowBook
from offhook.clock import Clock
from offhook.inventory.address import CivicAddress
from offhook.inventory.emergency.countries import SharedBuildings, judge_address
from offhook.inventory.emergency.holders import HOLDERS, address_of
from offhook.inventory.facts import DeviceFacts
from offhook.inventory.models import Device, DeviceType
from offhook.inventory.reach import Reach
from offhook.inventory.snapshot import Inventory
from offhook.registrar.bindings import Binding

V = TypeVar("V")

#: Holders of addresses looked at before others may run.
_HOLDERS: Final = 1000


class DeviceRegister:
    """Finds devices."""

    def __init__(
        self,
        inventory: Callable[[], Inventory],
        facts: Callable[[int], DeviceFacts],
        bindings: Callable[[int, float], Sequence[Binding]],
        clock: Clock,
    ) -> None:
        """``bindings`` are the live ones of a device at a time."""
        self._rows = DeviceRows(facts, bindings, clock)
        self._book: RowBook[DeviceRow] = RowBook(inventory, self._rows)
        self._judged: tuple[Inventory, IsDispatchable] | None = None

    def limited_to(self, reach: Reach) -> "DeviceRegister":
        """The devices of these accounts only."""
        limited = copy.copy(self)
        limited._book = self._book.limited_to(reach, lambda row: row.account_id)
        limited._judged = None
        return limited

    def note(self, device_id: int) -> None:
        """What a device reported, or one of its bindings, is different now."""
        self._book.note(device_id)

    @property
    def is_current(self) -> bool:
        """Whether nothing is known that has to be done."""
        return self._book.is_current

    async def tend(self) -> None:
        """Brings some rows up to date; to be called now and then, so that lists have little left to do."""
        self._note_expired()
        await self._book.tend()

    async def catch_up(self) -> None:
        """Brings all rows up to date."""
        self._note_expired()
        await self._book.tend(None)

    def watch(self, tell: Callable[[DeviceRow | None, DeviceRow | None], None]) -> None:
        """Calls ``tell`` with the row of a device as it was and as it is; None where there is none."""
        self._book.watch(tell)

    async def settle(self) -> tuple[Inventory, Sequence[DeviceRow]]:
        """All rows, brought up to date, and the snapshot that they are of."""
        self._note_expired()
        rows = await self._book.settle()
        return self._book.inventory, rows

    async def page(
        self,
        query: Query,
        wanted: DeviceFilter,
        view: Callable[[Inventory], Callable[[Device], V]],
        *,
        by_base: bool = False,
    ) -> CountedPage[V]:
        """The devices that are wanted, as ``sort``, ``limit`` and ``cursor`` say, with counts by status and type.

        ``view`` gives what makes a device's view from the inventory that the rows are of. ``by_base`` puts handsets
        under their base (R2).
        """
        inventory, rows = await self.settle()
        is_dispatchable = await self._judge(inventory) if wanted.without_address else _nothing_is
        show = view(inventory)
        return await page_of(
            rows,
            query,
            order=DEVICE_ORDER,
            narrow=lambda part: wanted.narrow(part, is_dispatchable),
            facets=Facets(of=attrgetter("facet"), chosen={"status": wanted.statuses, "type": wanted.types}),
            heads_of=_find_heads(rows) if by_base else None,
            view=lambda row: show(inventory.get(Device, row.id)),
        )

    def _note_expired(self) -> None:
        for device_id in self._rows.take_expired():
            self._book.note(device_id)

    async def _judge(self, inventory: Inventory) -> IsDispatchable:
        """As the coverage report judges: an address in a building with several units has to name one."""
        if self._judged is None or self._judged[0] is not inventory:
            shared = SharedBuildings()
            for kind in HOLDERS:
                holders = iter(inventory.all(kind))
                while part := list(islice(holders, _HOLDERS)):
                    addresses = [address for holder in part if (address := address_of(holder)) is not None]
                    shared.add(address.in_force for address in addresses if address.in_force is not None)
                    await asyncio.sleep(0)
            self._judged = inventory, _Judge(shared)
        return self._judged[1]


class _Judge:
    """Tells which addresses help can be sent to. Each is looked at once: most phones stand at a location's."""

    def __init__(self, shared: SharedBuildings) -> None:
        self._shared = shared
        self._known: dict[int, bool] = {}

    def __call__(self, civic: CivicAddress) -> bool:
        known = self._known.get(id(civic))
        if known is None:
            known = self._known[id(civic)] = not (judge_address(civic) or self._shared.check(civic))
        return known


def _nothing_is(civic: CivicAddress) -> bool:
    return False


def _find_heads(rows: Sequence[DeviceRow]) -> Callable[[list[DeviceRow]], list[DeviceRow]]:
    """What rows stand under: a handset under its base, everything else, stocked handsets too, by itself."""
    kind = DeviceType.DECT_BASE.value
    bases: dict[int | None, DeviceRow] = {row.id: row for row in rows if row.type == kind}
    return lambda part: [bases.get(row.base_id, row) for row in part]
