"""Reloads under way: sends the NOTIFY, watches what the carrier does, and says how it ended."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from offhook.clock import Clock
from offhook.errors import Conflict, OffhookError, StoreUnavailable
from offhook.events import (
    ConfigFetched,
    EventBus,
    InventoryChanged,
    NotifyAnswered,
    Registered,
    ReloadEnded,
    ReloadProgressed,
    RenderFailed,
)
from offhook.inventory.facts import DeviceFacts
from offhook.inventory.generated import IdSource
from offhook.inventory.models import Account, Carrier, Device, DeviceState, DeviceType, Line
from offhook.inventory.rules import describe_device
from offhook.inventory.snapshot import Inventory
from offhook.inventory.state import is_assigned, registers_here
from offhook.reload import progress
from offhook.reload.notifier import Notifier
from offhook.reload.ports import Passwords, ReloadEvents, RequestSender, Target, Targets
from offhook.reload.progress import ReloadRecord, ReloadState
from offhook.reload.records import ReloadRecords
from offhook.sip.message import Response

_TRIES: Final = 2
_DELETED: Final = "the device was deleted meanwhile"
#: Answers by which a phone says that it does not know the event, not that it will not do it.
_TRY_NEXT_EVENT: Final = frozenset({400, 403, 405, 406, 481, 482, 489, 501})


@dataclass(frozen=True, slots=True)
class ReloadLimits:
    """How many at once, and how long each step may take."""

    in_flight: int = 500
    waiting: int = 10_000
    answer_seconds: float = 32.0
    fetch_seconds: float = 30.0
    register_seconds: float = 60.0


class ReloadService:
    """Starts reloads and follows them to their end."""

    def __init__(
        self,
        *,
        inventory: Callable[[], Inventory],
        facts: Callable[[int], DeviceFacts],
        targets: Targets,
        sender: RequestSender,
        events: ReloadEvents,
        passwords: Passwords,
        ids: IdSource,
        bus: EventBus,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        limits: ReloadLimits | None = None,
        timeout: Callable[[float], asyncio.Timeout] = asyncio.timeout,
    ) -> None:
        self._inventory = inventory
        self._facts = facts
        self._targets = targets
        self._events = events
        self._notifier = Notifier(inventory, targets, sender, passwords, clock)
        self._ids = ids
        self._bus = bus
        self._clock = clock
        self._spawn = spawn
        self._limits = limits or ReloadLimits()
        self._places = asyncio.Semaphore(self._limits.in_flight)
        self._records = ReloadRecords(timeout)
        self._active: dict[int, int] = {}
        #: Reload under way by carrier.
        self._running: set[int] = set()
        #: Reloads whose task has not ended; their records are kept.
        bus.subscribe(ConfigFetched, self._on_fetched)
        bus.subscribe(Registered, self._on_registered)
        bus.subscribe(RenderFailed, self._on_render_failed)
        bus.subscribe(InventoryChanged, self._on_inventory_changed)

    def use(self, limits: ReloadLimits) -> None:
        """Takes other bounds; reloads that run or wait already end by the old ones."""
        if limits.in_flight != self._limits.in_flight:
            self._places = asyncio.Semaphore(limits.in_flight)
        self._limits = limits

    # -- what administrators ask ----------------------------------------------------------------------------------

    def start(self, device: Device, actor: str) -> ReloadRecord:
        """Reloads a device, or its carrier.

        One under way for the same carrier is that one, and follows the carrier to its present revision; unless the
        device has fetched an older revision already, and must be told anew.

        Raises Conflict for a device that cannot be reloaded, with the reason; StoreUnavailable where too many wait.
        """
        inventory = self._inventory()
        carrier_device = self._carrier_of(inventory, device)
        carrier = inventory.find(Carrier, carrier_device.id)
        if carrier is None:
            vendor = carrier_device.vendor or "unknown vendor"
            raise Conflict(
                f"{describe_device(carrier_device)} has no configuration files: no templates for {vendor} "
                f"{carrier_device.model or ''}".rstrip(),
                remedy="set its vendor and model, or add a vendor folder",
            )
        joined = self._join(carrier)
        if joined is not None:
            return joined
        if len(self._active) >= self._limits.waiting:
            raise StoreUnavailable(f"{len(self._active)} reloads are under way already; try again when some have ended")
        record = ReloadRecord(
            id=self._ids.next(),
            device_id=device.id,
            carrier_id=carrier.id,
            revision=carrier.revision,
            awaits_registration=self._awaits_registration(carrier),
            actor=actor,
            created_at=self._clock.now(),
        )
        self._keep(record)
        self._follow(record)
        return record

    def _awaits_registration(self, carrier: Carrier) -> bool:
        """Phones register again only where what they register with is new to them."""
        return self._facts(carrier.id).fetched_revision < carrier.registration_revision

    def _join(self, carrier: Carrier) -> ReloadRecord | None:
        """The reload under way that will do for the carrier's present revision as well."""
        if carrier.id not in self._active:
            return None
        record = self._records[self._active[carrier.id]]
        if record.revision < carrier.revision:
            if record.state is ReloadState.FETCHED:
                self._keep(progress.fail(record, "a newer revision is reloaded in its place", self._clock.now()))
                return None
            record = replace(record, revision=carrier.revision, awaits_registration=self._awaits_registration(carrier))
            self._keep(record)
        return record

    def _follow(self, record: ReloadRecord) -> None:
        self._active[record.carrier_id] = record.id
        self._running.add(record.id)
        self._spawn(self._run(record.id))

    def _carrier_of(self, inventory: Inventory, device: Device) -> Device:
        name = describe_device(device)
        if device.type is DeviceType.SOFTPHONE:
            raise Conflict(f"{name} is a softphone; it fetches nothing", remedy="restart the program itself")
        if device.state is DeviceState.DISABLED:
            raise Conflict(f"{name} is disabled", remedy="enable it first")
        carrier = inventory.carrier_of(device)
        if carrier is None:
            raise Conflict(f"{name} is not paired with a base, so nothing can reload it", remedy="pair it with a base")
        if not inventory.is_in_service(device):
            base = describe_device(carrier)
            raise Conflict(
                f"{name} cannot be reloaded while {base}, or its own base, is disabled", remedy="enable it first"
            )
        return carrier

    def find(self, reload_id: int) -> ReloadRecord | None:
        return self._records.find(reload_id)

    def recent(self) -> Sequence[ReloadRecord]:
        """Latest first."""
        return self._records.recent()

    async def wait(self, reload_id: int, state: str, seconds: float) -> ReloadRecord:
        """The record once its state is another than ``state``, or as it is when the time is over.

        Raises NotFound for a reload that is not remembered.
        """
        return await self._records.wait(reload_id, state, seconds)

    # -- persistence ----------------------------------------------------------------------------------------------

    def take_changed(self) -> list[ReloadRecord]:
        """Records that changed since the last call, for the journal."""
        return self._records.take_changed()

    def put_back(self, records: Iterable[ReloadRecord]) -> None:
        """Marks as not on disk what could not be written."""
        self._records.put_back(records)

    def resume(self, records: Iterable[ReloadRecord]) -> None:
        """Takes up what a former process left: those that had not ended go on from where they were."""
        inventory = self._inventory()
        ordered = sorted(records, key=lambda record: record.id)
        self._records.load(ordered)
        for record in ordered:
            if record.state.is_final:
                continue
            if inventory.find(Carrier, record.carrier_id) is None:
                self._keep(progress.fail(record, _DELETED, self._clock.now()))
            else:
                self._follow(record)

    def _keep(self, record: ReloadRecord) -> None:
        if not self._records.put(record, self._running):
            return
        self._bus.publish(ReloadProgressed(record.id))
        if not record.state.is_final:
            return
        if self._active.get(record.carrier_id) == record.id:
            del self._active[record.carrier_id]
        self._bus.publish(ReloadEnded(record.carrier_id, record.id, record.state.value, self._clock.now()))

    # -- following one --------------------------------------------------------------------------------------------

    async def _run(self, reload_id: int) -> None:
        try:
            async with self._places:
                try:
                    reason = await self._perform(reload_id)
                except OffhookError as error:
                    reason = str(error)
                except Exception:
                    reason = "the daemon made a mistake; its log says which"
                    self._keep(progress.fail(self._records[reload_id], reason, self._clock.now()))
                    raise
                if reason:
                    self._keep(progress.fail(self._records[reload_id], reason, self._clock.now()))
        finally:
            self._running.discard(reload_id)

    async def _perform(self, reload_id: int) -> str:
        """Goes through the steps that are left; gives why it failed, or nothing."""
        record = self._records[reload_id]
        if record.state in (ReloadState.QUEUED, ReloadState.SENT):
            reason = await self._notify(reload_id)
            if reason:
                return reason
        elif record.state is ReloadState.ANSWERED and not await self._has_moved_on(reload_id):
            return self._not_fetched(reload_id)
        if not await self._until(reload_id, {ReloadState.DONE}, self._limits.register_seconds):
            return self._not_bound(reload_id)
        return ""

    async def _notify(self, reload_id: int) -> str:
        """Tells the carrier, by one event after the other where it does not know the first."""
        carrier = self._inventory().get(Device, self._records[reload_id].carrier_id)
        vendor, model = self._kind_of(carrier)
        refused = f"no event is known that makes {vendor or 'this vendor'} {model or ''}".rstrip() + " reload"
        for event in self._events.reload_events(vendor, model):
            status, refused = await self._notify_by(reload_id, carrier, event)
            if not refused or status not in _TRY_NEXT_EVENT:
                break
        return refused

    async def _notify_by(self, reload_id: int, carrier: Device, event: str) -> tuple[int, str]:
        """Up to two NOTIFYs with one event. Gives the last status, and why it came to nothing if it did."""
        status, refused = 0, ""
        for _ in range(_TRIES):
            target = self._notifier.find_target(carrier)
            if target is None:
                return 0, (
                    f"{describe_device(carrier)} is not registered, so no NOTIFY can reach it: "
                    "check that it has power and network, then restart it by hand"
                )
            self._keep(progress.note_sent(self._records[reload_id], event, self._clock.now()))
            response = await self._send(reload_id, target, event)
            status = response.status
            is_accepted = 200 <= status < 300
            if await self._has_moved_on(reload_id, wait=is_accepted):
                return status, ""
            if is_accepted:
                refused = self._not_fetched(reload_id)
            elif not response.is_local:
                return status, f"it answered the NOTIFY with {status} {response.reason}"
            elif status == 408:
                refused = (
                    f"it did not answer the NOTIFY within {self._limits.answer_seconds:g} seconds: "
                    "check its power and network"
                )
            else:
                return status, (
                    "the NOTIFY could not be sent: nobody listens where it registered from, or its connection is gone; "
                    "it can be reached again when it has registered anew, or restart it by hand"
                )
        return status, refused

    def _kind_of(self, carrier: Device) -> tuple[str | None, str | None]:
        """Vendor and model: what the device reports counts more than what was typed in (R5)."""
        facts = self._facts(carrier.id)
        vendor = carrier.vendor or facts.vendor or None
        return vendor, (facts.model if facts.vendor == vendor else "") or carrier.model

    async def _send(self, reload_id: int, target: Target, event: str) -> Response:
        """One NOTIFY. Gives the final answer."""
        response = await self._notifier.notify(target, event)
        now = self._clock.now()
        record = self._records[reload_id]
        if not response.is_local:
            record = progress.note_answer(record, response.status, now)
            self._keep(record)
        self._bus.publish(NotifyAnswered(record.carrier_id, record.id, response.status, response.reason, now))
        return response

    async def _has_moved_on(self, reload_id: int, *, wait: bool = True) -> bool:
        """Whether the carrier has fetched, or the reload has ended; ``wait`` gives it time for that."""
        final = {ReloadState.FETCHED, ReloadState.DONE, ReloadState.FAILED}
        return await self._until(reload_id, final, self._limits.fetch_seconds if wait else 0.0)

    async def _until(self, reload_id: int, states: set[ReloadState], seconds: float) -> bool:
        """Waits until the record is in one of these states; False where the time is over or it ends otherwise."""
        self._look_at_lines(reload_id)
        deadline = self._clock.monotonic() + seconds
        while (record := self._records[reload_id]).state not in states:
            left = deadline - self._clock.monotonic()
            if left <= 0 or record.state.is_final:
                return False
            await self.wait(reload_id, record.state.value, left)
        return True

    # -- events ---------------------------------------------------------------------------------------------------

    def _on_fetched(self, event: ConfigFetched) -> None:
        reload_id = self._active.get(event.carrier_id)
        if reload_id is not None:
            self._keep(progress.note_fetched(self._records[reload_id], event.revision, event.at))
            self._look_at_lines(reload_id)

    def _on_registered(self, event: Registered) -> None:
        inventory = self._inventory()
        device = inventory.find(Device, event.device_id)
        carrier = inventory.carrier_of(device) if device is not None else None
        reload_id = self._active.get(carrier.id) if carrier is not None else None
        if reload_id is not None:
            self._look_at_lines(reload_id)

    def _on_render_failed(self, event: RenderFailed) -> None:
        reload_id = self._active.get(event.carrier_id)
        if reload_id is not None and event.revision >= self._records[reload_id].revision:
            reason = f"its configuration cannot be made: {event.message}"
            self._keep(progress.fail(self._records[reload_id], reason, event.at))

    def _on_inventory_changed(self, event: InventoryChanged) -> None:
        inventory = self._inventory()
        for carrier_id in event.device_ids & self._active.keys():
            device = inventory.find(Device, carrier_id)
            if device is None or inventory.find(Carrier, carrier_id) is None:
                self.forget_carrier(carrier_id)
            elif device.state is DeviceState.DISABLED:
                self._give_up(carrier_id, "the device was disabled meanwhile")
            elif carrier_id in event.replaced:
                self._give_up(carrier_id, "the device was replaced meanwhile; the new one fetches by itself")

    def _look_at_lines(self, reload_id: int) -> None:
        record = self._records[reload_id]
        unbound = self._unbound_lines(record)
        self._keep(progress.note_lines(record, all_bound=not unbound, now=self._clock.now()))

    def _unbound_lines(self, record: ReloadRecord) -> list[Line]:
        """Lines of the carrier that somebody would miss and that are not bound as the revision wants it."""
        inventory = self._inventory()
        carrier = inventory.find(Device, record.carrier_id)
        if carrier is None or not registers_here(inventory.get(Account, carrier.account_id)):
            return []
        missing: list[Line] = []
        for device in inventory.carried_devices(carrier):
            if device.state is DeviceState.DISABLED:
                continue
            targets = [target for target in self._targets.targets_of(device.id) if target.reachable]
            for line in inventory.lines_of(device.id):
                active = inventory.active_credential(line.id)
                bound = {target.credential_id for target in targets if target.line_id == line.id}
                fresh = active is not None and active.id in bound if record.awaits_registration else bool(bound)
                if is_assigned(inventory, line) and not fresh:
                    missing.append(line)
        return missing

    def _not_fetched(self, reload_id: int) -> str:
        record = self._records[reload_id]
        seconds = f"{self._limits.fetch_seconds:g}"
        return (
            f"it answered the NOTIFY with {record.answer_status}, but did not fetch revision {record.revision} within "
            f"{seconds} seconds: it may be in a call (many phones wait for its end), or its provisioning URL is another"
        )

    def _not_bound(self, reload_id: int) -> str:
        record = self._records[reload_id]
        lines = ", ".join(str(line.index) for line in self._unbound_lines(record))
        return (
            f"it fetched revision {record.revision}, but line {lines} did not register with its credentials within "
            f"{self._limits.register_seconds:g} seconds: look at the phone's own status page for the reason"
        )

    def forget_carrier(self, carrier_id: int) -> None:
        """Ends what is under way for a device that was deleted."""
        self._give_up(carrier_id, _DELETED)

    def _give_up(self, carrier_id: int, reason: str) -> None:
        reload_id = self._active.get(carrier_id)
        if reload_id is not None:
            self._keep(progress.fail(self._records[reload_id], reason, self._clock.now()))
