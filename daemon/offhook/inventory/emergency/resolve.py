"""Where help is sent when a device calls for it.

The address of a device is its own, else its user's off-site address, else its location's; a handset has its base's. The
first that is there decides, valid or not: a phone of which somebody said that it stands elsewhere must not send help
to the office because its new address is not checked yet. What one place has for all its phones, an account's default,
is no answer to where a phone is, and never counts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from offhook.inventory.address import AddressState, CheckedBy, CivicAddress, EmergencyAddress
from offhook.inventory.emergency.countries import AddressFault, check_address
from offhook.inventory.models import Device, DeviceType, Location, Number, User
from offhook.inventory.snapshot import Inventory


class AddressSource(StrEnum):
    """What a device has its address from."""

    DEVICE = "device"
    USER = "user"
    LOCATION = "location"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedAddress:
    """The emergency address of a device, and how far it can be relied on."""

    source: AddressSource
    source_name: str = ""
    #: Of the device, user or location that has the address.
    base_name: str = ""
    #: Of the base that a handset inherits from; its address moves with that base.
    civic: CivicAddress | None = None
    #: In force: the last one that was found valid.
    entered: CivicAddress | None = None
    #: What was entered last, which may be waiting or refused.
    state: AddressState | None = None
    #: Of what was entered last.
    message: str = ""
    age_seconds: float | None = None
    #: Since the address in force was found valid.
    checked_by: CheckedBy | None = None
    #: Who found it valid; None where that is not known.
    faults: tuple[AddressFault, ...] = ()
    #: What keeps the address in force from being dispatchable.

    @property
    def is_dispatchable(self) -> bool:
        """Whether there is a valid address in force, and nothing known is missing from it."""
        return self.civic is not None and not self.faults


Judge = Callable[[CivicAddress], Sequence[AddressFault]]


def resolve_address(
    inventory: Inventory, device: Device, now: float, *, judge: Judge = check_address
) -> ResolvedAddress:
    """The address that help would be sent to at ``now``. ``judge`` names what keeps one in force from being used."""
    base_name = ""
    if device.type is DeviceType.DECT_HANDSET:
        base = inventory.find(Device, device.base_id)
        if base is None:
            return ResolvedAddress(source=AddressSource.NONE, message="the handset is paired with no base")
        device, base_name = base, _name_of(base)
    source, name, address = _find_source(inventory, device)
    if address is None:
        return ResolvedAddress(source=AddressSource.NONE, base_name=base_name, message="nobody entered an address")
    civic = address.in_force
    checked_at = address.in_force_at
    if checked_at is None and address.state is AddressState.VALID:
        checked_at = address.checked_at
    return ResolvedAddress(
        source=source,
        source_name=name,
        base_name=base_name,
        civic=civic,
        entered=address.entered,
        state=address.state,
        message=address.message,
        age_seconds=max(0.0, now - checked_at) if civic is not None and checked_at is not None else None,
        checked_by=address.in_force_by if civic is not None else None,
        faults=tuple(judge(civic)) if civic is not None else (),
    )


def _find_source(inventory: Inventory, device: Device) -> tuple[AddressSource, str, EmergencyAddress | None]:
    if device.address is not None:
        return AddressSource.DEVICE, _name_of(device), device.address
    user = find_user(inventory, device)
    if user is not None and user.offsite_address is not None:
        return AddressSource.USER, user.full_name, user.offsite_address
    location = inventory.find(Location, device.location_id)
    if location is not None and location.address is not None:
        return AddressSource.LOCATION, location.name, location.address
    return AddressSource.NONE, "", None


def find_user(inventory: Inventory, device: Device) -> User | None:
    """Whose phone it is: the user of its first line that has one, by the number assigned there or directly.

    Who is merely logged in (E5) has come to where the phone stands, so that place's address counts, not theirs.
    """
    for line in inventory.lines_of(device.id):
        number = inventory.find(Number, line.assigned_number_id)
        user = inventory.find(User, number.user_id if number is not None else line.user_id)
        if user is not None:
            return user
    return None


def _name_of(device: Device) -> str:
    return device.name or device.mac or device.ipei or f"device {device.id}"
