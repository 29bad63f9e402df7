"""Locations: where phones stand. Their emergency addresses have routes of their own."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from offhook.admin.api.addresses import AddressView, view_address
from offhook.admin.names import get_account, get_location
from offhook.admin.paging import CountedPage, Order, SortKey, page_of, text_key
from offhook.admin.ports import Services
from offhook.admin.resource import Part, Resource, resource_routes
from offhook.admin.routes import PAGING, Call, Param, Route, json_response
from offhook.admin.search import fold, parse_search
from offhook.inventory.document import Label, LocationFields
from offhook.inventory.emergency.parse import format_address
from offhook.inventory.models import Account, Device, DeviceType, Location, Number, User
from offhook.inventory.snapshot import Inventory
from offhook.store.tokens import Role


class NewLocation(LocationFields):
    """A location to be made."""

    account: Label
    name: Label


class LocationChange(LocationFields):
    """What to change of a location."""

    name: Label | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationView:
    """A location, and how much is there."""

    id: str
    account: str
    name: str
    timezone: str | None
    address: AddressView | None
    devices: int
    users: int
    numbers: int


@dataclass(frozen=True, slots=True)
class _Counts:
    devices: Mapping[int | None, int]
    users: Mapping[int | None, int]
    numbers: Mapping[int | None, int]


def routes(services: Services) -> list[Route]:
    service = services.inventory

    async def list_locations(call: Call) -> web.Response:
        """List locations."""
        inventory, query = service.inventory, call.query
        account = get_account(inventory, query.text("account")) if query.text("account") else None
        counts = _count(inventory)
        page = await page_of(
            [_Row(place) for place in inventory.all(Location) if account is None or place.account_id == account.id],
            query,
            order=_ORDER,
            narrow=parse_search(query.text("q")).narrow,
            view=lambda row: _view(inventory, row.location, counts),
        )
        return json_response(page)

    resource = Resource(
        path="locations",
        kind="locations",
        key="name",
        singular="location",
        creation=NewLocation,
        alteration=LocationChange,
        view_type=LocationView,
        view=lambda _call, inventory, location: _view(inventory, location, _count(inventory)),
        find=get_location,
        find_new=_find_new,
        account_of=lambda inventory, location: inventory.get(Account, location.account_id).name,
    )
    listing = Route(
        method="GET",
        path="/locations",
        role=Role.VIEWER,
        handler=list_locations,
        query=(
            Param("q", "Part of the name or the address."),
            Param("account", "Only locations of this account."),
            Param("sort", "name; with a dash before it descending."),
            *PAGING,
        ),
        gives=CountedPage[LocationView],
    )
    return resource_routes(services, resource, listing)


@dataclass(frozen=True, slots=True)
class _Row:
    """A location as it is searched and sorted."""

    location: Location

    @property
    def text(self) -> str:
        address = self.location.address
        return fold(f"{self.location.name}\n{format_address(address.entered) if address else ''}")

    @property
    def codes(self) -> str:
        return ""


_ORDER: Final = Order[_Row](
    name="locations",
    id_of=lambda row: row.location.id,
    keys={"name": SortKey(lambda row: text_key(row.location.name))},
    default="name",
)


def _count(inventory: Inventory) -> _Counts:
    """A handset is where its base is (R4)."""
    devices: Counter[int | None] = Counter()
    for device in inventory.all(Device):
        place = device
        if device.type is DeviceType.DECT_HANDSET:
            place = inventory.find(Device, device.base_id) or device
        devices[place.location_id] += 1
    return _Counts(
        devices,
        Counter(user.location_id for user in inventory.all(User)),
        Counter(number.location_id for number in inventory.all(Number)),
    )


def _view(inventory: Inventory, location: Location, counts: _Counts) -> LocationView:
    return LocationView(
        id=str(location.id),
        account=inventory.get(Account, location.account_id).name,
        name=location.name,
        timezone=location.timezone,
        address=view_address(location.address),
        devices=counts.devices.get(location.id, 0),
        users=counts.users.get(location.id, 0),
        numbers=counts.numbers.get(location.id, 0),
    )


def _find_new(inventory: Inventory, account: str, part: Part) -> Location | None:
    return inventory.find_location(get_account(inventory, account).id, str(part["name"]))
