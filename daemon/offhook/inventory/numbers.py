"""What a number is assigned to, and what a line has from its number."""

from dataclasses import dataclass, replace
from enum import StrEnum

from offhook.inventory.models import Device, Line, Number, NumberStatus, User
from offhook.inventory.snapshot import Inventory


class AssignmentKind(StrEnum):
    """What stands in the place of who has a number (E1)."""

    MAIN_NUMBER = "main_number"
    USER = "user"
    LABEL = "label"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a number is assigned to, as a list of numbers shows it."""

    kind: AssignmentKind
    text: str


def can_be_acted_on(number: Number) -> bool:
    """E1: only active numbers that are not the main number are assigned, logged in or given features."""
    return number.status is NumberStatus.ACTIVE and not number.is_main


def assignment_of(inventory: Inventory, number: Number) -> Assignment:
    """E1: the main number, else the user, else a label: the display name, or that of the line or device it is on."""
    if number.is_main:
        return Assignment(AssignmentKind.MAIN_NUMBER, "main number")
    user = inventory.find(User, number.user_id)
    if user is not None:
        return Assignment(AssignmentKind.USER, user.full_name)
    line = inventory.line_of_number(number.id)
    device = inventory.find(Device, line.device_id) if line is not None else None
    label = number.display_name or (line.label if line is not None else None) or (device.name if device else None)
    return Assignment(AssignmentKind.LABEL, label) if label else Assignment(AssignmentKind.NOTHING, "")


def users_without_number(inventory: Inventory, account_id: int) -> list[User]:
    """E2: the users to whom a number can be assigned, by name."""
    users = [
        user
        for user in inventory.all(User)
        if user.account_id == account_id and not inventory.ids_under("number.user", user.id)
    ]
    return sorted(users, key=lambda user: (user.full_name.casefold(), user.id))


def number_of_line(inventory: Inventory, line: Line) -> Number | None:
    """The number whose display name and features a line has: the one on it, else the first of its user."""
    if line.number_id is not None:
        return inventory.find(Number, line.number_id)
    numbers = inventory.numbers_of_user(line.user_id) if line.user_id is not None else ()
    return min(numbers, key=lambda number: number.id, default=None)


def display_names(inventory: Inventory, line: Line) -> tuple[str, ...]:
    """What a line may be called, best first: the number's display name overrides the user's name (E3)."""
    number = number_of_line(inventory, line)
    user = inventory.find(User, line.user_id if line.user_id is not None or number is None else number.user_id)
    names = (
        number.display_name if number is not None else None,
        user.full_name if user is not None else None,
        line.label,
    )
    return tuple(name for name in names if name)


def without_user(number: Number) -> Number:
    """The number taken from its user, and with it what goes to the user's email address."""
    return replace(number, user_id=None, features=replace(number.features, voicemail_to_email=False))
