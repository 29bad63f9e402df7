"""Finds the device that somebody means by a MAC, an IPEI, a name or an id."""

import difflib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from offhook.errors import Conflict, Invalid, NotFound
from offhook.inventory.identifiers import format_ipei, format_mac, parse_ipei, parse_mac
from offhook.inventory.models import Account, Device
from offhook.inventory.rules import describe_device
from offhook.inventory.snapshot import Inventory
from offhook.yamldoc import Value

_SUGGESTIONS: Final = 3
#: Names and MACs compared in search of one that may have been meant.
_COMPARED: Final = 5000
_LISTED: Final = 10


def device_key(device: Device) -> str:
    """What a program calls the device by: its MAC, else its IPEI, else its id."""
    if device.mac:
        return format_mac(device.mac)
    return format_ipei(device.ipei) if device.ipei else str(device.id)


def device_part(device: Device) -> dict[str, Value]:
    """What its part of a document says that it is known by."""
    if device.mac:
        return {"mac": format_mac(device.mac)}
    return {"ipei": format_ipei(device.ipei)} if device.ipei else {"name": device.name}


def get_device(inventory: Inventory, text: str) -> Device:
    """The device. Raises NotFound, with what may have been meant, and Conflict where the name is that of several."""
    found = find_devices(inventory, text.strip())
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"there is no device {text[:128]!r}", field="device", remedy=_suggest(inventory, text.strip()))
    names = [
        f"{describe_device(device)} of {inventory.get(Account, device.account_id).name}" for device in found[:_LISTED]
    ]
    more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
    raise Conflict(
        f"{len(found)} devices are called {text[:128]}: {', '.join(names)}{more}",
        field="device",
        rule="a device is named by its MAC, its IPEI, or a name that no other has",
        remedy=f"name it by its MAC, e.g. {device_key(found[0])}",
    )


def find_devices(inventory: Inventory, text: str) -> list[Device]:
    """Those of that MAC, else IPEI, else name, else id: several only where a name is that of several."""
    for parse, find in ((parse_mac, inventory.find_device_by_mac), (parse_ipei, inventory.find_device_by_ipei)):
        try:
            device = find(parse(text))
        except Invalid:
            continue
        if device is not None:
            return [device]
    named = list(inventory.devices_named(text))
    if named or not (text.isascii() and text.isdecimal() and len(text) < 20):
        return named
    by_id = inventory.find(Device, int(text))
    return [by_id] if by_id is not None else []


def _suggest(inventory: Inventory, text: str) -> str:
    try:
        wanted, names = format_mac(parse_mac(text)), _macs(inventory)
    except Invalid:
        wanted, names = text.casefold(), (device.name for device in inventory.all(Device) if device.name)
    known = {name.casefold(): name for name in islice(_alike(wanted, names), _COMPARED)}
    close = [known[name] for name in difflib.get_close_matches(wanted, known, _SUGGESTIONS, cutoff=0.75)]
    return f"did you mean {' or '.join(close)}?" if close else "see: offhook device list"


def _macs(inventory: Inventory) -> Iterator[str]:
    return (format_mac(device.mac) for device in inventory.all(Device) if device.mac)


def _alike(wanted: str, names: Iterable[str]) -> Iterator[str]:
    """Those of about its length; the others cannot be close, and comparing is dear."""
    return (name for name in names if abs(len(name) - len(wanted)) <= max(2, len(wanted) // 4))
