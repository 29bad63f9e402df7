"""A device's address: its own, else its user's off-site address, else its location's; a handset's is its base's."""

from typing import Any

from tests.support.inventory import account, device, inventory_of, line, location, number, user

from offhook.inventory.address import AddressState, CivicAddress, EmergencyAddress
from offhook.inventory.emergency.resolve import AddressSource, ResolvedAddress, find_user, resolve_address
from offhook.inventory.models import Device, DeviceType, Entity

NOW = 1_000_000.0


def civic(house_number: str = "1", **changes: str) -> CivicAddress:
    given = {"state": "NV", "city": "Reno", "street": "Main", "suffix": "St", "postal_code": "89501"}
    return CivicAddress(country="US", house_number=house_number, **{**given, **changes})


def valid(house_number: str = "1", **changes: Any) -> EmergencyAddress:
    where = civic(house_number)
    given: dict[str, Any] = {"entered": where, "in_force": where, "in_force_at": NOW - 60, "checked_at": NOW - 60}
    return EmergencyAddress(**{"state": AddressState.VALID, **given, **changes})


def resolve(*entities: Entity, device_id: int = 1) -> ResolvedAddress:
    inventory = inventory_of(account(), *entities)
    return resolve_address(inventory, inventory.get(Device, device_id), NOW)


def test_the_own_address_comes_first_then_the_users_then_the_locations() -> None:
    place = location(address=valid("3"))
    owner = user(offsite_address=valid("2"))
    found = resolve(place, owner, device(location_id=1, address=valid("1"), name="Desk"), line(user_id=1))
    assert (found.source, found.source_name, found.civic) == (AddressSource.DEVICE, "Desk", civic("1"))
    found = resolve(place, owner, device(location_id=1), line(user_id=1))
    assert (found.source, found.source_name, found.civic) == (AddressSource.USER, "Jane Smith", civic("2"))
    found = resolve(place, user(), device(location_id=1), line(user_id=1))
    assert (found.source, found.source_name, found.civic) == (AddressSource.LOCATION, "place 1", civic("3"))
    assert found.is_dispatchable
    assert found.age_seconds == 60


def test_without_any_there_is_none() -> None:
    found = resolve(location(), device(location_id=1))
    assert (found.source, found.civic, found.state) == (AddressSource.NONE, None, None)
    assert not found.is_dispatchable


def test_the_user_is_that_of_the_number_assigned() -> None:
    inventory = inventory_of(
        account(),
        user(1),
        user(2, first_name="Robin", offsite_address=valid("2")),
        number(user_id=2),
        device(),
        line(1, index=1, extension="2090"),
        line(2, index=2, number_id=1),
    )
    owner = find_user(inventory, inventory.get(Device, 1))
    assert owner is not None
    assert owner.first_name == "Robin"
    assert resolve_address(inventory, inventory.get(Device, 1), NOW).source is AddressSource.USER


def test_who_is_logged_in_for_a_while_is_where_the_phone_stands() -> None:
    """A user whose home has an address of its own calls for help from the lobby."""
    found = resolve(
        location(address=valid("3")),
        user(offsite_address=valid("2")),
        number(user_id=1),
        device(location_id=1),
        line(number_id=1, extension="2090", logged_in_at=1000.0),
    )
    assert (found.source, found.civic) == (AddressSource.LOCATION, civic("3"))


def test_a_handset_has_the_address_of_its_base_whoever_carries_it() -> None:
    base = device(1, type=DeviceType.DECT_BASE, name="Floor 2", location_id=1)
    handset = device(2, type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939", base_id=1)
    owner = user(offsite_address=valid("2"))
    found = resolve(location(address=valid("3")), owner, base, handset, line(device_id=2, user_id=1), device_id=2)
    assert (found.source, found.civic, found.base_name) == (AddressSource.LOCATION, civic("3"), "Floor 2")


def test_a_handset_without_base_has_none() -> None:
    found = resolve(device(type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939"))
    assert found.source is AddressSource.NONE
    assert "no base" in found.message


def test_the_last_valid_address_stays_in_force_behind_a_newer_one() -> None:
    for state in (AddressState.DRAFT, AddressState.REJECTED):
        moved = valid("1", entered=civic("9"), state=state, message="check the suffix")
        found = resolve(device(address=moved))
        assert (found.civic, found.entered, found.state) == (civic("1"), civic("9"), state)
        assert found.is_dispatchable


def test_an_unchecked_address_of_its_own_does_not_give_way_to_the_locations() -> None:
    found = resolve(location(address=valid("3")), device(location_id=1, address=EmergencyAddress(entered=civic("9"))))
    assert (found.source, found.civic, found.entered) == (AddressSource.DEVICE, None, civic("9"))
    assert not found.is_dispatchable


def test_an_address_in_force_that_breaks_a_rule_is_not_dispatchable() -> None:
    box = civic(street="PO Box 12")
    found = resolve(device(address=valid("1", entered=box, in_force=box)))
    assert found.civic == box
    assert not found.is_dispatchable
    assert [fault.element for fault in found.faults] == ["street"]


def test_the_age_is_that_of_the_address_in_force() -> None:
    assert resolve(device(address=valid("1", in_force_at=None))).age_seconds == 60
    unknown = valid("1", in_force_at=None, state=AddressState.REJECTED)
    assert resolve(device(address=unknown)).age_seconds is None
