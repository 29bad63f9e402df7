"""What a change comes to, in words: for ``plan``, for the answer to a change, and for the audit."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from offhook.errors import Fault
from offhook.inventory.differences import Difference
from offhook.inventory.models import Carrier, Device
from offhook.inventory.rules import describe_device
from offhook.inventory.snapshot import Inventory


@dataclass(frozen=True, slots=True)
class Reload:
    """A device whose files a change alters."""

    device_id: int
    device: str
    revision: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What a document would change."""

    differences: tuple[Difference, ...] = ()
    reloads: tuple[Reload, ...] = ()
    warnings: tuple[Fault, ...] = ()
    pruned: tuple[tuple[str, int], ...] = ()
    unchanged: tuple[tuple[str, int], ...] = ()
    #: How many of each kind a document states as they are already.


def find_reloads(before: Inventory, after: Inventory, revised: Iterable[int]) -> Iterator[Reload]:
    """The devices whose revision was raised."""
    for device_id in sorted(revised):
        device = after.get(Device, device_id)
        carrier = after.get(Carrier, device_id)
        yield Reload(device_id, describe_device(device), carrier.revision, before.find(Carrier, device_id) is None)
