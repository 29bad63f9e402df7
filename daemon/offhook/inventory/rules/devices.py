"""What a device must have, and cannot have, by its type."""

from collections.abc import Iterator
from typing import Final

from offhook.inventory.models import BaseRole, DectSystem, Device, DeviceType, Location
from offhook.inventory.rules.breach import Breach, ids_of, judge_account
from offhook.inventory.rules.descriptions import describe_device, name_type
from offhook.inventory.snapshot import Draft

_IDENTIFIER: Final = "hardware identifier by type (R1)"
_OF_BASE: Final = "a handset has its base's location (R9)"
_ONE_LEADER: Final = "one base leads a DECT system (R2)"
_PAIRED: Final = "handsets stand under their base (R2)"
_LEAVE_OUT: Final = "leave it out"


def judge_device(device: Device, draft: Draft) -> Iterator[Breach]:
    """The rules of a device that was put."""
    if device.type is DeviceType.DECT_HANDSET:
        yield from _of_handset(device, draft)
    else:
        yield from _of_other(device, draft)
    if device.type is DeviceType.DECT_BASE:
        yield from _of_base(device, draft)
    elif device.system_id is not None or device.role is not None:
        message = "only DECT bases belong to a DECT system and have a role"
        yield Breach(device, "system", message, rule=_ONE_LEADER, remedy=_LEAVE_OUT)
    location = draft.find(Location, device.location_id)
    if location is not None:
        what = f"location {location.name}"
        yield from judge_account(device, "location", location.account_id, device.account_id, what)


def _of_handset(device: Device, draft: Draft) -> Iterator[Breach]:
    if device.ipei is None:
        message = "a DECT handset needs its IPEI"
        yield Breach(device, "ipei", message, rule=_IDENTIFIER, remedy="dial *#06# on it")
    if device.mac is not None:
        message = "a DECT handset has an IPEI and no MAC"
        yield Breach(device, "mac", message, rule=_IDENTIFIER, remedy=_LEAVE_OUT)
    if device.location_id is not None:
        message = "a handset has the location of its base"
        yield Breach(device, "location", message, rule=_OF_BASE, remedy=_LEAVE_OUT)
    if device.address is not None:
        message = "a handset has the emergency address of its base"
        yield Breach(device, "address", message, rule=_OF_BASE, remedy=_LEAVE_OUT)
    base = draft.find(Device, device.base_id)
    if base is None:
        return
    if base.type is not DeviceType.DECT_BASE:
        yield Breach(
            device,
            "base",
            f"{describe_device(base)} is {name_type(base.type)}, not a DECT base",
            rests_on=ids_of(base),
            rule=_PAIRED,
            remedy="name a DECT base, or leave it out and pair the handset later",
        )
    yield from judge_account(device, "base", base.account_id, device.account_id, describe_device(base))


def _of_other(device: Device, draft: Draft) -> Iterator[Breach]:
    if device.ipei is not None:
        yield Breach(device, "ipei", "only DECT handsets have an IPEI", rule=_IDENTIFIER, remedy=_LEAVE_OUT)
    if device.base_id is not None:
        message = "only DECT handsets are paired with a base"
        yield Breach(device, "base", message, rule=_PAIRED, remedy=_LEAVE_OUT)
    if device.type is DeviceType.SOFTPHONE:
        yield from _of_softphone(device, draft)
    elif device.mac is None:
        message = f"{name_type(device.type)} needs its MAC"
        yield Breach(device, "mac", message, rule=_IDENTIFIER, remedy="copy it from the label")


def _of_softphone(device: Device, draft: Draft) -> Iterator[Breach]:
    if device.mac is not None:
        yield Breach(device, "mac", "a softphone has no MAC", rule=_IDENTIFIER, remedy=_LEAVE_OUT)
    rule = "a softphone is known by its name (R1)"
    if device.name is None:
        yield Breach(device, "name", "a softphone is known by its name", rule=rule, remedy="give it one")
    elif any(
        other.id != device.id and other.account_id == device.account_id and other.type is device.type
        for other in draft.devices_named(device.name)
    ):
        message = f"the account has a softphone {device.name} already"
        yield Breach(device, "name", message, is_conflict=True, rule=rule, remedy="choose another name")


def _of_base(device: Device, draft: Draft) -> Iterator[Breach]:
    system = draft.find(DectSystem, device.system_id)
    if device.system_id is None or system is None:
        return
    what = f"DECT system {system.name}"
    yield from judge_account(device, "system", system.account_id, device.account_id, what)
    bases = draft.bases_of(device.system_id)
    if device.role is BaseRole.SINGLE and len(bases) > 1:
        yield Breach(
            device,
            "role",
            f"the DECT system has {len(bases)} bases, so this one is master or member, not single",
            rests_on=ids_of(*bases),
            rule=_ONE_LEADER,
            remedy="make one base the master and the others members",
        )
    leaders = [base for base in bases if base.role is not BaseRole.MEMBER]
    if len(leaders) > 1:
        names = ", ".join(describe_device(base) for base in leaders)
        yield Breach(
            device,
            "role",
            f"a DECT system has one base that is single or master, not {names}",
            rests_on=ids_of(*leaders),
            rule=_ONE_LEADER,
            remedy="make all but one members",
        )
