"""When the time of a credential that was replaced is over."""

from collections.abc import Set as AbstractSet
from typing import Final

from offhook.inventory.models import Credential, Device, Line
from offhook.inventory.snapshot import Inventory

#: After a device has fetched its new credentials, the old ones are valid this much longer, for a refresh under way.
OVERLAP_SECONDS: Final = 300.0


def find_deadline(
    inventory: Inventory, credential: Credential, superseded: AbstractSet[int], fetched: AbstractSet[int], now: float
) -> float:
    """Until when it is valid, with what is known by now.

    ``superseded`` are lines that have registered with their active credential, ``fetched`` carriers that hold it.
    """
    until = credential.retire_at if credential.retire_at is not None else now
    if credential.line_id in superseded:
        return now
    if until > now + OVERLAP_SECONDS and _carrier_id(inventory, credential) in fetched:
        return now + OVERLAP_SECONDS
    return until


def _carrier_id(inventory: Inventory, credential: Credential) -> int | None:
    device = inventory.get(Device, inventory.get(Line, credential.line_id).device_id)
    carrier = inventory.carrier_of(device)
    return carrier.id if carrier is not None else None
