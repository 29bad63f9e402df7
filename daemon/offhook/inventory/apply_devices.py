"""Devices and their lines, brought to what their part of a document says."""

from functools import partial
from typing import Any

from offhook.errors import Invalid
from offhook.inventory.apply_addresses import edit_address
from offhook.inventory.apply_state import ApplyState
from offhook.inventory.credentials import GivenCredential
from offhook.inventory.document import DevicePart, LinePart
from offhook.inventory.identifiers import parse_mac
from offhook.inventory.models import Account, DectSystem, Device, DeviceType, Line
from offhook.inventory.rules import describe_device, name_type
from offhook.yamldoc import Path

_ASSIGNMENTS = ("user", "number", "extension")


def apply_device(state: ApplyState, account: Account, part: DevicePart, path: Path) -> None:
    identified, device = _find_device(state, account, part, path)
    if not identified:
        return
    values = part.stated("name", "vendor", "model", "state", "role", "mac", "ipei")
    if part.type is not None:
        values["type"] = part.type
    if device is None and part.type is None:
        kinds = ", ".join(kind.value for kind in DeviceType)
        state.fault(path, "a new device needs a type", remedy=f"state one of {kinds}")
        _set_aside(state, part)
        return
    if device is not None and part.type not in (None, device.type):
        state.fault(
            (*path, "type"),
            f"{describe_device(device)} is {name_type(device.type)}; a device's type does not change",
            remedy="delete it and add it anew",
            is_conflict=True,
        )
        state.unjudged.add(device.id)
        return
    values.update(_references(state, account, part, device, path))
    if device is None:
        if "vendor" not in values and part.mac is not None:
            values["vendor"] = state.editor.vendors.find_vendor_by_mac(part.mac)
        device = state.editor.create_device(account_id=account.id, **values)
    else:
        device = state.editor.change(device, **values)
    state.named(device, path)
    missing = state.editor.vendors.missing_templates(device.type, device.vendor, device.model)
    if missing is not None and device.type not in (DeviceType.DECT_HANDSET, DeviceType.SOFTPHONE):
        state.warn(path, f"{describe_device(device)}: {missing}")
    _apply_lines(state, account, device, part, path)


def _find_device(state: ApplyState, account: Account, part: DevicePart, path: Path) -> tuple[bool, Device | None]:
    """Whether the part says which device it is, and that device where it is there already."""
    if part.rename_from is not None and (part.mac or part.ipei):
        state.fault(
            (*path, "rename_from"),
            "devices are known by their MAC or IPEI, and the name just changes",
            remedy="drop rename_from",
        )
    if part.mac is not None:
        device = state.draft.find_device_by_mac(part.mac)
    elif part.ipei is not None:
        device = state.draft.find_device_by_ipei(part.ipei)
    elif part.name is not None:
        device = state.renamed(partial(_softphone, state, account), part.name, part.rename_from, path)
    else:
        state.fault(
            path, "a device is known by its mac, a handset by its ipei, a softphone by its name", remedy="state it"
        )
        return False, None
    if device is not None and device.account_id != account.id:
        owner = state.draft.get(Account, device.account_id)
        state.fault(
            path,
            f"{describe_device(device)} belongs to account {owner.name}",
            rule="one account",
            remedy="delete it there first",
            is_conflict=True,
        )
        state.unjudged.add(device.id)
        return False, None
    return True, device


def _set_aside(state: ApplyState, part: DevicePart) -> None:
    state.names_aside.add("devices", part.mac)
    state.names_aside.add("devices", part.name)


def _softphone(state: ApplyState, account: Account, name: str) -> Device | None:
    for device in state.draft.devices_named(name):
        if device.account_id == account.id and device.type is DeviceType.SOFTPHONE:
            return device
    return None


