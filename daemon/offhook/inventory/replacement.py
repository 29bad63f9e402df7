"""A dead device is replaced by another (R13): what it was for moves to the new hardware.

It stays the same device of the inventory, with its lines, location, handsets, name and history; only its identifier,
and what hangs on it, is another. The dead one may be in anybody's hands, so nothing that it knew stays valid.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from offhook.errors import Conflict, Invalid
from offhook.inventory.editor import Editor
from offhook.inventory.identifiers import format_ipei, format_mac, parse_ipei, parse_mac
from offhook.inventory.models import Device, DeviceState, DeviceType
from offhook.inventory.ports import Change, Put
from offhook.inventory.rules import describe_device, name_type
from offhook.inventory.snapshot import Inventory

#: How many identifiers of former hardware a device remembers; the oldest goes first.
FORMER_KEPT: Final = 16
_RULE: Final = "the new hardware is of the same type, and free (R13)"


@dataclass(frozen=True, slots=True)
class _Hardware:
    """What is put in the place of the dead one."""

    field: str
    identifier: str
    stock: Device | None
    #: The device that has the identifier already.


def replace_device(
    editor: Editor,
    device: Device,
    *,
    mac: str | None = None,
    ipei: str | None = None,
    vendor: str | None = None,
    model: str | None = None,
) -> Device:
    """Gives a device other hardware: a MAC, or for a handset an IPEI, in any notation.

    A device in stock that has that identifier is merged: its entry goes. The vendor is the one stated, else the one
    typed in for what was in stock, else the MAC's, else the former; a model that is not stated is not known. All
    credentials and the token are made anew at once, of a base also those of the handsets whose lines it held; only what
    a foreign registrar gave is kept, since nothing can be made up for it. A device that was disabled, as a lost one is,
    is active with its new hardware.

    Raises Invalid for an identifier that such a device cannot have, Conflict for one that is in use.
    """
    hardware = _find_hardware(editor, device, mac, ipei)
    stock = hardware.stock
    if vendor is None and stock is not None:
        vendor = stock.vendor
    if vendor is None and device.type is not DeviceType.DECT_HANDSET:
        vendor = editor.vendors.find_vendor_by_mac(hardware.identifier)
    if model is None and stock is not None and stock.vendor == vendor:
        model = stock.model
    if stock is not None:
        editor.delete(stock)
    for held in (device, *editor.draft.handsets_relying_on(device)):
        editor.credentials.void(held)
    former = getattr(device, hardware.field)
    kept = [identifier for identifier in device.former_identifiers if identifier != hardware.identifier]
    replaced = editor.give_token(
        editor.change(
            device,
            **{hardware.field: hardware.identifier},
            vendor=vendor or device.vendor,
            model=model,
            state=DeviceState.ACTIVE,
            former_identifiers=(*kept, former)[-FORMER_KEPT:],
        )
    )
    editor.note("replace", replaced)
    return replaced


def _find_hardware(editor: Editor, device: Device, mac: str | None, ipei: str | None) -> _Hardware:
    if device.type is DeviceType.SOFTPHONE:
        raise Invalid(
            f"{describe_device(device)} is a softphone, which has no hardware that could be replaced",
            field="device",
            rule=_RULE,
            remedy="disable it, and enable it with new credentials",
        )
    field, stated, other = ("ipei", ipei, mac) if device.type is DeviceType.DECT_HANDSET else ("mac", mac, ipei)
    if stated is None or other is not None:
        raise Invalid(
            f"{name_type(device.type)} is replaced by one with another {field.upper()}",
            field=field,
            rule=_RULE,
            remedy=f"state its {field} alone",
        )
    identifier = parse_ipei(stated) if field == "ipei" else parse_mac(stated)
    if identifier == getattr(device, field):
        raise Invalid(
            f"{describe_device(device)} has that {field.upper()} already",
            field=field,
            rule=_RULE,
            remedy="state the one of the new hardware",
        )
    find = editor.draft.find_device_by_ipei if field == "ipei" else editor.draft.find_device_by_mac
    stock = find(identifier)
    if stock is not None and (reason := _find_use(editor.draft, device, stock)):
        raise Conflict(
            f"{describe_device(stock)} {reason}, so it cannot take the place of {describe_device(device)}",
            field=field,
            rule=_RULE,
            remedy="choose hardware that is free, or free it first",
        )
    return _Hardware(field, identifier, stock)


def _find_use(inventory: Inventory, device: Device, stock: Device) -> str:
    """Why hardware that the inventory knows is not free; empty where it is."""
    if stock.account_id != device.account_id:
        return "belongs to another account"
    if stock.type is not device.type:
        return f"is {name_type(stock.type)}, not {name_type(device.type)}"
    if stock.state is not DeviceState.ACTIVE:
        return "is disabled"
    if stock.base_id is not None:
        return "is paired with a base"
    if stock.system_id is not None:
        return "belongs to a DECT system"
    if inventory.handsets_of(stock.id):
        return "has handsets"
    if any(inventory.extension_of(line) is not None for line in inventory.lines_of(stock.id)):
        return "is assigned"
    return ""


def find_replaced(before: Inventory, changes: Iterable[Change]) -> frozenset[int]:
    """Devices whose hardware is another after these changes."""
    devices = (change.entity for change in changes if isinstance(change, Put) and isinstance(change.entity, Device))
    return frozenset(
        device.id
        for device in devices
        if (former := before.find(Device, device.id)) is not None
        and (former.mac, former.ipei) != (device.mac, device.ipei)
    )


def known_as(device: Device) -> tuple[str, ...]:
    """All identifiers under which a device stands in the audit, as people write them; the present one first."""
    form = format_ipei if device.type is DeviceType.DECT_HANDSET else format_mac
    present = device.ipei if device.type is DeviceType.DECT_HANDSET else device.mac
    identifiers = (present, *reversed(device.former_identifiers))
    return tuple(form(identifier) for identifier in identifiers if identifier is not None)
