from typing import Any

import pytest
from multidict import MultiDict
from tests.support.inventory import account, device, inventory_of, line, location, user
from tests.support.workbench import StillClock

from offhook.admin.device_filter import DeviceFilter
from offhook.admin.device_register import DeviceRegister
from offhook.admin.paging import CountedPage
from offhook.admin.query import Query
from offhook.admin.search import parse_search
from offhook.inventory.address import AddressState, CivicAddress, EmergencyAddress
from offhook.inventory.emergency.coverage import report_coverage
from offhook.inventory.facts import FactBook
from offhook.inventory.models import Device, DeviceState, DeviceType, Entity
from offhook.inventory.snapshot import Inventory
from offhook.registrar.bindings import BindingTable


class Desk:
    """Devices and their list."""

    def __init__(self, *entities: Entity) -> None:
        self.inventory = inventory_of(account(), *entities)
        clock = StillClock()
        self.register = DeviceRegister(lambda: self.inventory, FactBook().of, BindingTable().bindings_of_device, clock)

    async def page(self, *, by_base: bool = False, query: str = "", **conditions: Any) -> CountedPage[int]:
        pairs = [part.partition("=")[::2] for part in query.split("&") if part]
        return await self.register.page(
            Query(MultiDict(pairs), ("sort", "limit", "cursor")), DeviceFilter(**conditions), _view, by_base=by_base
        )

    async def ids(self, **given: Any) -> tuple[int, ...]:
        return (await self.page(**given)).items


def _view(inventory: Inventory) -> Any:
    def view(device: Device) -> int:
        assert inventory.get(Device, device.id) is device
        return device.id

    return view


def base(device_id: int, **changes: Any) -> Device:
    return device(device_id, type=DeviceType.DECT_BASE, **changes)


def handset(device_id: int, base_id: int | None = None, **changes: Any) -> Device:
    return device(device_id, type=DeviceType.DECT_HANDSET, base_id=base_id, mac=None, **changes)


FLOORS = (
    base(1, name="Floor 10"),
    handset(2, 1, name="Z"),
    base(3, name="Floor 9"),
    handset(4, 3, name="Y"),
    handset(5, 3, name="A"),
    handset(6, name="Floor 9b"),
    device(7, name="Atrium"),
)


async def test_handsets_stand_under_their_base_and_stocked_ones_by_themselves() -> None:
    desk = Desk(*FLOORS)
    assert await desk.ids() == (5, 7, 3, 6, 1, 4, 2)
    assert await desk.ids(by_base=True) == (7, 3, 5, 4, 6, 1, 2)
    assert await desk.ids(by_base=True, query="sort=-name") == (1, 2, 6, 3, 4, 5, 7)


async def test_a_group_goes_on_where_its_page_ended() -> None:
    desk, found, cursor = Desk(*FLOORS), list[int](), ""
    for _ in range(4):
        page = await desk.page(by_base=True, query=f"limit=2&cursor={cursor}")
        found += page.items
        cursor = page.next or ""
    assert (found, cursor) == ([7, 3, 5, 4, 6, 1, 2], "")


async def test_it_counts_by_status_and_type() -> None:
    desk = Desk(*FLOORS, device(8, state=DeviceState.DISABLED))
    page = await desk.page(statuses=frozenset({"disabled"}))
    assert (page.items, page.total) == ((8,), 1)
    assert page.facets == {
        "status": {"disabled": 1, "provisioned": 6, "unpaired": 1},
        "type": {"deskphone": 1},
    }
    page = await desk.page(types=frozenset({"dect_base"}), search=parse_search("floor"))
    assert page.facets == {"status": {"provisioned": 2}, "type": {"dect_base": 2, "dect_handset": 1}}


async def test_it_shows_what_everyone_sees_now() -> None:
    desk = Desk(device(1, name="Reception"))
    assert await desk.ids(search=parse_search("recep")) == (1,)
    draft = desk.inventory.draft()
    draft.put(device(1, name="Lobby"))
    draft.put(device(2, name="Reception"))
    desk.inventory = draft.freeze()
    assert await desk.ids(search=parse_search("recep")) == (2,)


def _address(unit: str = "", state: AddressState = AddressState.VALID) -> EmergencyAddress:
    civic = CivicAddress(
        country="US", state="NY", city="New York", house_number="350", street="Fifth", suffix="Ave",
        postal_code="10118", unit=unit,
    )  # fmt: skip
    return EmergencyAddress(entered=civic, state=state, in_force=civic if state is AddressState.VALID else None)


@pytest.mark.parametrize("unit", ["", "2101"])
async def test_phones_without_an_address_are_those_of_the_coverage_report(unit: str) -> None:
    """One step leads from the count to them (U5). An address elsewhere in a building makes one without a unit lack."""
    desk = Desk(
        location(1, address=_address()),
        location(2, address=_address(unit)),
        location(3, address=_address(state=AddressState.REJECTED)),
        location(4),
        *(user(n) for n in range(1, 8)),
        *(device(n, location_id=n if n < 5 else None) for n in range(1, 6)),
        device(6, location_id=4, state=DeviceState.DISABLED),
        device(7, location_id=4, type=DeviceType.SOFTPHONE),
        device(8, location_id=4),
        *(line(n, device_id=n, user_id=n) for n in range(1, 8)),
    )
    report = report_coverage(desk.inventory, 0.0)
    expected = {gap.device_id for gap in report.gaps if gap.is_assigned}
    assert set(await desk.ids(without_address=True)) == expected == ({1, 3, 4, 5} if unit else {3, 4, 5})
    assert report.total.assigned_not_dispatchable == len(expected)
    draft = desk.inventory.draft()
    draft.put(location(4, address=_address("7")))
    desk.inventory = draft.freeze()
    assert 4 not in await desk.ids(without_address=True)
    assert 1 in await desk.ids(without_address=True)


async def test_a_note_is_taken_in_by_tending() -> None:
    desk = Desk(device(1))
    await desk.register.tend()
    desk.register.note(1)
    await desk.register.tend()
    assert await desk.ids() == (1,)
