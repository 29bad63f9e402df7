"""Reloads under way: sends the NOTIFY, watches what the carrier does, and says how it ended."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog

from offhook.clock import Clock
from offhook.errors import Conflict, OffhookError, StoreUnavailable
from offhook.events import ConfigFetched, EventBus, NotifyAnswered, Registered
from offhook.inventory.facts import DeviceFacts
from offhook.inventory.generated import IdSource
from offhook.inventory.models import Account, Carrier, Credential, Device, DeviceState, DeviceType, Line
from offhook.inventory.rules import describe_device
from offhook.inventory.snapshot import Inventory
from offhook.inventory.state import is_assigned, registers_here
from offhook.reload import progress
from offhook.reload.notify import Notification, answer_notify_challenge, build_notify
from offhook.reload.ports import Passwords, ReloadEvents, RequestSender, Target, Targets
from offhook.reload.progress import ReloadRecord, ReloadState

log = structlog.get_logger()

_KEPT: Final = 1_000
#: Ended reloads remembered; the journal has more.
_TRIES: Final = 2
#: Answers by which a phone says that it does not know the event, not that it will not do it.
_TRY_NEXT_EVENT: Final = frozenset({400, 403, 405, 406, 481, 482, 489, 501})


@dataclass(frozen=True, slots=True)
class ReloadLimits:
    """How many at once, and how long each step may take."""

    in_flight: int = 500
    waiting: int = 10_000
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
    ) -> None:
        self._inventory = inventory
        self._facts = facts
        self._targets = targets
        self._sender = sender
        self._events = events
        self._passwords = passwords
        self._ids = ids
        self._bus = bus
        self._clock = clock
        self._spawn = spawn
        self._limits = limits or ReloadLimits()
        self._places = asyncio.Semaphore(self._limits.in_flight)
        self._records: dict[int, ReloadRecord] = {}
        self._active: dict[int, int] = {}
        #: Reload under way by carrier.
        self._changed: set[int] = set()
        self._waiters: dict[int, set[asyncio.Event]] = {}
        bus.subscribe(ConfigFetched, self._on_fetched)
        bus.subscribe(Registered, self._on_registered)

    # -- what administrators ask ----------------------------------------------------------------------------------

    def start(self, device: Device, actor: str) -> ReloadRecord:
        """Reloads a device, or its carrier. One under way for the same carrier is that one.

        Raises Conflict for a device that cannot be reloaded, with the reason.
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
        underway = self._active.get(carrier.id)
        if underway is not None:
            return self._records[underway]
        if len(self._active) >= self._limits.waiting:
            raise StoreUnavailable(f"{len(self._active)} reloads are waiting already; try again when some have ended")
        record = ReloadRecord(
            id=self._ids.next(),
            device_id=device.id,
            carrier_id=carrier.id,
            revision=carrier.revision,
            awaits_registration=self._facts(carrier.id).fetched_revision < carrier.registration_revision,
            actor=actor,
            created_at=self._clock.now(),
        )
        self._active[carrier.id] = record.id
        self._keep(record)
        self._spawn(self._run(record.id))
        return record

    def _carrier_of(self, inventory: Inventory, device: Device) -> Device:
        name = describe_device(device)
        if device.type is DeviceType.SOFTPHONE:
            raise Conflict(f"{name} is a softphone; it fetches nothing", remedy="restart the program itself")
        if device.state is DeviceState.DISABLED:
            raise Conflict(f"{name} is disabled", remedy="enable it first")
        carrier = inventory.carrier_of(device)
        if carrier is None:
            raise Conflict(f"{name} is not paired with a base, so nothing can reload it", remedy="pair it with a base")
        return carrier

    def find(self, reload_id: int) -> ReloadRecord | None:
        return self._records.get(reload_id)

    def latest_of(self, carrier_id: int) -> ReloadRecord | None:
        """The last reload of a carrier that is remembered."""
        mine = [record for record in self._records.values() if record.carrier_id == carrier_id]
        return max(mine, key=lambda record: record.id, default=None)

    def recent(self) -> Sequence[ReloadRecord]:
        """Latest first."""
        return sorted(self._records.values(), key=lambda record: record.id, reverse=True)

    async def wait(self, reload_id: int, state: str, seconds: float) -> ReloadRecord:
        """The record once its state is another than ``state``, or as it is when the time is over."""
        record = self._records[reload_id]
        if record.state.value != state or record.state.is_final:
            return record
        changed = asyncio.Event()
        self._waiters.setdefault(reload_id, set()).add(changed)
        try:
            async with asyncio.timeout(seconds):
                await changed.wait()
        except TimeoutError:
            pass
        finally:
            waiters = self._waiters.get(reload_id, set())
            waiters.discard(changed)
            if not waiters:
                self._waiters.pop(reload_id, None)
        return self._records.get(reload_id, record)

    # -- persistence ----------------------------------------------------------------------------------------------

    def take_changed(self) -> list[ReloadRecord]:
        """Records that changed since the last call, for the journal."""
        changed = [self._records[reload_id] for reload_id in sorted(self._changed) if reload_id in self._records]
        self._changed.clear()
        return changed

    def put_back(self, records: Iterable[ReloadRecord]) -> None:
        """Marks as not on disk what could not be written."""
        self._changed.update(record.id for record in records if record.id in self._records)

    def resume(self, records: Iterable[ReloadRecord]) -> None:
        """Takes up what a former process left: those that had not ended go on from where they were."""
        inventory = self._inventory()
        for record in sorted(records, key=lambda record: record.id)[-_KEPT:]:
            self._records[record.id] = record
            if record.state.is_final:
                continue
            if inventory.find(Carrier, record.carrier_id) is None:
                self._keep(progress.fail(record, "the device was deleted meanwhile", self._clock.now()))
                continue
            self._active[record.carrier_id] = record.id
            self._spawn(self._run(record.id))

    def _keep(self, record: ReloadRecord) -> None:
        before = self._records.get(record.id)
        if before == record:
            return
        self._records[record.id] = record
        self._changed.add(record.id)
        if before is None or before.state is not record.state:
            log.info(
                "reload.progressed",
                state=record.state.value,
                reload=record.id,
                device=record.carrier_id,
                revision=record.revision,
                sip_event=record.event,
                status=record.answer_status,
                reason=record.reason,
            )
        for waiter in self._waiters.get(record.id, ()):
            waiter.set()
        if record.state.is_final:
            self._active.pop(record.carrier_id, None)
            for old in sorted(self._records)[: max(0, len(self._records) - _KEPT)]:
                if self._records[old].state.is_final and old not in self._changed:
                    del self._records[old]

    # -- following one --------------------------------------------------------------------------------------------

    async def _run(self, reload_id: int) -> None:
        async with self._places:
            try:
                reason = await self._perform(reload_id)
            except OffhookError as error:
                reason = str(error)
            record = self._records[reload_id]
            if reason and not record.state.is_final:
                self._keep(progress.fail(record, reason, self._clock.now()))

    async def _perform(self, reload_id: int) -> str:
        """Goes through the steps that are left; gives why it failed, or nothing."""
        record = self._records[reload_id]
        if record.state in (ReloadState.QUEUED, ReloadState.SENT):
            reason = await self._notify(reload_id)
            if reason:
                return reason
        elif record.state is ReloadState.ANSWERED and not await self._fetched(reload_id):
            return self._not_fetched(reload_id)
        if not await self._until(reload_id, {ReloadState.DONE}, self._limits.register_seconds):
            return self._not_bound(reload_id)
        return ""

    async def _notify(self, reload_id: int) -> str:
        record = self._records[reload_id]
        inventory = self._inventory()
        carrier = inventory.get(Device, record.carrier_id)
        events = self._events.reload_events(carrier.vendor, carrier.model)
        if not events:
            return f"no event is known that makes {carrier.vendor or 'this vendor'} {carrier.model or ''} reload"
        refused = ""
        for event in events:
            for _ in range(_TRIES):
                target = self._best_target(carrier)
                if target is None:
                    return (
                        f"{describe_device(carrier)} is not registered, so no NOTIFY can reach it: "
                        "check that it has power and network, then restart it by hand"
                    )
                self._keep(progress.note_sent(self._records[reload_id], event, self._clock.now()))
                status, reason = await self._send(reload_id, target, event)
                if await self._fetched(reload_id, wait=200 <= status < 300):
                    return ""
                if 200 <= status < 300:
                    continue
                if status == 408:
                    refused = "it did not answer the NOTIFY within 32 seconds: check its power and network"
                    continue
                refused = f"it answered the NOTIFY with {status} {reason}"
                break
            else:
                return refused or self._not_fetched(reload_id)
            if status not in _TRY_NEXT_EVENT:
                break
        return refused

    async def _send(self, reload_id: int, target: Target, event: str) -> tuple[int, str]:
        """One NOTIFY, and its repetition with credentials where the phone asks for them. Gives the final answer."""
        notification = Notification(
            contact_uri=target.contact_uri,
            address_of_record=target.address_of_record,
            domain=target.realm,
            event=event,
            call_id=secrets.token_hex(16),
            from_tag=secrets.token_hex(8),
            cseq=int(self._clock.now()) & 0x7FFFFFFF,
        )
        response = await self._sender.send(build_notify(notification), target)
        if response.status in (401, 407):
            for credential in self._credentials(target):
                answered = answer_notify_challenge(
                    notification,
                    response,
                    auth_username=credential.auth_username,
                    realm=credential.realm,
                    password=self._passwords.reveal_password(credential),
                    cnonce=lambda: secrets.token_hex(8),
                )
                if answered is None:
                    break
                notification, request = answered
                response = await self._sender.send(request, target)
                if response.status not in (401, 407):
                    break
        now = self._clock.now()
        record = progress.note_answer(self._records[reload_id], response.status, now)
        self._keep(record)
        self._bus.publish(NotifyAnswered(record.carrier_id, record.id, response.status, response.reason, now))
        return response.status, response.reason

    def _credentials(self, target: Target) -> list[Credential]:
        """The one that the phone registered with first: it is what it holds; then the line's others."""
        inventory = self._inventory()
        mine = inventory.credentials_of(target.line_id)
        return sorted(mine, key=lambda credential: credential.id != target.credential_id)[:2]

    def _best_target(self, carrier: Device) -> Target | None:
        """A reachable binding of the carrier's own lines or of its handsets', the latest first."""
        devices = self._inventory().carried_devices(carrier)
        targets = [target for device in devices for target in self._targets.targets_of(device.id) if target.reachable]
        return max(targets, key=lambda target: target.registered_at, default=None)

    async def _fetched(self, reload_id: int, *, wait: bool = True) -> bool:
        final = {ReloadState.FETCHED, ReloadState.DONE, ReloadState.FAILED}
        return await self._until(reload_id, final, self._limits.fetch_seconds if wait else 0.0)

    async def _until(self, reload_id: int, states: set[ReloadState], seconds: float) -> bool:
        """Waits until the record is in one of these states, or the time is over."""
        self._look_at_lines(reload_id)
        deadline = self._clock.monotonic() + seconds
        while (record := self._records[reload_id]).state not in states:
            left = deadline - self._clock.monotonic()
            if left <= 0:
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
        reload_id = self._active.get(carrier_id)
        if reload_id is not None:
            record = replace(self._records[reload_id])
            self._keep(progress.fail(record, "the device was deleted meanwhile", self._clock.now()))
