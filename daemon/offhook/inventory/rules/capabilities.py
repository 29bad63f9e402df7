"""What a model can hold (T2): lines or ports, appearances on its keys, and the handsets of a DECT base.

The model that was typed in counts. What a device reports is shown beside it and wins where files are made (R5), but a
rule cannot rest on it: it is no part of the inventory, and a phone that reports something new would make changes fail
that have nothing to do with it.
"""

from collections.abc import Iterator, Sequence

from offhook.inventory.models import DectSystem, Device, DeviceType, Line
from offhook.inventory.ports import Capability, Vendors
from offhook.inventory.rules.breach import Breach, ids_of
from offhook.inventory.rules.descriptions import describe_device
from offhook.inventory.snapshot import Draft, Inventory


def find_capability(inventory: Inventory, device: Device, vendors: Vendors) -> Capability | None:
    """What a device's model can hold; a base of which nothing is said is one as its DECT system has. None: unknown."""
    system = inventory.find(DectSystem, device.system_id)
    vendor = device.vendor or (system.vendor if system is not None else None)
    model = device.model or (system.model if system is not None else None)
    return vendors.capability(device.type, vendor, model)


def judge_capabilities(draft: Draft, vendors: Vendors) -> Iterator[Breach]:
    """Everything that the draft's changes put where it does not fit. What was too much already is not judged."""
    devices: set[int | None] = set()
    for change in draft.changes:
        match change.entity:
            case Device(id=device_id, base_id=base_id):
                devices.update((device_id, base_id))
            case Line(device_id=device_id):
                devices.add(device_id)
            case DectSystem(id=system_id):
                devices.update(base.id for base in draft.bases_of(system_id))
    touched = [device for device_id in devices if (device := draft.find(Device, device_id)) is not None]
    leaders: dict[int, Device] = {}
    for device in sorted(touched, key=lambda device: device.id):
        if device.type is DeviceType.DECT_BASE:
            leader = draft.leader_of(device) or device
            leaders[leader.id] = leader
        else:
            yield from _judge_lines(device, draft, vendors)
    for leader in leaders.values():
        yield from _judge_handsets(leader, draft, vendors)


def _judge_lines(device: Device, draft: Draft, vendors: Vendors) -> Iterator[Breach]:
    capability = find_capability(draft, device, vendors)
    lines = draft.lines_of(device.id)
    changed = [line for line in lines if _place(line) != _place(draft.base.find(Line, line.id))]
    is_other_model = _find_former_capability(device, draft, vendors) != capability
    if capability is None or not (changed or is_other_model):
        return
    if capability.lines is not None:
        surplus = [line for line in lines if line.index > (capability.lines or 0)]
        yield from _too_many_lines(device, capability, surplus, changed)
    if capability.keys is not None:
        yield from _too_many_appearances(device, capability, capability.keys, lines, changed)


def _place(line: Line | None) -> tuple[int, int] | None:
    return (line.index, line.appearances) if line is not None else None


def _find_former_capability(device: Device, draft: Draft, vendors: Vendors) -> Capability | None:
    former = draft.base.find(Device, device.id)
    return find_capability(draft.base, former, vendors) if former is not None else None


def _too_many_lines(
    device: Device, capability: Capability, surplus: Sequence[Line], changed: Sequence[Line]
) -> Iterator[Breach]:
    noun = "port" if device.type is DeviceType.ATA else "line"
    has = f"model {capability.model} has {_count(capability.lines or 0, noun)}"
    for line in surplus:
        if line in changed:
            yield Breach(
                line,
                "index",
                f"{has}, and there is no {noun} {line.index}",
                rests_on=ids_of(device, line),
                rule=f"{noun}s by model (T2)",
                remedy=f"choose one of 1 to {capability.lines}, or correct the model",
            )
    held = [line for line in surplus if line not in changed]
    if held:
        names = f"{noun}{'s' if len(held) > 1 else ''} {' and '.join(str(line.index) for line in held)}"
        yield Breach(
            device,
            "model",
            f"{has}, and {describe_device(device)} has {names}",
            is_conflict=True,
            rests_on=ids_of(device, *held),
            rule=f"{noun}s by model (T2)",
            remedy=f"delete {names} first, or choose another model",
        )


def _too_many_appearances(
    device: Device, capability: Capability, keys: int, lines: Sequence[Line], changed: Sequence[Line]
) -> Iterator[Breach]:
    """Every line appears once, with or without a key; it takes a key for each time that it appears where one does more.

    So phones without keys, and those with fewer keys than lines, hold all their lines.
    """
    total = sum(line.appearances for line in lines)
    if total <= max(keys, len(lines)):
        return
    culprit = next((line for line in reversed(changed) if line.appearances > 1), None)
    yield Breach(
        culprit or device,
        "appearances" if culprit else "model",
        f"model {capability.model} has {_count(keys, 'line key')}, and its lines would appear {total} times",
        rests_on=ids_of(device, *lines),
        rule="appearances by model (T2)",
        remedy="let lines appear fewer times, or correct the model",
    )


def _judge_handsets(leader: Device, draft: Draft, vendors: Vendors) -> Iterator[Breach]:
    capability = find_capability(draft, leader, vendors)
    if capability is None or capability.handsets is None:
        return
    handsets = draft.carried_handsets(leader)
    new = [handset for handset in handsets if _carrier_before(handset, draft) != leader.id]
    is_other_model = _find_former_capability(leader, draft, vendors) != capability
    if len(handsets) <= capability.handsets or not (new or is_other_model):
        return
    holds = f"model {capability.model}, which holds {_count(capability.handsets, 'handset')}"
    culprit = None if is_other_model else max(new, key=lambda handset: handset.id)
    yield Breach(
        culprit or leader,
        "base" if culprit else "model",
        f"{describe_device(leader)} is of {holds}, and would have {len(handsets)}",
        is_conflict=True,
        rests_on=ids_of(leader, *handsets),
        rule="handsets by model (T2)",
        remedy="pair with another base" if capability.handsets else "let a base lead the system that holds handsets",
    )


def _carrier_before(handset: Device, draft: Draft) -> int | None:
    former = draft.base.find(Device, handset.id)
    carrier = draft.base.carrier_of(former) if former is not None else None
    return carrier.id if carrier is not None else None


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
