"""Hot desking: a number is logged in to a phone by the ID that the phone shows on its screen, and out again (E5).

A log-in is no assignment. The user's own phone stays what it is, and rings along; the phone that the number was logged
in to goes back to its own extension, or to none, when it logs out. Whoever forgot to log out does so from afar: by
moving the log-in along with the next one, or by number, user or device. Each function edits a draft.
"""

from dataclasses import dataclass
from typing import Final

from offhook.errors import Conflict, NotFound
from offhook.inventory.editor import Editor
from offhook.inventory.models import Account, Device, DeviceType, Line, Number, NumberStatus, User
from offhook.inventory.rules import PHYSICAL_PHONES, describe_device, lines_of_person, name_type
from offhook.inventory.snapshot import Inventory

_RULE: Final = "log-in by phone ID (E5)"


@dataclass(frozen=True, slots=True)
class LogIn:
    """Where a number is logged in."""

    device: Device
    line: Line
    since: float


def find_log_in(inventory: Inventory, number: Number) -> LogIn | None:
    """Where the number is logged in; None where it is not, or is assigned for good."""
    line = inventory.line_of_number(number.id)
    if line is None or line.logged_in_at is None:
        return None
    return LogIn(inventory.get(Device, line.device_id), line, line.logged_in_at)


def log_in(editor: Editor, number: Number, phone_id: str, *, move: bool = False, index: int = 1) -> Line:
    """Logs a number in to the device with that phone ID; ``index`` is the port of an ATA.

    With ``move`` the number, and any other of its user's, is logged out where it was. Raises NotFound and Conflict.
    """
    draft = editor.draft
    _refuse_number(draft, number)
    device = find_phone(draft, number.account_id, phone_id)
    _refuse_device(editor, device)
    line = _find_line(draft, device, index)
    if line.number_id == number.id and line.logged_in_at is not None:
        return line
    _refuse_taken(draft, device, line)
    for held in _held_elsewhere(draft, number):
        if not move:
            raise Conflict(
                f"{_name_number(draft, held)} is logged in to {_name_device(draft, held)} already",
                field="number",
                rule="a user is logged in to one device at a time (E5)",
                remedy="log out there, or move the log-in",
            )
        _log_out(editor, held)
    line = editor.change(draft.get(Line, line.id), number_id=number.id, logged_in_at=editor.now)
    editor.note("log_in", line)
    return line


def log_out(editor: Editor, who: Number | User | Device) -> tuple[Line, ...]:
    """Logs out a number, all numbers of a user, or whatever is logged in to a device.

    Gives the lines that are free again. Raises Conflict where nothing is logged in.
    """
    lines = [line for line in _lines_of(editor.draft, who) if line.logged_in_at is not None]
    if not lines:
        raise _nothing_logged_in(editor.draft, who)
    return tuple(_log_out(editor, line) for line in lines)


def find_phone(inventory: Inventory, account_id: int, phone_id: str) -> Device:
    """The account's device with that phone ID, which people may write in groups. Raises NotFound."""
    digits = "".join(char for char in phone_id if char not in " -.")
    device = inventory.find_device_by_phone_id(digits)
    if device is None or device.account_id != account_id:
        raise NotFound(
            f"no device has the phone ID {phone_id[:32]!r}",
            field="phone_id",
            rule=_RULE,
            remedy="type the six digits that the phone shows on its screen while nobody uses it",
        )
    return device


# -- what is refused ------------------------------------------------------------------------------------------------


def _refuse_number(inventory: Inventory, number: Number) -> None:
    if number.status is not NumberStatus.ACTIVE or number.is_main:
        state = "the main number" if number.is_main else number.status.value
        raise Conflict(
            f"number {number.number} is {state}, and is not logged in anywhere",
            field="number",
            rule="only active numbers that are not the main number can be acted on (E1)",
            remedy="choose another number" if number.is_main else "make it active first",
        )
    account = inventory.get(Account, number.account_id)
    if account.external_registrar is not None:
        raise Conflict(
            f"the phones of account {account.name} register with {account.external_registrar}, which would not know",
            field="number",
            rule="credentials of an external registrar are brought along",
            remedy="log in with the feature code of that system",
        )
    line = inventory.line_of_number(number.id)
    if line is not None and line.logged_in_at is None:
        raise Conflict(
            f"number {number.number} is assigned to {_name_device(inventory, line)}",
            field="number",
            rule="a log-in moves no assignment (E5)",
            remedy="unassign it there first",
        )


