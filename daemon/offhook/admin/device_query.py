"""The conditions of a list of devices as an address of the API has them."""

from typing import Final

from offhook.admin.device_filter import DeviceFilter
from offhook.admin.device_names import get_device
from offhook.admin.device_rows import DEVICE_ORDER, Assigned
from offhook.admin.names import get_account, get_location, get_system, get_user
from offhook.admin.query import Query
from offhook.admin.routes import PAGING, Param
from offhook.admin.search import fold, parse_search
from offhook.errors import Invalid
from offhook.inventory.models import DeviceType
from offhook.inventory.rules import lines_of_person
from offhook.inventory.snapshot import Inventory
from offhook.inventory.state import Status

#: Stands for the devices that have no location.
UNASSIGNED: Final = "unassigned"

DEVICE_PARAMS: Final = (
    Param("q", "Words that are all to be found in what a device is known by: name, MAC, IPEI, model, vendor, user."),
    Param("account", "Only devices of this account."),
    Param("type", "Only devices of these types.", DeviceType, repeats=True),
    Param("status", "Only devices with these statuses.", Status, repeats=True),
    Param("location", f"Only devices at these locations, by name or id; `{UNASSIGNED}` for none.", repeats=True),
    Param("assigned", "Only phones that have a user, stand in a common area, or have no assignment.", Assigned),
    Param("stock", "Only phones that can be given to somebody: in order, and not assigned.", bool),
    Param("without_address", "Only phones of users that help cannot be sent to.", bool),
    Param("user", "Only devices of this user."),
    Param("base", "Only this DECT base and its handsets."),
    Param("system", "Only the bases and handsets of this DECT system, by name or id."),
    Param("vendor", "Only devices of this vendor, typed in or reported."),
    Param("model", "Only devices of this model, typed in or reported."),
    Param("sort", f"One of {', '.join(DEVICE_ORDER.keys)}; with a dash before it, descending."),
    Param("group", "`base` puts handsets directly under their base."),
    *PAGING,
)


def parse_device_filter(query: Query, inventory: Inventory) -> DeviceFilter:
    """The conditions. Raises NotFound for what is not there, Invalid for what makes no sense."""
    account = get_account(inventory, query.text("account")) if query.text("account") else None
    return DeviceFilter(
        search=parse_search(query.text("q")),
        account_id=account.id if account is not None else None,
        types=frozenset(kind.value for kind in query.choices("type", DeviceType)),
        statuses=frozenset(status.value for status in query.choices("status", Status)),
        locations=parse_locations(query, inventory),
        device_ids=_find_devices(query, inventory),
        vendor=fold(query.text("vendor")),
        model=fold(query.text("model")),
        assigned=query.choice("assigned", Assigned),
        in_stock=query.flag("stock"),
        without_address=query.flag("without_address"),
    )


def is_grouped(query: Query) -> bool:
    """Whether handsets are to stand under their base."""
    text = query.text("group")
    if text not in ("", "base"):
        raise Invalid(f"group is {text[:64]!r}", field="group", rule="base", remedy="write base, or leave it out")
    return bool(text)


def parse_locations(query: Query, inventory: Inventory) -> frozenset[int | None]:
    """The locations that are named, None among them for "unassigned"; nothing where none is."""
    account = query.text("account")
    return frozenset(
        None if text.lower() == UNASSIGNED else get_location(inventory, text, account).id
        for text in query.texts("location")
        if text
    )


def _find_devices(query: Query, inventory: Inventory) -> frozenset[int] | None:
    """Devices that belong to a user, a base and a system, where any of them is named."""
    found: list[set[int]] = []
    if text := query.text("user"):
        found.append({line.device_id for line in lines_of_person(inventory, get_user(inventory, text).id)})
    if text := query.text("base"):
        base = get_device(inventory, text)
        if base.type is not DeviceType.DECT_BASE:
            raise Invalid(f"{text[:64]!r} is no DECT base", field="base", rule="a DECT base", remedy="name a base")
        found.append({base.id, *inventory.ids_under("device.base", base.id)})
    if text := query.text("system"):
        bases = {base.id for base in inventory.bases_of(get_system(inventory, text, query.text("account")).id)}
        found.append(bases.union(*(inventory.ids_under("device.base", base_id) for base_id in bases)))
    return frozenset(set.intersection(*found)) if found else None
