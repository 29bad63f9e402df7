"""What has an emergency address: locations, users outside the site, and devices."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from offhook.inventory.address import CivicAddress, EmergencyAddress
from offhook.inventory.models import Device, Entity, Location, User
from offhook.inventory.snapshot import Inventory

Holder = Location | User | Device

HOLDERS: Final[tuple[type[Location] | type[User] | type[Device], ...]] = (Location, User, Device)


def address_of(holder: Holder) -> EmergencyAddress | None:
    """Its own address; what a device inherits is told by :mod:`offhook.inventory.emergency.resolve`."""
    return holder.offsite_address if isinstance(holder, User) else holder.address


def address_field(holder: Holder) -> str:
    """The name of the field that the address is in."""
    return "offsite_address" if isinstance(holder, User) else "address"


def without_verdict(entity: Entity) -> Entity:
    """The entity with its address as it was entered, whatever was found out about that since."""
    match entity:
        case User(offsite_address=EmergencyAddress(entered=entered)):
            return replace(entity, offsite_address=EmergencyAddress(entered=entered))
        case Location(address=EmergencyAddress(entered=entered)) | Device(address=EmergencyAddress(entered=entered)):
            return replace(entity, address=EmergencyAddress(entered=entered))
        case _:
            return entity


def list_addresses(inventory: Inventory) -> Iterator[EmergencyAddress]:
    """Every address that somebody entered."""
    for kind in HOLDERS:
        for holder in inventory.all(kind):
            address = address_of(holder)
            if address is not None:
                yield address


def addresses_in_force(inventory: Inventory) -> Iterator[CivicAddress]:
    """Every address that was found valid, and no other since."""
    return (address.in_force for address in list_addresses(inventory) if address.in_force is not None)
