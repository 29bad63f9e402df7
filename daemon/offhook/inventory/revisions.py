"""Which carriers a change touches, and whose revision it raises."""

from collections.abc import Iterable

from offhook.inventory.models import (
    Account,
    Carrier,
    Credential,
    DectSystem,
    Device,
    DeviceType,
    Line,
    Location,
    Number,
    StationType,
    User,
)
from offhook.inventory.ports import Change, DigestSource
from offhook.inventory.progress import Progress, Stage
from offhook.inventory.snapshot import Draft, Inventory

_WITHOUT_FILES = frozenset({DeviceType.DECT_HANDSET, DeviceType.SOFTPHONE})


def affected_devices(inventory: Inventory, changes: Iterable[Change]) -> set[int]:
    """Devices whose lines or settings a change could alter, seen from one side of it (before, or after)."""
    devices: set[int] = set()
    accounts: set[int] = set()
    locations: set[int] = set()
    lines: set[int] = set()
    for change in changes:
        match change.entity:
            case Account(id=account_id):
                accounts.add(account_id)
            case Location(id=location_id):
                locations.add(location_id)
            case User(id=user_id):
                lines.update(_lines_of_user(inventory, user_id))
            case Number(id=number_id, user_id=user_id):
                lines.update(inventory.ids_under("line.number", number_id))
                if user_id is not None:
                    lines.update(_lines_of_user(inventory, user_id))
            case StationType(id=station_type_id):
                for number_id in inventory.ids_under("number.station_type", station_type_id):
                    lines.update(inventory.ids_under("line.number", number_id))
                    number = inventory.find(Number, number_id)
                    if number is not None and number.user_id is not None:
                        lines.update(_lines_of_user(inventory, number.user_id))
            case Line(device_id=device_id):
                devices.add(device_id)
            case Credential(line_id=line_id):
                lines.add(line_id)
            case Device(id=device_id, type=DeviceType.DECT_BASE):
                devices.update(_with_handsets(inventory, change.entity))
            case Device(id=device_id):
                devices.add(device_id)
            case DectSystem(id=system_id):
                devices.update(base.id for base in inventory.bases_of(system_id))
            case Carrier():
                pass
    if locations:
        for user in inventory.all(User):
            if user.location_id in locations:
                lines.update(_lines_of_user(inventory, user.id))
    devices.update(line.device_id for line_id in lines if (line := inventory.find(Line, line_id)) is not None)
    if accounts or locations:
        devices.update(
            device.id
            for device in inventory.all(Device)
            if device.account_id in accounts or device.location_id in locations
        )
    return devices


def _with_handsets(inventory: Inventory, base: Device) -> set[int]:
    """A base and the handsets whose place in a carrier's file depends on it: all those of its system."""
    bases = {base.id}
    if base.system_id is not None:
        bases.update(other.id for other in inventory.bases_of(base.system_id))
    return {base.id}.union(*(inventory.ids_under("device.base", base_id) for base_id in bases))


def _lines_of_user(inventory: Inventory, user_id: int) -> set[int]:
    lines = set(inventory.ids_under("line.user", user_id))
    for number_id in inventory.ids_under("number.user", user_id):
        lines.update(inventory.ids_under("line.number", number_id))
    return lines


def affected_carriers(base: Inventory, draft: Draft) -> set[int]:
    """Carriers, before or after, of every device that the draft's changes affect."""
    changes = draft.changes
    return carriers_of(base, affected_devices(base, changes)) | carriers_of(draft, affected_devices(draft, changes))


def carriers_of(inventory: Inventory, device_ids: Iterable[int]) -> set[int]:
    """The carriers of devices, as far as these are there and have one."""
    devices = (inventory.find(Device, device_id) for device_id in device_ids)
    carriers = (inventory.carrier_of(device) for device in devices if device is not None)
    return {carrier.id for carrier in carriers if carrier is not None}


def revise(
    draft: Draft, carrier_ids: Iterable[int], source: DigestSource, progress: Progress | None = None
) -> frozenset[int]:
    """Raises the revision of each of these carriers whose digest differs. Gives those raised, new ones included."""
    raised: set[int] = set()
    progress, ordered = progress or Progress(), sorted(carrier_ids)
    progress.begin(Stage.REVISING, len(ordered))
    for carrier_id in ordered:
        progress.advance()
        device = draft.find(Device, carrier_id)
        before = draft.find(Carrier, carrier_id)
        digests = source.digests(draft, device) if device is not None and device.type not in _WITHOUT_FILES else None
        if digests is None:
            if before is not None:
                draft.delete(before)
            continue
        if before is not None and before.digest == digests.config:
            continue
        revision = before.revision + 1 if before is not None else 1
        same_registration = before is not None and before.registration_digest == digests.registration
        draft.put(
            Carrier(
                id=carrier_id,
                revision=revision,
                digest=digests.config,
                registration_digest=digests.registration,
                registration_revision=before.registration_revision if before and same_registration else revision,
            )
        )
        raised.add(carrier_id)
    return frozenset(raised)
