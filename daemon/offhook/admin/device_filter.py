"""Which devices a list is to show (R3, R4, U1, U5, T2). All conditions hold together."""

from collections.abc import Callable
from dataclasses import dataclass

from offhook.admin.device_rows import Assigned, DeviceRow
from offhook.admin.search import EVERYTHING, Search
from offhook.inventory.address import CivicAddress

#: Whether help finds its way to an address.
IsDispatchable = Callable[[CivicAddress], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter:
    """Conditions; the default of each is none."""

    search: Search = EVERYTHING
    account_id: int | None = None
    types: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    locations: frozenset[int | None] = frozenset()
    #: Any of these; None for devices without one.
    device_ids: frozenset[int] | None = None
    #: Only these: those of a user, a base or a system.
    vendor: str = ""
    model: str = ""
    #: Folded; typed in or reported.
    assigned: Assigned | None = None
    in_stock: bool = False
    #: Phones in order that nothing is assigned to: those that T2 picks from.
    without_address: bool = False
    #: Assigned phones, not disabled, whose emergency address help cannot be sent to (U5).

    def narrow(self, rows: list[DeviceRow], is_dispatchable: IsDispatchable) -> list[DeviceRow]:
        """The rows that meet everything but type and status, which are counted; see ``paging.Facets``."""
        if self.account_id is not None:
            rows = [row for row in rows if row.account_id == self.account_id]
        if self.device_ids is not None:
            rows = [row for row in rows if row.id in self.device_ids]
        if self.locations:
            rows = [row for row in rows if row.location_id in self.locations]
        if self.vendor:
            rows = [row for row in rows if self.vendor in row.vendors]
        if self.model:
            rows = [row for row in rows if self.model in row.models]
        if self.assigned is not None:
            rows = [row for row in rows if row.assigned is self.assigned]
        if self.in_stock:
            rows = [row for row in rows if row.assigned is Assigned.NO and row.is_active]
        if self.without_address:
            rows = [
                row
                for row in rows
                if row.assigned is Assigned.YES
                and row.is_active
                and not (row.civic is not None and is_dispatchable(row.civic))
            ]
        return self.search.narrow(rows)
