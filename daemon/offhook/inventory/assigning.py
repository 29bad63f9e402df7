"""Lines are assigned and users moved, one at a time (R10, U6, N4, T1).

A user has one device at a time. Who has another is moved only where that is confirmed, and then the old device is
released; unconfirmed, nothing happens, and whoever asks is told which device it is.
"""

from typing import Final

from offhook.errors import Conflict, Invalid
from offhook.inventory.editor import Editor
from offhook.inventory.models import Device, DeviceType, Line, Number, User
from offhook.inventory.rules import PHYSICAL_PHONES, describe_device, lines_of_person, physical_devices_of

_CONFIRM: Final = "confirm the move (--confirm-moves): that device is released then"


def move_user(editor: Editor, user: User, place: Device | Line, *, confirm: bool) -> Line:
    """Gives a user a device, by its first line, or a certain line. Raises as :func:`assign_line` does."""
    return assign_line(editor, get_line(editor, place), user=user, confirm_moves=confirm)


def assign_line(
    editor: Editor,
    line: Line,
    *,
    user: User | None = None,
    number: Number | None = None,
    extension: str | None = None,
    confirm_moves: bool = False,
) -> Line:
    """Gives a line its one assignment in place of the one that it has, or none.

    Raises Conflict where the user, or the number's user, has another phone, or the number is on another line, and the
    move is not confirmed; Invalid where more than one assignment is stated.
    """
    if sum(stated is not None for stated in (user, number, extension)) > 1:
        raise Invalid(
            "a line has one assignment: a number, a user, or an extension of its own",
            field="line",
            rule="one assignment per line (T2)",
            remedy="drop the others",
        )
    owner = editor.draft.find(User, number.user_id) if number is not None else None
    for person in (user, owner):
        if person is not None:
            _move_person(editor, person, line, confirm=confirm_moves)
    if number is not None:
        _move_number(editor, number, line, confirm=confirm_moves)
    return editor.assign(editor.draft.get(Line, line.id), user=user, number=number, extension=extension)


def get_line(editor: Editor, place: Device | Line) -> Line:
    """The line that is meant: of a device the first, which it gets where it has none. Raises Invalid for a base."""
    if isinstance(place, Line):
        return place
    if place.type is DeviceType.DECT_BASE:
        raise Invalid(
            f"{describe_device(place)} is a DECT base, which has no lines of its own",
            field="device",
            rule="handsets have the lines (R7)",
            remedy="name one of its handsets",
        )
    lines = editor.draft.lines_of(place.id)
    return lines[0] if lines and lines[0].index == 1 else editor.create_line(place, 1)


def _move_person(editor: Editor, user: User, line: Line, *, confirm: bool) -> None:
    device = editor.draft.get(Device, line.device_id)
    if device.type not in PHYSICAL_PHONES:
        return
    held = [other for other in physical_devices_of(editor.draft, user.id) if other.id != device.id]
    if not held:
        return
    if not confirm:
        raise Conflict(
            f"user {user.username} has {describe_device(held[0])} already, and a user has one device at a time",
            field="user",
            rule="one device per user (R10)",
            remedy=_CONFIRM,
        )
    released = {other.id for other in held}
    for former in lines_of_person(editor.draft, user.id):
        if former.device_id in released:
            editor.assign(former)


def _move_number(editor: Editor, number: Number, line: Line, *, confirm: bool) -> None:
    former = editor.draft.line_of_number(number.id)
    if former is None or former.id == line.id:
        return
    device = editor.draft.get(Device, former.device_id)
    if not confirm:
        raise Conflict(
            f"number {number.number} is on {describe_device(device)} already",
            field="number",
            rule="a number is on one line (T2)",
            remedy=_CONFIRM,
        )
    editor.change(former, number_id=None)
