"""Who has what: the phones, lines and numbers of users."""

from typing import Final

from offhook.inventory.models import Device, DeviceType, Line, Number, User
from offhook.inventory.snapshot import Draft, Inventory

PHYSICAL_PHONES: Final = frozenset({DeviceType.DESKPHONE, DeviceType.DECT_HANDSET, DeviceType.ATA, DeviceType.GENERIC})


def physical_devices_of(inventory: Inventory, user_id: int) -> list[Device]:
    """The phones a user has; a softphone is none (U1), nor is one where a number is merely logged in (E5)."""
    return _physical(inventory, [line for line in lines_of_person(inventory, user_id) if line.logged_in_at is None])


def devices_logged_in_to(inventory: Inventory, user_id: int) -> list[Device]:
    """The phones where a number of the user is logged in."""
    return _physical(inventory, [line for line in lines_of_person(inventory, user_id) if line.logged_in_at is not None])


def _physical(inventory: Inventory, lines: list[Line]) -> list[Device]:
    devices = {
        device.id: device
        for line in lines
        if (device := inventory.find(Device, line.device_id)) is not None and device.type in PHYSICAL_PHONES
    }
    return [devices[device_id] for device_id in sorted(devices)]


def lines_of_person(inventory: Inventory, user_id: int) -> list[Line]:
    """The lines of a user: assigned to the user, or to one of the user's numbers."""
    lines = list(inventory.lines_of_user(user_id))
    for number_id in inventory.ids_under("number.user", user_id):
        line = inventory.line_of_number(number_id)
        if line is not None:
            lines.append(line)
    return lines


def users_concerned(draft: Draft) -> list[int]:
    """Users whose phones, or right to have one, a draft's changes may have altered."""
    users: set[int | None] = set()
    for change in draft.changes:
        match change.entity:
            case User(id=user_id):
                users.add(user_id)
            case Number(user_id=user_id):
                users.add(user_id)
            case Line(user_id=user_id, number_id=number_id):
                users.add(user_id)
                number = draft.find(Number, number_id)
                users.add(number.user_id if number is not None else None)
    return sorted(user_id for user_id in users if user_id is not None)
