import pytest
from multidict import MultiDict
from tests.support.inventory import account, device, inventory_of, line, location, number, user

from offhook.admin.device_query import DEVICE_PARAMS, is_grouped, parse_device_filter
from offhook.admin.device_rows import Assigned
from offhook.admin.query import Query
from offhook.admin.search import parse_search
from offhook.errors import Invalid, NotFound
from offhook.inventory.models import DectSystem, DeviceType

INVENTORY = inventory_of(
    account(1),
    account(2, name="globex"),
    location(1, name="HQ"),
    location(2, name="Annex"),
    location(3, name="Store", account_id=2),
    user(1, username="jsmith"),
    user(2),
    number(1, user_id=1),
    DectSystem(id=1, account_id=1, name="Floors"),
    device(1),
    device(2),
    device(3, type=DeviceType.DECT_BASE, system_id=1),
    device(4, type=DeviceType.DECT_BASE, system_id=1),
    device(5, type=DeviceType.DECT_HANDSET, base_id=3, mac=None, ipei="065850047939"),
    device(6, type=DeviceType.DECT_HANDSET, base_id=4, mac=None, ipei="065850047940"),
    line(1, user_id=1),
    line(2, device_id=2, number_id=1),
    line(5, device_id=5, user_id=2),
)


def query(text: str) -> Query:
    pairs = (part.partition("=") for part in text.split("&") if part)
    return Query(MultiDict([(name, value) for name, _, value in pairs]), [param.name for param in DEVICE_PARAMS])


def test_nothing_said_is_no_condition() -> None:
    found = parse_device_filter(query("q=&location=&status=&user="), INVENTORY)
    assert found == parse_device_filter(query(""), INVENTORY)
    assert (found.locations, found.device_ids, found.statuses, found.account_id) == (
        frozenset(),
        None,
        frozenset(),
        None,
    )


def test_every_condition() -> None:
    found = parse_device_filter(
        query(
            "q=Süd 2001&account=Globex&type=ata&type=deskphone&status=new&assigned=common_area&stock=true"
            "&without_address=&vendor=Yealink&model=T46U"
        ),
        INVENTORY,
    )
    assert (found.search, found.account_id) == (parse_search("sud 2001"), 2)
    assert (found.types, found.statuses) == (frozenset({"ata", "deskphone"}), frozenset({"new"}))
    assert (found.assigned, found.in_stock, found.without_address) == (Assigned.COMMON_AREA, True, True)
    assert (found.vendor, found.model) == ("yealink", "t46u")


@pytest.mark.parametrize(
    ("text", "locations"),
    [
        ("location=hq", {1}),
        ("location=1&location=Annex", {1, 2}),
        ("location=Unassigned&location=Store", {None, 3}),
        ("account=globex&location=store", {3}),
    ],
)
def test_locations_are_named_or_none(text: str, locations: set[int | None]) -> None:
    assert parse_device_filter(query(text), INVENTORY).locations == locations


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("user=jsmith", {1, 2}),
        ("user=user2", {5}),
        ("base=00:15:65:12:34:58", {3, 5}),
        ("system=floors", {3, 4, 5, 6}),
        ("system=1&base=00:15:65:12:34:59", {4, 6}),
        ("system=Floors&user=jsmith", set()),
    ],
)
def test_devices_of_a_user_a_base_or_a_system(text: str, devices: set[int]) -> None:
    assert parse_device_filter(query(text), INVENTORY).device_ids == frozenset(devices)


@pytest.mark.parametrize("text", ["location=Attic", "account=acme&location=Store", "system=Cellar", "user=nobody"])
def test_what_is_not_there_is_told(text: str) -> None:
    with pytest.raises(NotFound, match="there is no"):
        parse_device_filter(query(text), INVENTORY)


@pytest.mark.parametrize("text", ["base=00:15:65:12:34:56", "status=ofline", "type=phone", "assigned=maybe"])
def test_what_makes_no_sense_is_told(text: str) -> None:
    with pytest.raises(Invalid):
        parse_device_filter(query(text), INVENTORY)


def test_handsets_are_grouped_under_bases_and_nothing_else_is() -> None:
    assert (is_grouped(query("group=base")), is_grouped(query(""))) == (True, False)
    with pytest.raises(Invalid, match="group is 'location'"):
        is_grouped(query("group=location"))
