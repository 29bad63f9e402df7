"""Announces what the rest of the daemon does: changes of the inventory, of devices' status, and of reloads."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from offhook.admin.announcements import Announcements, EventType
from offhook.admin.api.reloads import view_reload
from offhook.admin.device_names import device_key
from offhook.admin.device_rows import DeviceRow
from offhook.admin.ports import Bindings, Reloads
from offhook.admin.registers import Registers
from offhook.admin.routes import format_time
from offhook.clock import Clock
from offhook.events import ChangedThing, EventBus, InventoryChanged, ReloadProgressed
from offhook.inventory.facts import DeviceFacts
from offhook.inventory.models import Account, Device
from offhook.inventory.snapshot import Inventory
from offhook.inventory.state import LineBinding, find_status

#: Things, and devices, that one announcement names; it says how many there are.
NAMED: Final = 100
#: What is noted of devices is gathered for so long, while somebody listens.
_GATHER_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class ThingView:
    """Something that a change made, altered or deleted."""

    action: str
    kind: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvent:
    """A change of what belongs to one account."""

    at: str | None
    actor: str
    request_id: str
    account: str
    things: tuple[ThingView, ...]
    thing_count: int
    #: Of ``things`` the first hundred are named.
    revised: tuple[str, ...]
    #: Devices that have to reload.
    revised_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceEvent:
    """A device has another status."""

    at: str | None
    device: str
    name: str | None
    account: str
    status: str
    before: str | None
    #: The status that it had; None of a device that was made a moment ago.
    config: str
    registration: str
    revision: int | None
    fetched_revision: int | None


class Announcer:
    """Listens to the daemon on behalf of those who listen to it."""

    def __init__(
        self,
        announcements: Announcements,
        *,
        inventory: Callable[[], Inventory],
        registers: Registers,
        facts: Callable[[int], DeviceFacts],
        bindings: Bindings,
        reloads: Reloads,
        bus: EventBus,
        clock: Clock,
    ) -> None:
        self._announcements = announcements
        self._inventory = inventory
        self._registers = registers
        self._facts = facts
        self._bindings = bindings
        self._reloads = reloads
        self._clock = clock
        bus.subscribe(InventoryChanged, self._note_change)
        bus.subscribe(ReloadProgressed, self._note_reload)
        registers.devices.watch(self._note_row)

    async def run(self) -> None:
        """Looks at devices of which something was noted, while somebody listens. Runs until it is cancelled."""
        while True:
            await asyncio.sleep(_GATHER_SECONDS)
            if self._announcements.are_heard:
                await self._registers.devices.catch_up()

    def _note_change(self, event: InventoryChanged) -> None:
        if not self._announcements.are_heard:
            return
        inventory = self._inventory()
        things: dict[int, list[ChangedThing]] = defaultdict(list)
        for thing in event.things:
            things[thing.account_id].append(thing)
        revised: dict[int, list[Device]] = defaultdict(list)
        for device in _found(inventory, event.revised):
            revised[device.account_id].append(device)
        for account_id in sorted(things.keys() | revised.keys()):
            account = inventory.find(Account, account_id)
            view = ChangeEvent(
                at=format_time(event.at),
                actor=event.actor,
                request_id=event.request_id,
                account=account.name if account is not None else "",
                things=tuple(ThingView(it.action, it.kind, it.key) for it in things[account_id][:NAMED]),
                thing_count=len(things[account_id]),
                revised=tuple(device_key(device) for device in revised[account_id][:NAMED]),
                revised_count=len(revised[account_id]),
            )
            self._announcements.announce(EventType.CHANGE, account_id, view)

    def _note_row(self, before: DeviceRow | None, row: DeviceRow | None) -> None:
        if row is None or (before is not None and before.status == row.status) or not self._announcements.are_heard:
            return
        if before is None and not (self._registers.is_filled and self._was_heard_of(row.id)):
            return  # That it was made is told as a change.
        inventory = self._inventory()
        device = inventory.find(Device, row.id)
        if device is None:
            return
        status = find_status(inventory, device, self._facts, self._live)
        view = DeviceEvent(
            at=format_time(self._clock.now()),
            device=device_key(device),
            name=device.name,
            account=inventory.get(Account, device.account_id).name,
            status=row.status,
            before=before.status if before is not None else None,
            config=status.config.value,
            registration=status.registration.value,
            revision=status.revision,
            fetched_revision=status.fetched_revision,
        )
        self._announcements.announce(EventType.DEVICE, device.account_id, view)

    def _was_heard_of(self, device_id: int) -> bool:
        facts = self._facts(device_id)
        return bool(facts.last_registered_at or facts.last_provisioned_at or facts.failure)

    def _live(self, device_id: int) -> Sequence[LineBinding]:
        found = self._bindings.bindings_of_device(device_id, self._clock.now())
        return [LineBinding(binding.line_id, binding.reachable) for binding in found]

    def _note_reload(self, event: ReloadProgressed) -> None:
        if not self._announcements.are_heard:
            return
        record = self._reloads.find(event.reload_id)
        device = self._inventory().find(Device, record.device_id) if record is not None else None
        if record is not None and device is not None:
            view = view_reload(self._inventory(), record)
            self._announcements.announce(EventType.RELOAD, device.account_id, view)


def _found(inventory: Inventory, device_ids: Iterable[int]) -> Iterable[Device]:
    for device_id in sorted(device_ids):
        device = inventory.find(Device, device_id)
        if device is not None:
            yield device
