"""Why help cannot be sent to a device, and what to do about it, in words."""

from dataclasses import dataclass

from offhook.inventory.emergency.coverage import CoverageLevel, level_of
from offhook.inventory.emergency.parse import format_address
from offhook.inventory.emergency.resolve import AddressSource, ResolvedAddress
from offhook.inventory.models import Device, DeviceType, Location
from offhook.inventory.snapshot import Inventory


@dataclass(frozen=True, slots=True)
class Advice:
    """A gap in the coverage."""

    why: str
    remedy: str


def find_advice(inventory: Inventory, device: Device, resolved: ResolvedAddress) -> Advice | None:
    """What to do for a device; None where help finds its way."""
    match level_of(resolved):
        case CoverageLevel.DISPATCHABLE:
            return None
        case CoverageLevel.MISSING:
            return _of_missing(inventory, device)
        case CoverageLevel.UNCHECKED:
            return Advice(
                f"the address of {_name(resolved)} waits for its validator, and there was none before it",
                "it is asked about by itself; or validate it now",
            )
        case CoverageLevel.REFUSED:
            entered = format_address(resolved.entered) if resolved.entered is not None else ""
            return Advice(f"the address of {_name(resolved)} was refused: {entered}", f"correct it: {resolved.message}")
        case CoverageLevel.INCOMPLETE:
            message = "; ".join(fault.message for fault in resolved.faults)
            remedy = "; ".join(dict.fromkeys(fault.remedy for fault in resolved.faults))
            return Advice(f"the address of {_name(resolved)} does not lead to the caller: {message}", remedy)


def _of_missing(inventory: Inventory, device: Device) -> Advice:
    if device.type is DeviceType.DECT_HANDSET:
        base = inventory.find(Device, device.base_id)
        if base is None:
            return Advice("the handset is paired with no base", "pair it: it has the address of its base")
        device = base
    location = inventory.find(Location, device.location_id)
    if location is None:
        return Advice(
            "it stands at no location and has no address of its own",
            "put it at a location with an address, or give it one of its own",
        )
    return Advice(f"location {location.name} has no address", f"give location {location.name} its address")


def _name(resolved: ResolvedAddress) -> str:
    """Whose address it is."""
    kind = "location" if resolved.source is AddressSource.LOCATION else resolved.source.value
    return f"{kind} {resolved.source_name}"