def _references(
    state: ApplyState, account: Account, part: DevicePart, device: Device | None, path: Path
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "location" in part.model_fields_set:
        values["location_id"] = state.location_id(account, part.location, path)
    if "address" in part.model_fields_set:
        values["address"] = edit_address(state, part.address, device.address if device else None, (*path, "address"))
    if "base" in part.model_fields_set:
        base = base_named(state, account, part.base, (*path, "base"))
        values["base_id"] = base.id if base else None
    if "system" in part.model_fields_set:
        system = system_named(state, account, part.system, (*path, "system"))
        values["system_id"] = system.id if system else None
    return values


def system_named(state: ApplyState, account: Account, name: str | None, path: Path) -> DectSystem | None:
    """The DECT system that a part names."""
    if name is None:
        return None
    system = state.draft.find_system(account.id, name)
    if system is None and not state.names_aside.has("dect_systems", name):
        state.fault(path, f"there is no DECT system {name!r}", remedy="add it under dect_systems")
    return system


def base_named(state: ApplyState, account: Account, text: str | None, path: Path) -> Device | None:
    """The base that a part names, by its MAC or its name."""
    if text is None:
        return None
    try:
        found = [state.draft.find_device_by_mac(parse_mac(text))]
    except Invalid:
        found = [device for device in state.draft.devices_named(text) if device.account_id == account.id]
        if len(found) > 1:
            state.fault(path, f"{len(found)} devices are called {text!r}", remedy="name the base by its MAC")
            return None
    base = found[0] if found else None
    if base is None and not state.names_aside.has("devices", text):
        state.fault(path, f"there is no base {text!r}", remedy="add it under devices, with type dect_base")
    return base


def _apply_lines(state: ApplyState, account: Account, device: Device, part: DevicePart, path: Path) -> None:
    lines = {line.index: line for line in state.draft.lines_of(device.id)}
    listed = part.lines or ()
    if "user" in part.model_fields_set:
        if any(line.index == 1 and line.model_fields_set.intersection(_ASSIGNMENTS) for line in listed):
            state.fault(
                (*path, "user"), "line 1 is assigned twice: by user, and under lines", remedy="drop one of the two"
            )
            return
        line = lines.get(1)
        if line is None and part.user is not None:
            line = state.editor.create_line(device, 1)
        if line is not None:
            state.paths[line.id] = (*path, "user")
            user = state.user_named(account, part.user, (*path, "user"))
            if part.user is None:
                line = state.editor.change(line, user_id=None)
            else:
                line = state.editor.assign(line, user=user)
            lines[1] = line
    seen: set[int] = set()
    for at, stated in state.reading.remainder.each((*path, "lines"), listed):
        if stated.index in seen:
            state.fault(at, f"line {stated.index} is stated twice", remedy="drop one of the two")
            continue
        seen.add(stated.index)
        line = lines.get(stated.index) or state.editor.create_line(device, stated.index)
        _apply_line(state, account, line, stated, at)
    if part.lines is not None:
        state.stated_lines.append((device, frozenset(seen | ({1} if "user" in part.model_fields_set else set()))))


def _apply_line(state: ApplyState, account: Account, line: Line, part: LinePart, path: Path) -> None:
    state.paths[line.id] = path
    stated = part.stated(*_ASSIGNMENTS)
    if sum(value is not None for value in stated.values()) > 1:
        state.fault(
            path,
            "a line has one assignment: a user, a number, or an extension of its own",
            rule="one assignment per line (T2)",
            remedy="drop the others",
        )
        return
    if any(value is not None for value in stated.values()):
        number = state.number_named(account, part.number, (*path, "number"))
        user = state.user_named(account, part.user, (*path, "user"))
        line = state.editor.assign(line, user=user, number=number, extension=part.extension)
    elif stated:
        fields = {"user": "user_id", "number": "number_id", "extension": "extension"}
        line = state.editor.change(line, **{fields[name]: None for name in stated})
    values = part.stated("label", "appearances")
    if values:
        line = state.editor.change(line, **values)
    if part.auth_username is not None or part.password is not None:
        active = state.draft.active_credential(line.id)
        is_known = active is not None and active.is_external
        if account.external_registrar and not is_known and None in (part.auth_username, part.password):
            state.fault(
                path,
                "credentials of an external registrar are stated whole",
                remedy="state auth_username and password",
            )
            return
        state.editor.give_credential(line, GivenCredential(part.auth_username, part.password))
