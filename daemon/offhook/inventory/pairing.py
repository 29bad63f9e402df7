"""Handsets and their bases, bases and their systems (R2, R6).

A handset has the location and the emergency address of the base that it is paired with (R9), and its lines stand in the
file of the base that leads the system. Whoever changes what a base is in its system leaves it with one leader.
"""

from typing import Final

from offhook.errors import Conflict, Invalid
from offhook.inventory.editor import Editor
from offhook.inventory.models import BaseRole, DectSystem, Device, DeviceType
from offhook.inventory.rules import describe_device, name_type

_PAIRED: Final = "handsets stand under their base (R2)"
_ONE_LEADER: Final = "one base leads a DECT system (R2)"


def pair(editor: Editor, handset: Device, base: Device) -> Device:
    """Pairs a handset with a base, in place of the one that it was paired with. It keeps its user."""
    _check_type(handset, DeviceType.DECT_HANDSET, "device")
    _check_type(base, DeviceType.DECT_BASE, "base")
    return editor.change(handset, base_id=base.id)


def unpair(editor: Editor, handset: Device) -> Device:
    """Takes a handset from its base: it stands by itself, without location, and is in nobody's file. It keeps its user.

    Raises Conflict for one that is not paired.
    """
    _check_type(handset, DeviceType.DECT_HANDSET, "device")
    if handset.base_id is None:
        raise Conflict(
            f"{describe_device(handset)} is not paired",
            field="device",
            rule=_PAIRED,
            remedy="there is nothing to do",
        )
    return editor.change(handset, base_id=None)


def set_role(editor: Editor, base: Device, role: BaseRole) -> Device:
    """Makes a base what it shall be in its system. A new master takes the lead from the former, which is a member then.

    Raises Conflict where the system would have no leader, or two.
    """
    _check_type(base, DeviceType.DECT_BASE, "device")
    if base.system_id is None:
        raise Conflict(
            f"{describe_device(base)} belongs to no DECT system, so it has no role",
            field="role",
            rule=_ONE_LEADER,
            remedy="add it to a system",
        )
    return _place(editor, base, base.system_id, role)


def move_base(editor: Editor, base: Device, system: DectSystem | None, role: BaseRole | None = None) -> Device:
    """Takes a base, with the handsets that are paired with it, to another system, or out of the one that it is in.

    Without a role it is a member, where the system has no other base single, and where no other leads it the master.
    Raises Conflict where it leads others now, or the role does not fit.
    """
    _check_type(base, DeviceType.DECT_BASE, "device")
    if base.system_id is not None and (system is None or system.id != base.system_id):
        others = _others(editor, base, base.system_id)
        if others and base.role is not BaseRole.MEMBER:
            raise Conflict(
                f"{describe_device(base)} leads a DECT system with {len(others)} more bases",
                field="system",
                rule=_ONE_LEADER,
                remedy=f"make another its master first, e.g. {describe_device(others[0])}",
            )
    if system is None:
        return editor.change(base, system_id=None, role=None)
    if role is None:
        others = _others(editor, base, system.id)
        led = any(other.role is not BaseRole.MEMBER for other in others)
        role = BaseRole.MEMBER if led else BaseRole.MASTER if others else BaseRole.SINGLE
    return _place(editor, base, system.id, role)


def _place(editor: Editor, base: Device, system_id: int, role: BaseRole) -> Device:
    others = _others(editor, base, system_id)
    leaders = [other for other in others if other.role is not BaseRole.MEMBER]
    if role is BaseRole.SINGLE and others:
        raise Conflict(
            f"the DECT system of {describe_device(base)} has {len(others)} more bases, so it cannot be single",
            field="role",
            rule=_ONE_LEADER,
            remedy="make it master or member",
        )
    if role is BaseRole.MEMBER and not leaders:
        raise Conflict(
            f"without {describe_device(base)} the DECT system has no base that leads it",
            field="role",
            rule=_ONE_LEADER,
            remedy="make another base its master" if others else "make it single or master",
        )
    for leader in leaders:
        editor.change(leader, role=BaseRole.MEMBER if role is BaseRole.MASTER else BaseRole.MASTER)
    return editor.change(base, system_id=system_id, role=role)


def _others(editor: Editor, base: Device, system_id: int) -> list[Device]:
    return [other for other in editor.draft.bases_of(system_id) if other.id != base.id]


def _check_type(device: Device, kind: DeviceType, field: str) -> None:
    if device.type is not kind:
        raise Invalid(
            f"{describe_device(device)} is {name_type(device.type)}, not {name_type(kind)}",
            field=field,
            rule=_PAIRED,
            remedy=f"name {name_type(kind)}",
        )