def _refuse_device(editor: Editor, device: Device) -> None:
    draft = editor.draft
    carrier = draft.carrier_of(device)
    reason = remedy = ""
    if device.type not in PHYSICAL_PHONES:
        reason = f"is {name_type(device.type)}"
        remedy = "use the phone ID of a handset" if device.type is DeviceType.DECT_BASE else "use that of a phone"
    elif carrier is None:
        reason, remedy = "is paired with no base", "pair it first"
    elif not draft.is_in_service(device):
        reason, remedy = "is disabled", "enable it first"
    elif missing := editor.vendors.missing_templates(carrier.type, carrier.vendor, carrier.model):
        reason, remedy = f"would not be told ({missing})", "use a phone that fetches its configuration here"
    if reason:
        raise Conflict(
            f"{describe_device(device)} {reason}, so nothing can be logged in to it",
            field="phone_id",
            rule=_RULE,
            remedy=remedy,
        )


def _find_line(inventory: Inventory, device: Device, index: int) -> Line:
    line = next((line for line in inventory.lines_of(device.id) if line.index == index), None)
    if line is None:
        raise NotFound(
            f"{describe_device(device)} has no line {index}", field="index", remedy="name one that it has, or add it"
        )
    return line


def _refuse_taken(inventory: Inventory, device: Device, line: Line) -> None:
    """Each port of an ATA is a handset; any other device is one as a whole."""
    parts = (line,) if device.type is DeviceType.ATA else inventory.lines_of(device.id)
    for part in parts:
        user = inventory.find(User, part.user_id)
        if user is not None:
            holder = f"user {user.username}"
        elif part.number_id is not None:
            holder = _name_number(inventory, part)
        else:
            continue
        raise Conflict(
            f"{describe_device(device)} is taken by {holder}",
            field="phone_id",
            rule="one number per handset (E5)",
            remedy="log out there first" if part.logged_in_at is not None else "choose another phone",
        )


# -- who is where ---------------------------------------------------------------------------------------------------


def _held_elsewhere(inventory: Inventory, number: Number) -> list[Line]:
    """Lines at which the number, or another number of its user, is logged in."""
    own = inventory.line_of_number(number.id)
    lines = {own.id: own} if own is not None else {}
    if number.user_id is not None:
        lines.update({line.id: line for line in lines_of_person(inventory, number.user_id)})
    return [line for line in lines.values() if line.logged_in_at is not None]


def _lines_of(inventory: Inventory, who: Number | User | Device) -> list[Line]:
    match who:
        case Number():
            line = inventory.line_of_number(who.id)
            return [line] if line is not None else []
        case User():
            return lines_of_person(inventory, who.id)
        case Device():
            return list(inventory.lines_of(who.id))


def _log_out(editor: Editor, line: Line) -> Line:
    line = editor.change(line, number_id=None)
    editor.note("log_out", line)
    return line


def _nothing_logged_in(inventory: Inventory, who: Number | User | Device) -> Conflict:
    remedy = ""
    match who:
        case Number():
            message = f"number {who.number} is not logged in"
            if (line := inventory.line_of_number(who.id)) is not None:
                message += f", but assigned to {_name_device(inventory, line)}"
                remedy = "unassign it there"
        case User():
            message = f"no number of user {who.username} is logged in"
        case Device():
            message = f"nothing is logged in to {describe_device(who)}"
    return Conflict(message, rule=_RULE, remedy=remedy)


def _name_device(inventory: Inventory, line: Line) -> str:
    return describe_device(inventory.get(Device, line.device_id))


def _name_number(inventory: Inventory, line: Line) -> str:
    """The number on a line, with whose it is."""
    assert line.number_id is not None
    number = inventory.get(Number, line.number_id)
    user = inventory.find(User, number.user_id)
    return f"number {number.number} of user {user.username}" if user is not None else f"number {number.number}"
