"""For each gap in the coverage: why, and what to do."""

from dataclasses import replace

import pytest
from tests.support.inventory import account, device, inventory_of, location

from offhook.inventory.address import AddressState, CivicAddress, EmergencyAddress
from offhook.inventory.emergency.advice import find_advice
from offhook.inventory.emergency.countries import AddressFault
from offhook.inventory.emergency.resolve import resolve_address
from offhook.inventory.models import Device, DeviceType, Location

HERE = CivicAddress(
    country="US", state="NV", city="Reno", house_number="1", street="Main", suffix="St", postal_code="89501"
)
VALID = EmergencyAddress(entered=HERE, state=AddressState.VALID, in_force=HERE, in_force_at=1.0)
REFUSED = EmergencyAddress(entered=HERE, state=AddressState.REJECTED, message="no such street (check the suffix)")
HANDSET = device(2, type=DeviceType.DECT_HANDSET, mac=None, ipei="065850047939")


@pytest.mark.parametrize(
    ("entities", "phone", "why", "remedy"),
    [
        ([], device(), "it stands at no location", "put it at a location with an address"),
        ([location(name="HQ")], device(location_id=1), "location HQ has no address", "give location HQ its address"),
        ([], HANDSET, "paired with no base", "pair it"),
        (
            [location(name="HQ"), device(1, type=DeviceType.DECT_BASE, location_id=1)],
            replace(HANDSET, base_id=1),
            "location HQ has no address",
            "give location HQ its address",
        ),
        (
            [location(name="HQ", address=EmergencyAddress(entered=HERE))],
            device(location_id=1),
            "the address of location HQ waits for its validator",
            "asked about by itself",
        ),
        ([], device(name="Lobby", address=REFUSED), "of device Lobby was refused: 1 Main St, Reno, NV", "the suffix"),
    ],
)
def test_a_gap_says_why_and_what_to_do(entities: list[Location | Device], phone: Device, why: str, remedy: str) -> None:
    inventory = inventory_of(account(), *entities, phone)
    advice = find_advice(inventory, phone, resolve_address(inventory, phone, 9.0))
    assert advice is not None
    assert why in advice.why
    assert remedy in advice.remedy


def test_what_is_missing_inside_a_building_is_named() -> None:
    phone = device(address=VALID)
    inventory = inventory_of(account(), phone)
    fault = AddressFault("floor", "the building has several floors", "add the floor, the unit or the room")
    advice = find_advice(inventory, phone, resolve_address(inventory, phone, 9.0, judge=lambda _: [fault, fault]))
    assert advice is not None
    assert (advice.remedy, "several floors" in advice.why) == ("add the floor, the unit or the room", True)


def test_no_advice_where_help_finds_its_way() -> None:
    inventory = inventory_of(account(), device(address=VALID))
    assert (
        find_advice(inventory, inventory.get(Device, 1), resolve_address(inventory, inventory.get(Device, 1), 9.0))
        is None
    )
