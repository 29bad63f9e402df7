"""The lists that people look through, kept current."""

import copy
from collections.abc import Callable
from typing import Final

from offhook.admin.device_register import DeviceRegister
from offhook.admin.number_rows import NumberRow, NumberRows
from offhook.admin.rows import RowBook
from offhook.admin.user_rows import UserRow, UserRows
from offhook.clock import Clock
from offhook.collector import set_apart
from offhook.inventory.facts import FactBook
from offhook.inventory.models import Device
from offhook.inventory.reach import Reach
from offhook.inventory.snapshot import Inventory
from offhook.registrar.bindings import BindingTable

#: Below this the collector of garbage is done with the rows in no time.
_MANY_DEVICES: Final = 1000


class Registers:
    """All of them."""

    def __init__(
        self, inventory: Callable[[], Inventory], facts: FactBook, bindings: BindingTable, clock: Clock
    ) -> None:
        self.devices = DeviceRegister(inventory, facts.of, bindings.bindings_of_device, clock)
        self.users: RowBook[UserRow] = RowBook(inventory, UserRows())
        self.numbers: RowBook[NumberRow] = RowBook(inventory, NumberRows())
        self.is_filled = False
        #: Whether every row has been made once.
        facts.watch(self.devices.note)
        bindings.watch(self.devices.note)

    def limited_to(self, reach: Reach) -> "Registers":
        """The lists of those who reach these accounts only."""
        limited = copy.copy(self)
        limited.devices = self.devices.limited_to(reach)
        limited.users = self.users.limited_to(reach, lambda row: row.account_id)
        limited.numbers = self.numbers.limited_to(reach, lambda row: row.account_id)
        return limited

    async def tend(self) -> None:
        """Brings some rows of each up to date; to be called now and then."""
        await self.devices.tend()
        await self.users.tend()
        await self.numbers.tend()
        if not self.is_filled and self.devices.is_current and self.users.is_current and self.numbers.is_current:
            self.is_filled = True
            if self.users.inventory.count(Device) > _MANY_DEVICES:
                set_apart()
