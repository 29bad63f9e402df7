from tests.support.inventory import account, device, inventory_of, location, user

from offhook.inventory.address import CivicAddress, EmergencyAddress
from offhook.inventory.emergency.holders import (
    address_field,
    address_of,
    addresses_in_force,
    list_addresses,
    without_verdict,
)

HERE, THERE = CivicAddress(country="US", city="Reno"), CivicAddress(country="CA", city="Banff")
DRAFT, VALID = EmergencyAddress(entered=HERE), EmergencyAddress(entered=HERE, in_force=THERE)


def test_locations_users_and_devices_have_addresses() -> None:
    place, person, phone = location(address=DRAFT), user(offsite_address=VALID), device(address=VALID)
    assert [address_of(holder) for holder in (place, person, phone)] == [DRAFT, VALID, VALID]
    assert [getattr(holder, address_field(holder)) for holder in (place, person, phone)] == [DRAFT, VALID, VALID]
    inventory = inventory_of(account(), place, person, phone, location(2))
    assert list(list_addresses(inventory)) == [DRAFT, VALID, VALID]
    assert list(addresses_in_force(inventory)) == [THERE, THERE]


def test_without_a_verdict_there_is_what_was_entered() -> None:
    for bare in (location(), user(), device(), account()):
        assert without_verdict(bare) is bare
    assert without_verdict(location(address=VALID)) == location(address=DRAFT)
    assert without_verdict(user(offsite_address=VALID)) == user(offsite_address=DRAFT)
    assert without_verdict(device(address=VALID)) == device(address=DRAFT)
